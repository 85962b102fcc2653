// The choice of C, the map of the weights there, and what C does to the numbers.

const slider = byId("C"),
  field = byId("C-value");
const SLIDER_STEPS = every ? 2000 : path.length - 1; // of the slider
const LOG_RANGE = logC.at(-1) - logC[0] || 1;

/* Where a C of the path is on the slider, and the C that is there. */
const sliderPlace = (C) =>
  every ? (SLIDER_STEPS * (Math.log10(C) - logC[0])) / LOG_RANGE : path.indexOf(pointOf.get(C));
function sliderC(place) {
  if (!every) return path[place].C;
  const point = path.find(({ C }) => Math.round(sliderPlace(C)) === place);
  const C = 10 ** (logC[0] + (place / SLIDER_STEPS) * LOG_RANGE);
  return point ? point.C : nearestC(Number(C.toPrecision(4)));
}

byId("reset").textContent = `Back to ${nameC(START.C)}`;
slider.max = SLIDER_STEPS;
for (const e of C_TICKS) {
  // between the two points of the path around it
  const above = Math.max(
    1,
    logC.findIndex((log) => log >= e - 1e-9),
  );
  const part = (logC[above] - e) / (logC[above] - logC[above - 1]);
  const tick = element("span", {}, plain(10 ** e));
  const [low, high] = [above - 1, above].map((k) => sliderPlace(path[k].C));
  tick.style.left = `${(100 * (high - part * (high - low))) / SLIDER_STEPS}%`;
  byId("ticks").append(tick);
}
const pinMark = element("span", { class: "pinned" }, "▲");
byId("ticks").append(pinMark);

slider.addEventListener("input", () => {
  stop();
  change({ C: sliderC(Number(slider.value)) }, { moving: true });
});
slider.addEventListener("change", settle);
field.addEventListener("change", () => {
  stop();
  const asked = Number(field.value.replace(",", ".")),
    C = nearestC(asked);
  change({ C: C === null ? state.C : C });
  field.value = nameC(state.C);
  const range = `C from ${nameC(path[0].C)} to ${nameC(path.at(-1).C)}`;
  say(
    C === asked
      ? slider.getAttribute("aria-valuetext")
      : `The page has ${every ? "every" : `${path.length} values of`} ${range}. ` +
          slider.getAttribute("aria-valuetext"),
  );
});
byId("reset").addEventListener("click", () => {
  stop();
  change({ C: START.C });
  say(slider.getAttribute("aria-valuetext"));
});
byId("pin").addEventListener("click", () => {
  change({ pinned: state.pinned === null ? state.C : null });
  say(state.pinned === null ? "No C is pinned" : `C = ${nameC(state.pinned)} is pinned`);
});

// Playing: from the chosen C to the largest in at most ten seconds; from the end, all of it.

const PLAY = 10_000; // milliseconds from end to end
let playing = 0; // the frame to come, or 0

function stop() {
  cancelAnimationFrame(playing);
  if (!playing) return;
  playing = 0;
  byId("play").textContent = "Play";
  settle();
}

function play() {
  const here = sliderPlace(state.C),
    from = here >= SLIDER_STEPS ? 0 : here;
  const began = performance.now();
  byId("play").textContent = "Pause";
  const frame = (time) => {
    const moved = (Math.max(0, time - began) / PLAY) * SLIDER_STEPS;
    const place = Math.min(SLIDER_STEPS, Math.floor(from + moved));
    if (sliderC(place) !== state.C) change({ C: sliderC(place) }, { moving: true });
    if (place < SLIDER_STEPS) playing = requestAnimationFrame(frame);
    else {
      stop();
      say(slider.getAttribute("aria-valuetext"));
    }
  };
  playing = requestAnimationFrame(frame);
}
byId("play").addEventListener("click", () => {
  if (!playing) return play();
  stop();
  say(slider.getAttribute("aria-valuetext"));
});
window.addEventListener("popstate", stop);

// Numbers and charts

const countStep =
  [20, 50, 100, 200, 500].find(
    (size) => Math.max(...path.map((point) => point.nonzero)) / size <= 6,
  ) || 1000;
const known = (name) => (C) =>
  every && !pointOf.has(C) ? stepAt(every[name], C) : modelAt(C)[name];
const moveMarks = [
  // By the logarithm of the error, or all that happens above 95 % would be one line.
  chart(
    byId("chart-accuracy"),
    [
      ["train", known("train")],
      ["test", known("test")],
    ],
    [0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999],
    (share) => -Math.log(Math.max(1 - share, 0.0005)),
    (share) => plain(100 * share),
  ),
  chart(
    byId("chart-nonzero"),
    [["count", known("nonzero")]],
    Array.from({ length: 20 }, (_, i) => i * countStep),
    (count) => count,
    String,
  ),
];
byId("how-between").textContent = every
  ? `At ${path.length} values of C the page has the exact optimum. Between two of them weights ` +
    "and scores (by which the filters go) are on a straight line in 1/C, the objective on a " +
    "cubic; the number of weights, the accuracies, and which weights are 0 are exact at every C."
  : `The page has the exact optimum at ${path.length} values of C, where the slider stops.`;

/* What a map shows, in words: how many weights speak for each class. */
function sides({ w }) {
  return (
    `${w.filter((value) => value < 0).length} speak for ${withArticle(first)}, ` +
    `${w.filter((value) => value > 0).length} for ${withArticle(second)}`
  );
}

view((now, before) => {
  if (before && now.C === before.C && now.pinned === before.pinned) return;
  const model = modelAt(now.C),
    C = nameC(now.C);
  slider.value = sliderPlace(now.C);
  slider.setAttribute(
    "aria-valuetext",
    `C = ${C}, ${counted(model.nonzero, "weight")}, test accuracy ${percent(model.test)}`,
  );
  if (document.activeElement !== field || !before) field.value = C;
  byId("summary").textContent = `${counted(model.nonzero, "weight")} · test ${percent(model.test)}`;
  byId("pin").textContent = now.pinned === null ? "Pin this C" : `Unpin ${nameC(now.pinned)}`;
  pinMark.hidden = now.pinned === null;
  if (now.pinned !== null)
    pinMark.style.left = `${(100 * sliderPlace(now.pinned)) / SLIDER_STEPS}%`;
});

view((now, before) => {
  if (before && now.C === before.C && now.pinned === before.pinned) return;
  const model = modelAt(now.C),
    C = nameC(now.C);
  paintMap(byId("weights"), weightsOf(model));
  byId("weights").setAttribute(
    "aria-label",
    `The weights at C = ${C}, ${SIZE}: ${sides(model)}, the others are exactly 0`,
  );
  byId("nonzero").textContent = `${model.nonzero} of ${PIXELS + 1}`;
  byId("train").textContent = percent(model.train);
  byId("test").textContent = percent(model.test);
  byId("bias").textContent = model.bias ? signed(model.bias) : "0";
  byId("objective").textContent = grouped(Number(model.objective.toFixed(2)));
  byId("chart-accuracy").setAttribute(
    "aria-label",
    `Accuracy against C. At C = ${C}: ` +
      `training ${percent(model.train)}, test ${percent(model.test)}`,
  );
  byId("chart-nonzero").setAttribute(
    "aria-label",
    `Number of weights that are not 0, against C. At C = ${C}: ${model.nonzero}`,
  );
  for (const move of moveMarks) move(now);
}, byId("weights-part"));

/* The map as a picture of its own, with the C that it belongs to. */
byId("save").addEventListener("click", () => {
  const model = modelAt(state.C),
    cell = Math.max(1, Math.round(560 / Math.max(WIDTH, HEIGHT)));
  const margin = 24,
    width = Math.max(WIDTH * cell, 420),
    top = 64;
  const canvas = element("canvas", {
    width: width + 2 * margin,
    height: top + HEIGHT * cell + margin,
  });
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#202124";
  context.font = "bold 18px sans-serif";
  context.fillText(`${first} or ${second}: the weights at C = ${nameC(state.C)}`, margin, 28);
  context.font = "14px sans-serif";
  context.fillText(
    `${model.nonzero} of ${PIXELS + 1} are not 0; test accuracy ` +
      `${percent(model.test)}. Red: ${first}, blue: ${second}`,
    margin,
    50,
  );
  context.imageSmoothingEnabled = false;
  context.drawImage(byId("weights"), margin, top, WIDTH * cell, HEIGHT * cell);
  canvas.toBlob((blob) => {
    const url = URL.createObjectURL(blob);
    element("a", { href: url, download: `weights-C-${nameC(state.C)}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
});
