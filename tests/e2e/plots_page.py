"""What is in the project's results, and in the page that `dvc plots` draws of them."""

import csv
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.graph import plots

TABLES, PICTURES = plots(".csv"), plots(".png")
PLOTS = sorted(TABLES + PICTURES)

WIDTHS = [1300, 768, 360]  # pixels: of a screen, a tablet, a phone
NEGATIVE, POSITIVE, ZERO = "#B2182B", "#2166AC", "#C9CBCE"
REVISIONS = ["#00796B", "#B26A00", "#6D4C41"]


def confusion(project: Path) -> dict[tuple[str, str], int]:
    """plots/confusion.csv: the number of images by actual and predicted digit, in its order."""
    with (project / "plots/confusion.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {(row["actual"], row["predicted"]): int(row["images"]) for row in rows}


def open_page(page: Page, project: Path, width: int = WIDTHS[0]) -> None:
    """What `dvc plots` wrote, in a window of `width`, once every chart is drawn."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((project / "dvc_plots/index.html").as_uri())
    expect(page.locator("svg.marks")).to_have_count(len(TABLES))
    expect(page.locator("summary[aria-label]")).to_have_count(len(TABLES))


def assert_all_is_drawn(
    page: Page, project: Path, revisions: list[str], widths: list[int] = WIDTHS
) -> None:
    """Every table as a chart that is not empty, every picture loaded and named, at any width."""
    named = " and ".join(revisions) if len(revisions) < 3 else "{}, {} and {}".format(*revisions)
    for width in widths:
        open_page(page, project, width)
        assert page.title() == page.locator("main h1").inner_text() == f"Plots: {named}"
        charts = page.locator("svg.marks")
        for chart in charts.all():
            box = chart.bounding_box()
            assert min(box["width"], box["height"]) > 150
            assert box["x"] + box["width"] <= width
            assert box["width"] > 0.85 * float(chart.get_attribute("width"))  # readable
            assert chart.locator("path[d]").count() > 4
            assert chart.locator("text").count() > 4
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_nothing_is_cut(page)
        rows = page.locator(".pictures")
        assert rows.count() == len(PICTURES)
        for row in rows.all():
            assert row.locator("figcaption").all_inner_texts() == revisions
            images = row.locator("img").all()
            for image, revision in zip(images, revisions, strict=True):
                assert image.evaluate("image => image.naturalWidth") > 900
                assert re.fullmatch(rf"[A-Z][a-z].+, {revision}", image.get_attribute("alt"))
            boxes = [image.bounding_box() for image in images]
            assert max(box["x"] + box["width"] for box in boxes) <= width
            tops = [box["y"] for box in boxes]
            assert tops == ([tops[0]] * len(tops) if width > 360 else sorted(set(tops)))
        if width == 360:
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def assert_nothing_is_cut(page: Page) -> None:
    """All that a chart draws of its data lies inside its panel."""
    outside = page.evaluate(
        """() => {
          const marks = ["symbol", "line", "rect", "rule"].map((m) => `.mark-${m}.role-mark path`);
          const found = [...document.querySelectorAll([...marks, ".role-mark line"].join())];
          return found.filter((mark) => {
            const group = mark.closest(".role-mark").parentElement.parentElement;
            const panel = group.querySelector(":scope > .background").getBoundingClientRect();
            const { left, right, top, bottom } = mark.getBoundingClientRect();
            const far = 6; // half of a large point
            return left < panel.left - far || right > panel.right + far
              || top < panel.top - far || bottom > panel.bottom + far;
          }).map((mark) => mark.outerHTML);
        }"""
    )
    assert outside == []
    assert page.locator("svg.marks [clip-path]").count() == 0


def texts(page: Page, table: str) -> list[str]:
    """What a chart says, line by line, in the order of drawing."""
    chart = page.locator(f"div[id*={table}] svg.marks")
    return chart.locator("text:not(:has(tspan)), tspan").all_text_contents()


def marks(page: Page, table: str, kind: str) -> list[dict[str, str]]:
    """A chart's rectangles, lines, symbols or rules: what they say of themselves, and their look.

    "name" is the label; of a label like "C: 0.2; images: test", these are items of their own too.
    """
    found = page.locator(f"div[id*={table}] svg.marks .mark-{kind}.role-mark > *").evaluate_all(
        """all => all.map((mark) => {
          const { fill, stroke, strokeDasharray, opacity } = getComputedStyle(mark);
          return { name: mark.ariaLabel ?? "", fill, stroke, strokeDasharray, opacity };
        })"""
    )
    parts = r"([^:;]+): ([^;]+)(?:; |$)"
    return [dict(re.findall(parts, mark["name"])) | mark for mark in found]


def hexed(colour: str) -> str:
    """ "rgb(1, 2, 3)", as browsers have it, as "#010203"."""
    return "#{:02X}{:02X}{:02X}".format(*map(int, re.findall(r"\d+", colour)))


def weights_drawn(page: Page) -> dict[tuple[str, int, int], tuple[float, str]]:
    """The weights chart's values and colours by panel, row and column."""
    drawn = {}
    for mark in marks(page, "weights", "rect"):
        says = re.fullmatch(r"(.+), row (\d+), column (\d+): \w+ (\S+)", mark["name"])
        panel, row, column, value = says.groups()
        number = float(value.replace("−", "-"))  # Vega writes a minus sign
        drawn[panel, int(row), int(column)] = (number, hexed(mark["fill"]))
    return drawn
