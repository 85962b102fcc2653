// The test images that the filter lets through, a page of them at a time.

const SHOWN = 120; // tiles, at most: what a phone lays out in a frame
const gallery = byId("gallery");

/* Nearer to 0 than this is uncertain: a tenth of the images' mean distance from 0. */
const uncertainBelow = (scores) =>
  scores.reduce((sum, value) => sum + Math.abs(value), 0) / scores.length / 10;

/* Which images, as places in `images`, each filter lets through at a C. */
const filteredAt = remembering((C) => {
  const scores = scoresAt(C), below = uncertainBelow(scores);
  const found = Object.fromEntries(FILTERS.map((filter) => [filter, []]));
  images.forEach((image, i) => {
    found.all.push(i);
    found[isRight(image, scores[i]) ? "right" : "wrong"].push(i);
    if (Math.abs(scores[i]) <= below) found.uncertain.push(i);
  });
  return found;
});

/* The part of the list that the gallery shows: of which page of how many. */
function pageOf({ C, filter, image, page }) {
  const list = filteredAt(C)[filter], pages = Math.max(1, Math.ceil(list.length / SHOWN));
  const place = list.findIndex((i) => images[i].index === image);
  const number = Math.min(page ?? Math.max(0, Math.floor(place / SHOWN)), pages - 1);
  return { list, pages, number, part: list.slice(number * SHOWN, (number + 1) * SHOWN) };
}

const tiles = Array.from({ length: Math.min(SHOWN, images.length) }, () => {
  const canvas = element("canvas",
    { class: "ink", width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
  const said = element("span", { class: "said" }), value = element("span", { class: "number" });
  const tile = element("li", { role: "option", tabindex: "-1", "aria-selected": "false" },
    canvas, said, value);
  return { tile, canvas, said, value, image: null };
});
gallery.append(...tiles.map(({ tile }) => tile));
const shownTiles = () => tiles.filter(({ tile }) => !tile.hidden).map(({ tile }) => tile);

/* Makes one tile the one that Tab reaches. */
function rove(tile) {
  for (const other of gallery.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  if (tile) tile.tabIndex = 0;
}

view((now, before) => {
  const { C, filter, image, page } = now;
  if (before && C === before.C && filter === before.filter && image === before.image &&
    page === before.page) return;
  const scores = scoresAt(C), found = filteredAt(C), { list, pages, number, part } = pageOf(now);
  tiles.forEach((one, k) => {
    one.tile.hidden = k >= part.length;
    if (one.tile.hidden) return;
    const i = part[k], right = isRight(images[i], scores[i]);
    if (one.image !== images[i]) {
      one.image = images[i];
      paintInk(one.canvas, images[i].pixels);
    }
    one.said.textContent = `is ${images[i].label}, reads ${reads(scores[i])}`;
    one.value.textContent = `${signed(scores[i])}${right ? "" : " ✗"}`;
    one.tile.classList.toggle("wrong", !right);
    one.tile.setAttribute("aria-selected", String(images[i].index === image));
  });
  rove(tiles.find((one) => !one.tile.hidden && one.image.index === image)?.tile || shownTiles()[0]);
  for (const name of FILTERS) {
    document.querySelector(`[data-count=${name}]`).textContent = `(${grouped(found[name].length)})`;
  }
  document.querySelector(`input[name=show][value=${filter}]`).checked = true;
  byId("uncertain-below").textContent = plain(uncertainBelow(scores));
  gallery.hidden = byId("gallery-help").hidden = !list.length;
  byId("none").hidden = list.length > 0;
  byId("pages").hidden = pages === 1;
  byId("page").textContent = `${grouped(number * SHOWN + 1)} to ` +
    `${grouped(number * SHOWN + part.length)} of ${grouped(list.length)}`;
  byId("page-before").disabled = number === 0;
  byId("page-after").disabled = number === pages - 1;
});

function select(tile) {
  const { image } = tiles.find((one) => one.tile === tile);
  change({ image: image.index });
  say(describeImage(state));
}

gallery.addEventListener("click", (event) => {
  const tile = event.target.closest("li");
  if (tile) select(tile);
});
gallery.addEventListener("keydown", (event) => {
  const tile = event.target.closest("li");
  if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = shownTiles(), here = all.indexOf(tile);
  const columns = getComputedStyle(gallery).gridTemplateColumns.split(" ").length;
  const to = {
    ArrowLeft: here - 1, ArrowRight: here + 1, ArrowUp: here - columns,
    ArrowDown: here + columns, Home: 0, End: all.length - 1,
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
byId("filter").addEventListener("change", (event) => {
  const filter = event.target.value, list = filteredAt(state.C)[filter];
  const kept = !list.length || list.some((i) => images[i].index === state.image);
  change({ filter, page: null, image: kept ? state.image : images[list[0]].index });
});
for (const [id, by] of [["page-before", -1], ["page-after", 1]]) {
  byId(id).addEventListener("click", () => {
    change({ page: pageOf(state).number + by });
    gallery.scrollTop = 0;
    say(byId("page").textContent);
  });
}
