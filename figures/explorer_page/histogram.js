// Where a score lies among those of the test images: a histogram for each class.

const BINS = 30; // even, so that 0, where the answer changes, is between two bars

/* At a C: `limit`, the largest score but for its sign; `counts` of each class, a bar's from above its
   left edge up to its right one: a score of 0 is left of 0, as its answer is. */
const histogramAt = remembering((C) => {
  const scores = scoresAt(C);
  const limit = scores.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const counts = data.classes.map(() => new Array(BINS).fill(0));
  images.forEach(({ label }, i) => {
    const bar = Math.ceil((scores[i] / limit + 1) / 2 * BINS) - 1;
    counts[data.classes.indexOf(label)][Math.max(bar, 0)] += 1;
  });
  return { limit, counts };
});

/* The figure: the second class upwards, the first downwards, a mark at `total`. */
function histogram({ C }, total) {
  const { limit, counts } = histogramAt(C);
  const left = 4, right = 284, top = 16, middle = 64, bottom = 112;
  const x = (value) => left + (Math.max(-1, Math.min(1, value / limit)) + 1) / 2 * (right - left);
  const svg = element("svg", { class: "histogram", viewBox: "0 0 288 132", role: "img" });
  const most = Math.max(...counts.flat(), 1), size = (right - left) / BINS;
  counts.forEach((bars, which) => bars.forEach((count, k) => {
    const height = count && Math.max(1, count / most * (middle - top));
    if (count) svg.append(element("rect", {
      class: which ? "positive" : "negative", x: left + k * size + 0.5, width: size - 1, height,
      y: which ? middle - height : middle,
    }));
  }));
  const text = (content, place) => svg.append(element("text", place, content));
  svg.append(element("line", { class: "axis", x1: left, x2: right, y1: middle, y2: middle }),
    element("line", { class: "axis", x1: x(0), x2: x(0), y1: top, y2: bottom + 3 }));
  text(`are ${withArticle(second)}`, { class: "positive", x: left, y: top + 10 });
  text(`are ${withArticle(first)}`,
    { class: "negative", x: right, y: bottom - 4, "text-anchor": "end" });
  const tick = Number((limit * 0.7).toPrecision(1));
  for (const value of [-tick, 0, tick]) {
    text(plain(value), { x: x(value), y: bottom + 15, "text-anchor": "middle" });
  }
  const far = Math.abs(total) > limit, to = Math.sign(total), here = x(total);
  svg.append(element("line", { class: "now", x1: here, x2: here, y1: top - 6, y2: bottom }));
  svg.append(element("path", { class: "mark", d: far
    ? `M${here + 4 * to} ${top - 8}l${-9 * to} -6v12z` : `M${here} ${top - 4}l-5 -10h10z` }));
  const lower = data.classes.map((name, which) => {
    const scores = scoresAt(C), of = images.filter(({ label }) => label === name).length;
    const count = images.filter(({ label }, i) => label === name && scores[i] < total).length;
    return `${grouped(count)} of the ${grouped(of)} that are ${withArticle(data.classes[which])}`;
  });
  const words = `Of the test images${images.length < data.images.of ? " on this page" : ""} ` +
    `${lower.join(" and ")} score lower.`;
  svg.setAttribute("aria-label", `Histogram of the test images' scores. ${words}`);
  return element("figure", { class: "scores" }, svg, element("figcaption", {},
    element("span", { class: "far" }, far
      ? `Off the scale: ${to > 0 ? "higher" : "lower"} than any of the test images. ` : ""),
    words));
}
