// The choice of C, the map of the weights there, and what C does to the numbers.

const slider = byId("C");
const trained = plain(START.C);
byId("reset").textContent = `Back to C = ${trained}`;
slider.max = path.length - 1;
for (const e of C_TICKS) { // between the two points of the path around it
  const above = Math.max(1, logC.findIndex((log) => log >= e - 1e-9));
  const place = above - (logC[above] - e) / (logC[above] - logC[above - 1]);
  const tick = element("span", {}, plain(10 ** e));
  tick.style.left = `${100 * place / (path.length - 1)}%`;
  byId("ticks").append(tick);
}
slider.addEventListener("input", () => change({ C: path[Number(slider.value)].C }));
byId("reset").addEventListener("click", () => {
  change({ C: START.C });
  say(slider.getAttribute("aria-valuetext"));
});

const countStep = [20, 50, 100, 200].find(
  (size) => Math.max(...path.map((point) => point.nonzero)) / size <= 6) || 200;
const moveMarkers = [
  // By the logarithm of the error, or all that happens above 95 % would be one line.
  chart(byId("chart-accuracy"), [["train", ({ train }) => train], ["test", ({ test }) => test]],
    [0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999],
    (share) => -Math.log(Math.max(1 - share, 0.0005)), (share) => plain(100 * share)),
  chart(byId("chart-nonzero"), [["count", ({ nonzero }) => nonzero]],
    Array.from({ length: 20 }, (_, i) => i * countStep), (count) => count, String),
];

const stops = Array.from({ length: 41 }, (_, i) => {
  const reach = Math.asinh(LARGEST / LINEAR), value = LINEAR * Math.sinh((i / 20 - 1) * reach);
  return `rgb(${colour(value || 1e-9).map(Math.round)})`;
});
byId("scale").style.background = `linear-gradient(to right, ${stops})`;
for (const value of [-2, -0.5, -0.1, 0, 0.1, 0.5, 2]) {
  const mark = element("span", {}, minus(String(value)));
  mark.style.left = `${50 * (onScale(value) + 1)}%`;
  byId("marks").append(mark);
}

view((now, before) => {
  if (before && now.C === before.C) return;
  const model = modelAt(now.C), C = plain(now.C);
  slider.value = path.indexOf(model);
  slider.setAttribute("aria-valuetext",
    `C = ${C}, ${model.nonzero} weights, test accuracy ${percent(model.test)}`);
  paintMap(byId("weights"), weightsOf(model));
  byId("weights").setAttribute("aria-label", `The weights at C = ${C}, ${SIZE}: ` +
    `${model.w.filter((w) => w < 0).length} speak for ${withArticle(first)}, ` +
    `${model.w.filter((w) => w > 0).length} for ${withArticle(second)}, the others are exactly 0`);
  byId("C-value").textContent = C;
  byId("summary").textContent =
    `${model.nonzero} of ${PIXELS + 1} weights · test ${percent(model.test)}`;
  byId("nonzero").textContent = `${model.nonzero} of ${PIXELS + 1}`;
  byId("train").textContent = percent(model.train);
  byId("test").textContent = percent(model.test);
  byId("bias").textContent = model.bias ? signed(model.bias) : "0";
  byId("objective").textContent = grouped(Number(model.objective.toFixed(2)));
  byId("chart-accuracy").setAttribute("aria-label", `Accuracy against C. At C = ${C}: ` +
    `training ${percent(model.train)}, test ${percent(model.test)}`);
  byId("chart-nonzero").setAttribute("aria-label", "Number of weights that are not 0, against C. " +
    `At C = ${C}: ${model.nonzero}`);
  for (const move of moveMarkers) move(model);
});
