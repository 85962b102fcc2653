"""The page of `dvc plots show` without a network: `python -m tools.plots_page`.

DVC's own page loads Vega from the internet. This builds one that carries Vega, out of an installed
package, and points DVC to it in .dvc/config.local. Without it, DVC works as it does by default.

DVC fills the page with one div for each plot: charts in its order, then pictures under their
paths. The page's script puts the plots into our order, each under a heading, the revisions of a
picture beside each other, and lays out the charts to fit the window.
"""

import json
from pathlib import Path

import vl_convert

from tools.programs import dvc

VEGA_LITE = "6.4"  # reads what versions 5 and 6 specify
# The order of the plots by their divs' ids. Of a picture: its heading, and what to say to those who
# do not see it; a chart brings its own title.
PLOTS = {
    "plots_weights_png": ["The weights, as a picture", "Heatmap of the weights of the pixels"],
    "plots_weights_csv": None,
    "plots_stability_png": [
        "How often each pixel is chosen",
        "Map of the pixels by the share of bootstrap samples in which their weight is not 0",
    ],
    "plots_path_csv": None,
    "plots_path_png": [
        "The weights along the path",
        "Heatmaps of the weights at twelve values of C",
    ],
    "plots_entry_png": [
        "The order in which pixels begin to count",
        "Map of the C at which each pixel's weight is not 0 for the first time",
    ],
    "plots_validation_curve_csv": None,
    "plots_validation_curve_png": [
        "The choice of C, by cross-validation",
        "Curves of accuracy and of the number of weights over the values of C searched",
    ],
    "plots_confusion_csv": None,
    "plots_scores_csv": None,
    "plots_roc_csv": None,
    "plots_precision_recall_csv": None,
    "plots_mistakes_png": [
        "The worst mistakes",
        "Test images with the wrong answers of the largest scores, each beside its contributions",
    ],
    "plots_uncertain_png": [
        "The least certain answers",
        "Test images with the scores nearest to 0, each beside its contributions",
    ],
}
SCRIPT = """
const charts = new Map(); // what DVC wants drawn, by the id of its div
window.vegaEmbed = (at, spec) => charts.set(at.slice(1), spec);

// DVC leaves channels that it has no use for as {}, and templates name another Vega-Lite: a
// warning each.
function tidy(spec) {
  delete spec.$schema;
  for (const [key, value] of Object.entries(spec)) {
    if (value === null || typeof value !== "object") continue;
    if (!Array.isArray(value) && Object.keys(value).length === 0) delete spec[key];
    else if (key !== "values") tidy(value);
  }
  return spec;
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

// DVC begins with the workspace; here what came before stands on the left.
const byAge = (one, other) => (one === "workspace") - (other === "workspace");

// The div of a picture, with an image for each revision: images in a row.
function row(div, alternative) {
  const revisionOf = (image) => image.parentElement.querySelector("p").textContent;
  const images = [...div.querySelectorAll("img")];
  images.sort((one, other) => byAge(revisionOf(one), revisionOf(other)));
  const figures = images.map((image) => {
    const revision = revisionOf(image);
    image.alt = `${alternative}, ${revision}`;
    const [figure, link] = [element("figure"), element("a")];
    link.href = image.src; // in full size
    link.append(image);
    figure.append(element("figcaption", revision), link);
    return figure;
  });
  div.removeAttribute("style");
  div.className = "pictures";
  div.replaceChildren(...figures);
}

function arrange(main) {
  const order = Object.keys(PLOTS);
  const place = ({ id }) => (order.includes(id) ? order.indexOf(id) : order.length);
  const divs = [...main.querySelectorAll(":scope > div[id]")];
  for (const div of divs.sort((one, other) => place(one) - place(other))) {
    const [section, spec] = [element("section"), charts.get(div.id)];
    section.className = div.id;
    if (spec) {
      const { text, subtitle = "" } = spec.title ?? {};
      section.append(element("h2", text || div.id), element("p", subtitle), div);
      delete spec.title;
    } else {
      const path = div.querySelector("p").textContent;
      const [heading, alternative] = PLOTS[div.id] ?? [path, path];
      row(div, alternative);
      section.append(element("h2", heading), div);
    }
    main.append(section);
  }
  const said = [...main.querySelectorAll("figcaption")].map((caption) => caption.textContent);
  const drawn = [...charts.values()].flatMap((spec) => spec.data.values.map(({ rev }) => rev));
  const revisions = [...new Set([...drawn, ...said])];
  if (revisions.length) {
    document.title = `Plots: ${new Intl.ListFormat("en-GB").format(revisions)}`;
    main.querySelector("h1").textContent = document.title;
  }
}

const LOOK = {
  font: "system-ui, sans-serif",
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", gridOpacity: 0.6 },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
};

// A chart of at most `room` pixels: smaller panels, then fewer in a row; in little room, the
// legend below.
function fitted({ ...spec }, room) {
  const little = room < 600;
  const legend = { ...LOOK.legend, ...spec.config?.legend };
  if (little) {
    const direction = legend.gradientLength ? "horizontal" : "vertical";
    const layout = { bottom: { anchor: "start", direction: "vertical" } }; // one below the other
    Object.assign(legend, { orient: "bottom", direction, titleOrient: "top", layout });
    const across = { gradientLength: room - 40, labelFontSize: 10 };
    if (legend.gradientLength) Object.assign(legend, across);
  }
  const sides = (name) => 1 + Math.max(...spec.data.values.map((value) => Number(value[name])));
  const ratio = spec.usermeta?.pixels ? sides("row") / sides("column") : 1;
  const resize = (panel, width) => {
    if (!(panel.width > 0)) return panel;
    const size = Math.floor(Math.min(panel.width / Math.max(ratio, 1), width));
    const height = panel.height === panel.width ? Math.round(size * ratio) : panel.height;
    return { ...panel, width: size, height };
  };
  if (spec.facet && spec.columns) {
    const revisions = new Set(spec.data.values.map(({ rev }) => rev)).size;
    const axes = spec.resolve ? 65 : 20; // of each panel, or of the first one only
    const beside = room - (spec.resolve ? 0 : 60) - (little || spec.columns === 1 ? 0 : 75);
    const panels = spec.usermeta?.difference && revisions === 2 ? 3 : revisions;
    spec.columns = Math.min(spec.columns, panels, Math.max(1, Math.floor(beside / 200)));
    spec.spec = resize(spec.spec, beside / spec.columns - axes);
    if (legend.gradientLength && !little) legend.gradientLength = spec.spec.height;
  } else if (spec.vconcat) spec.vconcat = spec.vconcat.map((panel) => resize(panel, room - 85));
  else spec = resize(spec, room - 65);
  return { ...spec, config: { ...LOOK, legend } };
}

document.addEventListener("DOMContentLoaded", () => {
  const main = document.querySelector("main");
  for (const spec of charts.values()) {
    tidy(spec).data.values.sort((one, other) => byAge(one.rev, other.rev));
  }
  arrange(main);
  let width;
  const draw = () => {
    if (main.clientWidth === width) return;
    width = main.clientWidth;
    for (const [id, spec] of charts) {
      const div = document.getElementById(id);
      const actions = { export: true, source: false, compiled: false, editor: false };
      const options = { mode: "vega-lite", actions };
      vegaEmbed(div, fitted(spec, div.parentElement.clientWidth), options).then(() => {
        div.querySelector("summary").ariaLabel = "Save this chart";
      });
    }
  };
  draw();
  addEventListener("resize", draw);
});
"""
PAGE = Path(".dvc/plots_page.html")
STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #202124 }
body { margin: 0; background: #fff }
main { max-width: 78rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; break-after: avoid }
section { border-top: 1px solid #dadce0; padding: 1rem 0 1.5rem; break-inside: avoid }
section > p { color: #5f6368; margin: -.25rem 0 .5rem; max-width: 46rem; break-after: avoid }
section > p:empty { display: none }
.pictures { display: grid; gap: 1rem }
.pictures { grid-template-columns: repeat(auto-fit, minmax(max(min(100%, 14rem), 30%), 1fr)) }
figure { margin: 0; max-width: 46rem }
figcaption { font-weight: 600; overflow-wrap: anywhere }
img { display: block; width: 100%; height: auto }
div.vega-embed.has-actions { display: inline-block; padding: 0; max-width: 100% }
.vega-embed svg.marks { display: block; max-width: 100%; height: auto }
.vega-embed .mark-rect path { shape-rendering: crispEdges }
@media (max-width: 600px) { .vega-embed details { display: none } }
@media print, (min-width: 1000px) {
  main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 2rem }
  h1, section { grid-column: span 2 }
  .plots_roc_csv, .plots_precision_recall_csv { grid-column: span 1 }
}
@page { size: A4 landscape; margin: 10mm }
@media print {
  main { max-width: none; margin: 0; padding: 0 }
  img, .vega-embed svg.marks { max-height: 140mm; object-fit: contain; object-position: left }
  .vega-embed details { display: none }
}
"""


def page() -> str:
    """The template that DVC fills: our style, the scripts inline, its own places kept."""
    plots = f"const PLOTS = {json.dumps(PLOTS, ensure_ascii=False)};\n"
    scripts = vl_convert.javascript_bundle(plots + SCRIPT, VEGA_LITE)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{{refresh_tag}}\n<title>Plots</title>\n<style>{STYLE}</style>\n"
        f"<script>{scripts}</script>\n</head>\n<body>\n<main>\n<h1>Plots</h1>\n{{plot_divs}}\n"
        "</main>\n</body>\n</html>\n"
    )


def main() -> None:
    """Build the page, and point DVC to it."""
    PAGE.write_text(page(), encoding="utf-8")
    dvc("config", "--local", "plots.html_template", PAGE.name).check_returncode()


if __name__ == "__main__":
    main()
