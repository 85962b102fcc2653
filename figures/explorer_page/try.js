// "Try this": five cases, each a link to a state of the page.

{
  const at = (part) => addressOf({ ...START, ...part });
  const one = path.find((point) => point.at.length) || path[0],
    most = path.at(-1);
  const best = modelAt(START.C),
    scores = scoresAt(START.C);
  let worst = 0;
  images.forEach((image, i) => {
    if (isRight(image, scores[i])) return;
    if (isRight(images[worst], scores[worst]) || Math.abs(scores[i]) > Math.abs(scores[worst])) {
      worst = i;
    }
  });
  const pixels = one.at.length === 1 ? "One pixel" : `${one.at.length} pixels`;
  const { index, label } = images[worst];
  const cases = [
    [
      pixels,
      at({ C: one.C }),
      "weights-part",
      `At C = ${nameC(one.C)} no other takes part, and ${percent(one.test)} of the test images ` +
        "are right. Where does the model look?",
    ],
    [
      "The trained C",
      at({}),
      "weights-part",
      `${counted(best.nonzero, "weight")}, ${percent(best.test)} of the test images right. ` +
        "Where does it lie on the curves?",
    ],
    [
      "Too many",
      at({ C: most.C, pinned: START.C }),
      "compare",
      `At C = ${nameC(most.C)} the model has ${counted(most.nonzero, "weight")}; of the ` +
        `training images ${percent(most.train)} are right, of the test images ` +
        `${percent(most.test)}. Which weights are new?`,
    ],
    [
      "The worst mistake",
      at({ filter: "wrong", image: index }),
      "images",
      `Test image ${grouped(index)} is ${withArticle(label)}, and scores ` +
        `${signed(scores[worst], 1)}. Which pixels mislead the model?`,
    ],
    [
      `Draw a ${data.classes.includes("1") ? 0 : 1}`,
      at({}),
      "draw",
      `Or a heart: whatever you draw, the model says ${first} or ${second}; it knows no other ` +
        "answer.",
    ],
  ];
  if (isRight(images[worst], scores[worst])) cases.splice(3, 1); // no mistake at all
  byId("try").append(
    ...cases.map(([name, href, to, sentence]) => {
      const link = element("a", { href }, name);
      link.addEventListener("click", () => setTimeout(goTo, 0, to)); // once the state is shown
      return element("li", {}, link, `. ${sentence}`);
    }),
  );
}
