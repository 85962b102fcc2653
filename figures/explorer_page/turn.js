// What would change the answer: the fewest pixels, each of them with any ink from none to full.

const PICTURES = 12; // pictures, at most

/* The steps, {pixel, to (its new ink of 0..255), score (then)}, and whether the last one turns the
   answer. Each pixel adds its own part to the score: those that can move it most are the fewest. */
function turning(model, pixels) {
  const up = score(model, pixels) <= 0, changed = pixels.slice(), steps = [];
  const moves = Array.from(model.at, (pixel, k) => {
    const to = (model.w[k] > 0) === up ? 255 : 0;
    return { pixel, to, by: Math.abs(model.w[k]) * (Math.abs(to - pixels[pixel]) / 255) };
  }).filter(({ by }) => by > 0).sort((a, b) => b.by - a.by || a.pixel - b.pixel);
  for (const { pixel, to } of moves) {
    changed[pixel] = to;
    const then = score(model, changed);
    steps.push({ pixel, to, score: then });
    if ((then > 0) === up) return { steps, turned: true };
  }
  return { steps, turned: false };
}

/* A picture of pixels, one of them marked, with lines of text. */
function stepPicture(pixels, pixel, ...lines) {
  const canvas = element("canvas",
    { class: "ink", width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
  paintInk(canvas, pixels);
  const mark = element("i", { class: "spot" });
  putSpot(mark, pixel);
  return element("li", {}, element("span", { class: "spotted" }, canvas, mark),
    ...lines.map((line) => element("span", { class: "number" }, line)));
}

/* Shows it: as it is, then one pixel after the other. */
function showTurning(target, model, pixels) {
  const { steps, turned } = turning(model, pixels), total = score(model, pixels);
  const other = withArticle(total > 0 ? first : second);
  const words = element("p", { class: "turn-words" }, turned
    ? `${grouped(steps.length)} ${steps.length === 1 ? "pixel is" : "pixels are"} enough to make ` +
      `it read ${other}, and fewer are not. Each is made blank or full, the one that moves the ` +
      "score furthest first."
    : `No ink on any pixel makes it read ${other} at this C: the weights that are not 0 ` +
      "cannot move the score far enough.");
  const changed = pixels.slice();
  const pictures = turned ? steps.flatMap(({ pixel, to, score: then }, k) => {
    const from = changed[pixel];
    changed[pixel] = to;
    if (k >= PICTURES - 1 && k < steps.length - 1) return [];
    const skipped = k - PICTURES + 1;
    return [stepPicture(changed, pixel, `${k + 1}. ${pixelName(pixel)}` +
      (skipped > 0 ? ` (after ${skipped} more)` : ""),
      `ink ${inkOf(from)} → ${inkOf(to)}`, `score ${signed(then)}` +
      (k === steps.length - 1 ? `: reads ${other}` : ""))];
  }) : [];
  const list = element("ol", { class: "steps" },
    stepPicture(pixels, null, "as it is", `score ${signed(total)}`), ...pictures);
  target.replaceChildren(words, ...(turned ? [list] : []));
}

view((now, before) => {
  if (before && now.C === before.C && now.image === before.image) return;
  showTurning(byId("selected-turn"), modelAt(now.C), chosenImage(now).pixels);
});
