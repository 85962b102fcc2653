"""The page of `dvc plots show` without a network: `python -m tools.plots_page`.

DVC's own page loads Vega from the internet. This builds one that carries Vega, out of an installed
package, and points DVC to it in .dvc/config.local. Without it, DVC works as it does by default.
"""

import subprocess
import sys
from pathlib import Path

import vl_convert

VEGA_LITE = "6.4"  # reads what versions 5 and 6 specify
# DVC leaves channels that it has no use for as {}, and templates name Vega-Lite 5: a warning each.
SNIPPET = """
function tidy(spec) {
  for (const [key, value] of Object.entries(spec)) {
    if (value === null || typeof value !== "object") continue;
    if (!Array.isArray(value) && Object.keys(value).length === 0) delete spec[key];
    else if (key !== "values") tidy(value);
  }
  return spec;
}
window.vegaEmbed = (at, { $schema, ...spec }) => vegaEmbed(at, tidy(spec), { mode: "vega-lite" });
"""
PAGE = Path(".dvc/plots_page.html")
STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #202124 }
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem; background: #fff }
h1 { font-size: 1.4rem }
table { border-spacing: 1rem; margin: 0 -1rem }
td { vertical-align: top }
img { max-width: 100%; height: auto }
body > div { margin: 1rem 0; padding-top: 1rem; vertical-align: top; overflow-x: auto }
body > div { border-top: 1px solid #dadce0 }
"""


def page() -> str:
    """The template that DVC fills: our style, the scripts inline, its own places kept."""
    scripts = vl_convert.javascript_bundle(SNIPPET, VEGA_LITE)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{{refresh_tag}}\n<title>Plots</title>\n<style>{STYLE}</style>\n"
        f"<script>{scripts}</script>\n</head>\n<body>\n<h1>Plots</h1>\n{{plot_divs}}\n"
        "</body>\n</html>\n"
    )


def main() -> None:
    """Build the page, and point DVC to it."""
    PAGE.write_text(page(), encoding="utf-8")
    setting = ["config", "--local", "plots.html_template", PAGE.name]
    subprocess.run([sys.executable, "-m", "dvc", *setting], check=True)


if __name__ == "__main__":
    main()
