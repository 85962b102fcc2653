// A pixel's story: where it is, its weight at every C, how often it is chosen, what it adds.

const pixelName = (pixel) => `row ${Math.floor(pixel / WIDTH) + 1}, column ${(pixel % WIDTH) + 1}`;
const inkOf = (value) => plain(value / 255);
const weightOf = ({ at, w }, pixel) => {
  const k = at.indexOf(pixel);
  return k < 0 ? 0 : w[k];
};
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/* Puts the frame around a pixel (null: around none) of the picture in whose box it is. */
function putSpot(mark, pixel) {
  mark.hidden = pixel === null;
  if (pixel === null) return;
  mark.style.left = `${(100 * (pixel % WIDTH)) / WIDTH}%`;
  mark.style.top = `${(100 * Math.floor(pixel / WIDTH)) / HEIGHT}%`;
}

/* The pixel of the largest weight, the one in the middle where all are 0. */
function heaviest({ at, w }) {
  let most = 0;
  for (let k = 1; k < w.length; k++) if (Math.abs(w[k]) > Math.abs(w[most])) most = k;
  return w.length ? at[most] : Math.floor(HEIGHT / 2) * WIDTH + Math.floor(WIDTH / 2);
}

function describePixel(model, pixel) {
  const weight = weightOf(model, pixel);
  const speaksFor = withArticle(weight > 0 ? second : first);
  return (
    `${capital(pixelName(pixel))}: ` +
    (weight ? `ink here speaks for ${speaksFor}` : "the model does not look here")
  );
}

/* Ticks for the chart of a weight, at most five of a round size between its extremes. */
function weightTicks(weights) {
  const low = Math.min(...weights),
    high = Math.max(...weights);
  const sizes = [-4, -3, -2, -1, 0, 1].flatMap((e) => [1, 2, 5].map((m) => m * 10 ** e));
  const size = sizes.find((one) => (high - low) / one <= 4) || high - low;
  const from = Math.ceil(low / size);
  return Array.from({ length: 6 }, (_, i) => (from + i) * size);
}

const weightsMap = byId("weights"),
  pixelChart = byId("chart-pixel");
let under = null; // the pixel under the mouse

/* The weights of a pixel at the points, as a function that gives it at every C. */
function weightCurve(pixel) {
  const weights = new Map(path.map((point) => [point, weightOf(point, pixel)]));
  return (C) => {
    if (pointOf.has(C)) return weights.get(pointOf.get(C));
    const { low, high } = aroundC(C);
    return weightBetween(pixel, C, low, weights.get(low), high, weights.get(high));
  };
}

/* At which C a pixel has a weight, in words. */
function whenNotZero(pixel) {
  const changes = every
    ? every.entries[pixel]
    : path
        .filter((point, k) => !weightOf(point, pixel) !== !(k && weightOf(path[k - 1], pixel)))
        .map(({ C }) => C);
  const spans = [];
  for (let k = 0; k < changes.length; k += 2) {
    const [from, to] = changes.slice(k, k + 2).map((C) => plain(C));
    spans.push(to === undefined ? `from\u00a0${from}` : `${from}\u00a0to\u00a0${to}`);
  }
  return spans.join(", ") || "none";
}

/* Draws the weight of a pixel against C, unless it is there; returns what moves its marks. */
let curveOf = null,
  moveOnCurve = null;
function drawCurve(pixel) {
  if (pixel === curveOf) return moveOnCurve;
  const curve = weightCurve(pixel),
    weights = DRAWN.map(curve);
  pixelChart.replaceChildren();
  pixelChart.setAttribute(
    "aria-label",
    `The weight of ${pixelName(pixel)} against C: from ` +
      `${plain(Math.min(...weights))} to ${plain(Math.max(...weights))}`,
  );
  moveOnCurve = chart(
    pixelChart,
    [["weight", curve]],
    weightTicks(weights),
    (value) => value,
    plain,
  );
  curveOf = pixel;
  return moveOnCurve;
}

function showStory(now) {
  const model = modelAt(now.C),
    pixel = under ?? now.pixel ?? heaviest(model);
  const weight = weightOf(model, pixel),
    { index, label, pixels } = chosenImage(now);
  const share = data.stability && `${plain(100 * data.stability[pixel])} %`;
  const facts = [
    [`Weight at C = ${nameC(now.C)}`, weight ? signed(weight) : "0"],
    ["Not 0 at C", whenNotZero(pixel)],
    ...(share ? [[`Chosen by bootstrap samples at C = ${nameC(START.C)}`, share]] : []),
    [`Ink in test image ${index}, ${withArticle(label)}`, inkOf(pixels[pixel])],
    ["Adds to its score", weight && pixels[pixel] ? signed(weight * (pixels[pixel] / 255)) : "0"],
  ];
  write(byId("story-title"), describePixel(model, pixel));
  childrenOf(byId("story-facts"), facts.length, () =>
    element("div", {}, element("dt"), element("dd", { class: "number" })),
  ).forEach(({ children }, k) => {
    write(children[0], facts[k][0]);
    write(children[1], facts[k][1]);
  });
  drawCurve(pixel)(now);
  putSpot(byId("weights-spot"), pixel);
  // On the chosen image only a pixel that somebody asked for.
  for (const mark of document.querySelectorAll("[data-spot]")) putSpot(mark, under ?? now.pixel);
}

function pixelAt(event) {
  const box = weightsMap.getBoundingClientRect();
  const cell = (at, from, size, cells) =>
    Math.max(0, Math.min(cells - 1, Math.floor(((at - from) / size) * cells)));
  return (
    cell(event.clientY, box.top, box.height, HEIGHT) * WIDTH +
    cell(event.clientX, box.left, box.width, WIDTH)
  );
}
weightsMap.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse" || under === pixelAt(event)) return;
  under = pixelAt(event);
  showStory(state);
});
weightsMap.addEventListener("pointerleave", () => {
  if (under === null) return;
  under = null;
  showStory(state);
});
function choosePixel(pixel) {
  change({ pixel });
  say(describePixel(modelAt(state.C), pixel ?? heaviest(modelAt(state.C))));
}
weightsMap.addEventListener("click", (event) => choosePixel(pixelAt(event)));
weightsMap.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const here = state.pixel ?? heaviest(modelAt(state.C));
  const row = Math.floor(here / WIDTH),
    column = here % WIDTH;
  const to = {
    ArrowLeft: column > 0 && here - 1,
    ArrowRight: column < WIDTH - 1 && here + 1,
    ArrowUp: row > 0 && here - WIDTH,
    ArrowDown: row < HEIGHT - 1 && here + WIDTH,
    Escape: null,
  }[event.key];
  if (to === undefined) return;
  if (to !== false) choosePixel(to);
  event.preventDefault();
});

/* The pixels that add most to the chosen image's score. */
const BARS = 8;
function showBars(now) {
  const model = modelAt(now.C),
    { pixels } = chosenImage(now);
  const added = contributions(model, pixels);
  const most = Array.from(model.at)
    .filter((pixel) => added[pixel])
    .sort((a, b) => Math.abs(added[b]) - Math.abs(added[a]) || a - b)
    .slice(0, BARS);
  const row = () =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button" },
        element("span"),
        element("span", { class: "bar-of", "aria-hidden": "true" }, element("i")),
        element("span", { class: "number" }),
      ),
    );
  childrenOf(byId("bars"), most.length, row).forEach(({ firstChild: button }, k) => {
    const value = added[most[k]],
      length = (50 * Math.abs(value)) / Math.abs(added[most[0]]);
    const [name, { firstChild: bar }, number] = button.children;
    bar.className = value > 0 ? "positive" : "negative";
    bar.style.left = `${value > 0 ? 50 : 50 - length}%`;
    bar.style.width = `${length}%`;
    write(name, pixelName(most[k]));
    write(number, signed(value));
    button.dataset.pixel = most[k];
  });
  byId("no-bars").hidden = most.length > 0;
}
byId("bars").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const pixel = Number(button.dataset.pixel);
  choosePixel(state.pixel === pixel ? null : pixel);
});

view(showStory, byId("story"));
view((now, before) => {
  if (!before || now.C !== before.C || now.image !== before.image) showBars(now);
  for (const button of byId("bars").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.pixel) === now.pixel));
  }
}, byId("bars"));
