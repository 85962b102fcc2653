// What would change the answer: the fewest pixels, each of them with any ink from none to full.

const PICTURES = 12; // pictures, at most

/* The steps, {pixel, to (its new ink of 0..255), score (then)}, and whether the last one turns the
   answer. Each pixel adds its own part to the score: those that can move it most are the fewest. */
function turning(model, pixels) {
  const up = score(model, pixels) <= 0,
    changed = pixels.slice(),
    steps = [];
  const moves = Array.from(model.at, (pixel, k) => {
    const to = model.w[k] > 0 === up ? 255 : 0;
    return { pixel, to, by: Math.abs(model.w[k]) * (Math.abs(to - pixels[pixel]) / 255) };
  })
    .filter(({ by }) => by > 0)
    .sort((a, b) => b.by - a.by || a.pixel - b.pixel);
  for (const { pixel, to } of moves) {
    changed[pixel] = to;
    const then = score(model, changed);
    steps.push({ pixel, to, score: then });
    if (then > 0 === up) return { steps, turned: true };
  }
  return { steps, turned: false };
}

/* A picture, to be filled by `showStep`. */
function stepPicture() {
  const canvas = element("canvas", {
    class: "ink",
    width: WIDTH,
    height: HEIGHT,
    "aria-hidden": "true",
  });
  const picture = element("span", { class: "spotted" }, canvas, element("i", { class: "spot" }));
  return element(
    "li",
    {},
    picture,
    ...["", "", "", " answer"].map((more) => element("span", { class: `number${more}` })),
  );
}
function showStep(item, pixels, pixel, ...lines) {
  const [picture, ...texts] = item.children;
  paintInk(picture.firstChild, pixels);
  putSpot(picture.lastChild, pixel);
  texts.forEach((text, k) => write(text, lines[k] ?? ""));
}

/* Shows it: as it is, then one pixel after the other; those that are too many are left out before
   the last. */
function showTurning(target, model, pixels) {
  const [words, list] = childrenOf(target, 2, () =>
    target.firstChild ? element("ol", { class: "steps" }) : element("p", { class: "turn-words" }),
  );
  const { steps, turned: turns } = turning(model, pixels),
    total = score(model, pixels);
  const other = withArticle(total > 0 ? first : second),
    count = steps.length;
  write(
    words,
    turns
      ? count === 1
        ? `1 pixel, made blank or full, is enough to make it read ${other}.`
        : `${grouped(count)} pixels are enough to make it read ${other}, and fewer are not. Each ` +
          "is made blank or full, the one that moves the score furthest first."
      : `No ink on any pixel makes it read ${other} at this C: the weights that are not 0 cannot ` +
          "move the score far enough.",
  );
  const skipped = Math.max(0, count - PICTURES),
    changed = pixels.slice();
  const items = childrenOf(list, turns ? 1 + count - skipped : 0, stepPicture);
  if (!turns) return;
  showStep(items[0], changed, null, "as it is", `score ${signed(total)}`);
  steps.forEach(({ pixel, to, score: then }, k) => {
    const from = changed[pixel],
      last = k === count - 1;
    changed[pixel] = to;
    if (k >= PICTURES - 1 && !last) return;
    showStep(
      items[last ? items.length - 1 : k + 1],
      changed,
      pixel,
      `${k + 1}. ${pixelName(pixel)}${last && skipped ? ` (after ${skipped} more)` : ""}`,
      `ink ${inkOf(from)} → ${inkOf(to)}`,
      `score ${signed(then)}`,
      last ? `reads ${other}` : "",
    );
  });
}

view((now, before) => {
  if (before && now.C === before.C && now.image === before.image) return;
  showTurning(byId("selected-turn"), modelAt(now.C), chosenImage(now).pixels);
}, byId("selected-turn"));
