// The chosen image: its ink, weight × ink, the sum that is its score.

/* Shows how the pixels' score comes about. */
function showSum(target, model, pixels) {
  const total = score(model, pixels);
  let negative = 0, positive = 0;
  for (const value of contributions(model, pixels)) {
    if (value < 0) negative += value;
    else positive += value;
  }
  const row = (name, value, style) => element("tr", {},
    element("th", { scope: "row", class: style }, name), element("td", {}, signed(value)));
  const table = element("table", { class: "sum" }, element("tbody", {},
    row(`Pixels for ${withArticle(first)}`, negative, "negative"),
    row(`Pixels for ${withArticle(second)}`, positive, "positive"),
    row("Bias", model.bias, ""), row("Score", total, "")));
  const end = (onScale(total / 2) + 1) * 50; // scores reach further than weights
  const bar = element("i", {});
  bar.style.left = `${Math.min(end, 50)}%`;
  bar.style.width = `${Math.abs(end - 50)}%`;
  bar.style.background = total > 0 ? "var(--positive)" : "var(--negative)";
  target.replaceChildren(table,
    element("div", { class: "meter", "aria-hidden": "true" }, bar),
    element("div", { class: "ends", "aria-hidden": "true" },
      element("span", {}, `← ${withArticle(first)}`), element("span", {}, `${withArticle(second)} →`)),
    element("p", { class: "verdict number" }, `${signed(total)}: reads ${withArticle(reads(total))}`));
  return total;
}

const chosenImage = ({ image }) => imageOf.get(image);

function describeImage(now) {
  const { index, label, pixels } = chosenImage(now), total = score(modelAt(now.C), pixels);
  return `Test image ${index}, ${withArticle(label)}: score ${signed(total)}, reads ` +
    withArticle(reads(total));
}

view((now, before) => {
  if (before && now.C === before.C && now.image === before.image) return;
  const { index, label, pixels } = chosenImage(now), model = modelAt(now.C);
  byId("selected-title").textContent = `Test image ${index}: ${withArticle(label)}`;
  paintInk(byId("selected-image"), pixels);
  byId("selected-image").setAttribute("aria-label", `Test image ${index}, ${withArticle(label)}`);
  const total = showSum(byId("selected-sum"), model, pixels);
  paintContributions(byId("selected-map"), model, pixels);
  byId("selected-sum").lastChild.append(isRight(chosenImage(now), total) ? ", right" : ", wrong");
}, byId("selected"));
