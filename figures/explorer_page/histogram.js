// Where a score lies among those of the test images: a histogram for each class.

const BARS_A_SIDE = 16; // on the longer side of 0, where the answer changes

/* At a C: `size`, the width of a bar; how many of them are left of 0 and right of it, to the lowest
   and the highest score; `counts` of each class: a bar's are from above its left edge up to its
   right one, so that a score of 0 is left of 0, as its answer is. */
const histogramAt = remembering((C) => {
  const scores = scoresAt(C);
  const lowest = scores.reduce((least, value) => Math.min(least, value), 0);
  const highest = scores.reduce((most, value) => Math.max(most, value), 0);
  const size = Math.max(-lowest, highest) / BARS_A_SIDE || 1;
  const left = Math.floor(-lowest / size) + 1, right = Math.max(1, Math.ceil(highest / size));
  const counts = data.classes.map(() => new Array(left + right).fill(0));
  images.forEach(({ label }, i) => {
    counts[data.classes.indexOf(label)][left - 1 + Math.ceil(scores[i] / size)] += 1;
  });
  return { size, left, right, lowest, highest, counts };
});

/* The figure: the second class upwards, the first downwards, a mark at `total`. */
function histogram({ C }, total) {
  const { counts, lowest, highest, ...bars } = histogramAt(C);
  const left = 4, right = 284, top = 16, middle = 64, bottom = 112;
  const width = (right - left) / (bars.left + bars.right);
  const x = (value) =>
    left + width * (bars.left + Math.max(-bars.left, Math.min(bars.right, value / bars.size)));
  const svg = element("svg", { class: "histogram", viewBox: "0 0 288 132", role: "img" });
  const most = Math.max(...counts.flat(), 1);
  counts.forEach((of, which) => of.forEach((count, k) => {
    const height = count && Math.max(1, count / most * (middle - top));
    if (count) svg.append(element("rect", {
      class: which ? "positive" : "negative", x: left + k * width + 0.5, width: width - 1, height,
      y: which ? middle - height : middle,
    }));
  }));
  const text = (content, place) => svg.append(element("text", place, content));
  svg.append(element("line", { class: "axis", x1: left, x2: right, y1: middle, y2: middle }),
    element("line", { class: "axis", x1: x(0), x2: x(0), y1: top, y2: bottom + 3 }));
  text(`are ${withArticle(second)}`, { class: "positive", x: left, y: top + 10 });
  text(`are ${withArticle(first)}`,
    { class: "negative", x: right, y: bottom - 4, "text-anchor": "end" });
  const tick = Number((Math.min(bars.left, bars.right) * bars.size * 0.75).toPrecision(1));
  for (const value of [-tick, 0, tick]) {
    text(plain(value), { x: x(value), y: bottom + 15, "text-anchor": "middle" });
  }
  const far = total < lowest || total > highest, to = Math.sign(total), here = x(total);
  svg.append(element("line", { class: "now", x1: here, x2: here, y1: top - 6, y2: bottom }));
  svg.append(element("path", { class: "mark", d: far
    ? `M${here} ${top - 8}l${-9 * to} -6v12z` : `M${here} ${top - 4}l-5 -10h10z` }));
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
