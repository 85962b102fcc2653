// Two C side by side: the pinned one, the chosen one, what differs.

view((now, before) => {
  if (before && now.C === before.C && now.pinned === before.pinned) return;
  byId("compare").hidden = now.pinned === null;
  if (now.pinned === null) return;
  const two = [modelAt(now.pinned), modelAt(now.C)],
    maps = two.map(weightsOf);
  const difference = maps[1].map((weight, pixel) => weight - maps[0][pixel]);
  ["pinned", "chosen"].forEach((name, k) => {
    byId(`${name}-C`).textContent = byId(`${name}-head`).textContent = `C = ${nameC(two[k].C)}`;
    paintMap(byId(`${name}-map`), maps[k]);
    byId(`${name}-map`).setAttribute(
      "aria-label",
      `The weights at C = ${nameC(two[k].C)}: ${sides(two[k])}, the others are exactly 0`,
    );
    byId(`${name}-nonzero`).textContent = two[k].nonzero;
    byId(`${name}-train`).textContent = percent(two[k].train);
    byId(`${name}-test`).textContent = percent(two[k].test);
    byId(`${name}-bias`).textContent = two[k].bias ? signed(two[k].bias) : "0";
  });
  paintMap(byId("difference-map"), difference);
  const grew = (sign) => difference.filter((value) => sign * value > 0).length;
  byId("difference-map").setAttribute(
    "aria-label",
    "The chosen weights less the pinned: " +
      `${grew(-1)} speak more for ${withArticle(first)}, ${grew(1)} more for ` +
      `${withArticle(second)}, the others are the same`,
  );
  const both = two[0].at.filter((pixel) => maps[1][pixel] !== 0).length;
  byId("shared").textContent =
    `${counted(both, "pixel")} with a weight at both C, ` +
    `${two[0].at.length - both} only at ${nameC(two[0].C)}, ` +
    `${two[1].at.length - both} only at ${nameC(two[1].C)}.`;
  const list = turned(now.C, now.pinned),
    scores = scoresAt(now.C);
  const better = list.filter((i) => isRight(images[i], scores[i])).length;
  byId("turned").textContent = list.length
    ? `Of these ${counted(images.length, "image")} ${grouped(list.length)} get another answer: ` +
      `${grouped(better)} become right, ${grouped(list.length - better)} wrong.`
    : "Every image gets the same answer at both.";
  byId("show-turned").disabled = !list.length;
}, byId("compare"));

byId("show-turned").addEventListener("click", () => {
  choose("turned");
  goTo("images");
});
