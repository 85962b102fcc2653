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
  const left = Math.floor(-lowest / size) + 1,
    right = Math.max(1, Math.ceil(highest / size));
  const counts = data.classes.map(() => Array.from({ length: left + right }, () => 0));
  images.forEach(({ label }, i) => {
    counts[data.classes.indexOf(label)][left - 1 + Math.ceil(scores[i] / size)] += 1;
  });
  return { size, left, right, lowest, highest, counts };
});

/* Its figure, and what shows in it where `total` lies at a C: the second class upwards, the first
   downwards, a mark at `total`. */
function histogram() {
  const left = 4,
    right = 284,
    top = 16,
    middle = 64,
    bottom = 112;
  const bars = ["negative", "positive"].map((name) => element("path", { class: name }));
  const zero = element("line", { class: "axis", y1: top, y2: bottom + 3 });
  const ticks = [0, 1, 2].map(() => element("text", { y: bottom + 15, "text-anchor": "middle" }));
  const here = element("line", { class: "now", y1: top - 6, y2: bottom });
  const mark = element("path", { class: "mark" });
  const svg = element(
    "svg",
    { class: "histogram", viewBox: "0 0 288 132", role: "img" },
    ...bars,
    element("line", { class: "axis", x1: left, x2: right, y1: middle, y2: middle }),
    zero,
    element("text", { class: "positive", x: left, y: top + 10 }, `are ${withArticle(second)}`),
    element(
      "text",
      { class: "negative", x: right, y: bottom - 4, "text-anchor": "end" },
      `are ${withArticle(first)}`,
    ),
    ...ticks,
    here,
    mark,
  );
  const off = element("span", { class: "far" }),
    words = element("span");

  function show(C, total) {
    const { counts, lowest, highest, size, ...reach } = histogramAt(C);
    const width = (right - left) / (reach.left + reach.right);
    const within = (value) => Math.max(-reach.left, Math.min(reach.right, value / size));
    const x = (value) => (left + width * (reach.left + within(value))).toFixed(2);
    const most = Math.max(...counts.flat(), 1);
    counts.forEach((of, which) =>
      bars[which].setAttribute(
        "d",
        of
          .map((count, k) => {
            const height = Math.max(1, (count / most) * (middle - top)) * (which ? -1 : 1);
            return count
              ? `M${(left + k * width + 0.5).toFixed(2)} ${middle}v${height.toFixed(2)}` +
                  `h${(width - 1).toFixed(2)}V${middle}z`
              : "";
          })
          .join(""),
      ),
    );
    const tick = Number((Math.max(reach.left, reach.right) * size * 0.75).toPrecision(1));
    [-tick, 0, tick].forEach((value, k) => {
      write(ticks[k], value / size < -reach.left || value / size > reach.right ? "" : plain(value));
      ticks[k].setAttribute("x", x(value));
    });
    for (const [line, value] of [
      [zero, 0],
      [here, total],
    ]) {
      line.setAttribute("x1", x(value));
      line.setAttribute("x2", x(value));
    }
    const far = Math.sign(total) * (total < lowest || total > highest);
    mark.setAttribute(
      "d",
      far ? `M${x(total)} ${top - 8}l${-9 * far} -6v12z` : `M${x(total)} ${top - 4}l-5 -10h10z`,
    );
    write(
      off,
      far ? `Off the scale: ${far > 0 ? "higher" : "lower"} than any of the test images. ` : "",
    );
    const scores = scoresAt(C),
      lower = { [first]: 0, [second]: 0 },
      all = { ...lower };
    images.forEach(({ label }, i) => {
      all[label] += 1;
      lower[label] += scores[i] < total;
    });
    write(
      words,
      `Of the test images${images.length < data.images.of ? " on this page" : ""} ` +
        data.classes
          .map(
            (name) =>
              `${grouped(lower[name])} of the ${grouped(all[name])} that are ` + withArticle(name),
          )
          .join(" and ") +
        " score lower.",
    );
    svg.setAttribute("aria-label", `Histogram of the test images' scores. ${words.textContent}`);
  }
  const caption = element("figcaption", {}, off, words);
  return { figure: element("figure", { class: "scores" }, svg, caption), show };
}
