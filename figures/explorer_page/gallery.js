// The test images that the filter lets through, a page of them at a time.

const SHOWN = 84; // tiles, at most: full rows of 2, 3, 4, 6 or 7
const gallery = byId("gallery");

/* Nearer to 0 than this is uncertain: a tenth of the images' mean distance from 0. */
const uncertainBelow = (scores) =>
  scores.reduce((sum, value) => sum + Math.abs(value), 0) / scores.length / 10;

/* Which images, as places in `images`, each filter lets through at a C. */
const filteredAt = remembering((C) => {
  const scores = scoresAt(C),
    below = uncertainBelow(scores);
  const found = Object.fromEntries(FILTERS.map((filter) => [filter, []]));
  images.forEach((image, i) => {
    found.all.push(i);
    found[isRight(image, scores[i]) ? "right" : "wrong"].push(i);
    if (Math.abs(scores[i]) <= below) found.uncertain.push(i);
  });
  return found;
});
const filtered = (filter, { C, pinned }) =>
  filter !== "turned" ? filteredAt(C)[filter] : pinned === null ? [] : turned(C, pinned);

/* The part of the list that the gallery shows: of which page of how many. */
function pageOf(now) {
  const { filter, image, page } = now;
  const list = filtered(filter, now),
    pages = Math.max(1, Math.ceil(list.length / SHOWN));
  const place = list.findIndex((i) => images[i].index === image);
  const number = Math.min(page ?? Math.max(0, Math.floor(place / SHOWN)), pages - 1);
  return { list, pages, number, part: list.slice(number * SHOWN, (number + 1) * SHOWN) };
}

// Wide enough for the longest line that a tile can have.
const longest = Math.max(first.length, second.length);
gallery.parentElement.style.setProperty(
  "--tile",
  `${longest > 4 ? longest + 6 : 2 * longest + 10}ch`,
);
const tiles = Array.from({ length: Math.min(SHOWN, images.length) }, () => {
  const canvas = element("canvas", {
    class: "ink",
    width: WIDTH,
    height: HEIGHT,
    "aria-hidden": "true",
  });
  const [said, answer, value] = ["is", "reads", "number"].map((name) =>
    element("span", { class: name }),
  );
  const tile = element(
    "li",
    { role: "option", tabindex: "-1", "aria-selected": "false" },
    canvas,
    said,
    answer,
    value,
  );
  return { tile, canvas, said, answer, value, image: null };
});
gallery.style.setProperty("--lines", longest > 4 ? 3 : 2);
gallery.classList.toggle("two-lines", longest > 4);
gallery.append(...tiles.map(({ tile }) => tile));
const shownTiles = () => tiles.filter(({ tile }) => !tile.hidden).map(({ tile }) => tile);

/* Makes one tile the one that Tab reaches. */
function rove(tile) {
  for (const other of gallery.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  if (tile) tile.tabIndex = 0;
}

view((now, before) => {
  const { C, filter, image, pinned } = now;
  const told = ["C", "filter", "image", "page", "pinned"];
  if (before && told.every((key) => now[key] === before[key])) return;
  const scores = scoresAt(C),
    { list, pages, number, part } = pageOf(now);
  const others = filter === "turned" ? scoresAt(pinned) : null; // shown beside
  gallery.classList.toggle("two-scores", others !== null);
  tiles.forEach((one, k) => {
    one.tile.hidden = k >= part.length;
    if (one.tile.hidden) return;
    const i = part[k],
      right = isRight(images[i], scores[i]);
    if (one.image !== images[i]) {
      one.image = images[i];
      paintInk(one.canvas, images[i].pixels);
    }
    write(one.said, `is ${images[i].label}, `);
    write(one.answer, `reads ${reads(scores[i])}`);
    write(
      one.value,
      `${
        others ? `${signed(others[i], 2)} → ${signed(scores[i], 2)}` : signed(scores[i])
      }${right ? "" : " ✗"}`,
    );
    one.tile.classList.toggle("wrong", !right);
    one.tile.setAttribute("aria-selected", String(images[i].index === image));
  });
  rove(tiles.find((one) => !one.tile.hidden && one.image.index === image)?.tile || shownTiles()[0]);
  for (const name of FILTERS) {
    document.querySelector(`[data-count=${name}]`).textContent =
      `(${grouped(filtered(name, now).length)})`;
  }
  byId("filter-turned").hidden = pinned === null;
  byId("pinned-name").textContent = pinned === null ? "" : nameC(pinned);
  document.querySelector(`input[name=show][value=${filter}]`).checked = true;
  byId("uncertain-below").textContent = plain(uncertainBelow(scores));
  gallery.hidden = byId("gallery-help").hidden = !list.length;
  byId("none").hidden = list.length > 0;
  byId("not-shown").hidden = !list.length || list.some((i) => images[i].index === image);
  byId("pages").hidden = pages === 1;
  byId("page").textContent =
    `${grouped(number * SHOWN + 1)} to ` +
    `${grouped(number * SHOWN + part.length)} of ${grouped(list.length)}`;
}, byId("images"));

function select(tile) {
  const { image } = tiles.find((one) => one.tile === tile);
  change({ image: image.index });
  say(describeImage(state));
  const [{ bottom }, { top }] = [gallery, byId("selected")].map((e) => e.getBoundingClientRect());
  if (top >= bottom) goTo("selected"); // below each other, it may be out of sight
}

/* The image before or after the chosen one among those that the filter lets through, in a ring. */
function neighbour(now, by) {
  const list = filtered(now.filter, now);
  const here = list.findIndex((i) => images[i].index === now.image);
  return list.length
    ? images[list[here < 0 ? 0 : (here + by + list.length) % list.length]]
    : imageOf.get(now.image);
}
for (const [id, by] of [
  ["image-before", -1],
  ["image-after", 1],
]) {
  byId(id).addEventListener("click", () => {
    change({ image: neighbour(state, by).index, page: null });
    say(describeImage(state));
  });
}

gallery.addEventListener("click", (event) => {
  const tile = event.target.closest("li");
  if (tile) select(tile);
});
gallery.addEventListener("keydown", (event) => {
  const tile = event.target.closest("li");
  if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = shownTiles(),
    here = all.indexOf(tile);
  const columns = getComputedStyle(gallery).gridTemplateColumns.split(" ").length;
  const to = {
    ArrowLeft: here - 1,
    ArrowRight: here + 1,
    ArrowUp: here - columns,
    ArrowDown: here + columns,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (event.key === "Enter" || event.key === " ") select(tile);
  else if (to === undefined) return;
  else if (all[to]) {
    rove(all[to]);
    all[to].focus();
  }
  event.preventDefault();
});
/* A filter that does not let the chosen image through chooses its first. */
function choose(filter) {
  const list = filtered(filter, state);
  const kept = !list.length || list.some((i) => images[i].index === state.image);
  change({ filter, page: null, image: kept ? state.image : images[list[0]].index });
}
byId("filter").addEventListener("change", (event) => choose(event.target.value));
byId("to-gallery").addEventListener("click", () => goTo("images"));
for (const [id, by] of [
  ["page-before", -1],
  ["page-after", 1],
]) {
  byId(id).addEventListener("click", () => {
    const { number, pages } = pageOf(state);
    change({ page: (number + by + pages) % pages });
    gallery.scrollTop = 0;
    say(byId("page").textContent);
  });
}
