// The chosen image: its ink, weight × ink, the sum that is its score.

/* What shows in an element how a score comes about, of a model and pixels, followed by `more` words
   on the score; it gives the score. */
function scoreSum(target) {
  const rows = [
    [`Pixels for ${withArticle(first)}`, "negative"],
    [`Pixels for ${withArticle(second)}`, "positive"],
    ["Bias", ""],
    ["Score", ""],
  ];
  const values = rows.map(() => element("td"));
  const table = element(
    "table",
    { class: "sum" },
    element(
      "tbody",
      {},
      ...rows.map(([name, style], k) =>
        element("tr", {}, element("th", { scope: "row", class: style }, name), values[k]),
      ),
    ),
  );
  const verdict = element("p", { class: "verdict number" }),
    { figure, show } = histogram();
  return (model, pixels, more = () => "") => {
    if (!table.isConnected) target.replaceChildren(table, verdict, figure);
    const total = score(model, pixels);
    let negative = 0,
      positive = 0;
    for (const value of contributions(model, pixels)) {
      if (value < 0) negative += value;
      else positive += value;
    }
    [negative, positive, model.bias, total].forEach((value, k) => write(values[k], signed(value)));
    write(verdict, `${signed(total)}: reads ${withArticle(reads(total))}${more(total)}`);
    show(model.C, total);
    return total;
  };
}

const chosenImage = ({ image }) => imageOf.get(image);

function describeImage(now) {
  const { index, label, pixels } = chosenImage(now),
    total = score(modelAt(now.C), pixels);
  return (
    `Test image ${index}, ${withArticle(label)}: score ${signed(total)}, reads ` +
    withArticle(reads(total))
  );
}

const showChosenSum = scoreSum(byId("selected-sum"));
view((now, before) => {
  if (before && now.C === before.C && now.image === before.image) return;
  const { index, label, pixels } = chosenImage(now),
    model = modelAt(now.C);
  byId("selected-title").textContent = `Test image ${index}: ${withArticle(label)}`;
  paintInk(byId("selected-image"), pixels);
  byId("selected-image").setAttribute("aria-label", `Test image ${index}, ${withArticle(label)}`);
  showChosenSum(model, pixels, (total) =>
    isRight(chosenImage(now), total) ? ", right" : ", wrong",
  );
  paintContributions(byId("selected-map"), model, pixels);
}, byId("selected"));
