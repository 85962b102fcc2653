"""The page of all plots in a real Chromium: all is drawn, nothing is cut."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import AsinhNorm, to_rgb
from playwright.sync_api import Page

from tests.e2e.conftest import Run
from tests.e2e.plots_page import (
    PLOTS,
    ZERO,
    assert_all_is_drawn,
    assert_nothing_is_cut,
    confusion,
    open_page,
    texts,
    weights_drawn,
)

ARTICLE = True


def test_plots_show_has_every_plot(project: Path, run: Run) -> None:
    shown = json.loads(run("dvc", "plots", "show", "--json").stdout)
    assert not shown.get("errors")
    assert sorted(Path(name).name for name in shown["data"]) == PLOTS
    run("dvc", "plots", "show")
    text = (project / "dvc_plots/index.html").read_text()
    for name in PLOTS:
        assert name in text or name.replace(".csv", "_csv") in text


def test_the_page_of_all_plots_needs_no_network(project: Path, run: Run, page: Page) -> None:
    run("python", "-m", "tools.plots_page")
    run("dvc", "plots", "show")
    assert_all_is_drawn(page, project, ["workspace"])
    headings = page.locator("h2").all_inner_texts()
    assert len(headings) == len(PLOTS)
    assert headings[:2] == ["The weights, as a picture", "The weights of the pixels"]
    assert not re.search("plots/|csv|png|boundary", " ".join(headings))
    counts = [str(images) for images in confusion(project).values()]
    assert [text for text in texts(page, "confusion") if text in counts] == counts
    assert "workspace (positive class: 8)" in texts(page, "roc")
    assert "workspace (positive class: 8)" in texts(page, "precision_recall")
    assert "red is 5, blue is 8; above 0 the model says 8" in texts(page, "scores")
    assert "red speaks for 5, blue for 8" in texts(page, "weights")
    assert "workspace, trained at C = 0.2" in texts(page, "path")
    assert "workspace, best C = 0.2, sparsest 0.1" in texts(page, "validation_curve")
    said = page.locator("section", has=page.locator("div[id*=weights]")).all_inner_texts()
    assert not re.search("difference|minus|outlined|only here", " ".join(said))
    assert run("git", "status", "--porcelain").stdout == ""


@pytest.fixture
def table(project: Path, run: Run):
    """Draw a table of plots/ with other values; it is put back at once."""

    def draw(name: str, change: Callable[[list[dict]], None]) -> None:
        file = project / "plots" / name
        before = file.read_text()
        rows = list(csv.DictReader(before.splitlines()))
        change(rows)
        with file.open("w") as changed:
            writer = csv.DictWriter(changed, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        run("dvc", "plots", "show")
        file.write_text(before)

    return draw


def test_a_weight_has_the_shade_of_the_picture(project: Path, page: Page, table) -> None:
    weights = np.append(np.linspace(-3, 3, 600), np.geomspace(1e-6, 1, 183) ** 2)
    weights = np.insert(weights, 0, 0).round(6)  # DVC's page says six decimals

    def change(rows: list[dict]) -> None:
        for row, weight in zip(rows, weights, strict=True):
            row["weight"] = weight

    table("weights.csv", change)
    open_page(page, project)
    drawn = weights_drawn(page)
    assert len(drawn) == 784
    norm, shades = AsinhNorm(0.1, -2, 2), colormaps["RdBu"]
    for at, weight in enumerate(weights):
        value, colour = drawn["workspace", at // 28, at % 28]
        assert value == pytest.approx(weight, abs=1e-9)
        if weight == 0:
            assert colour == ZERO
        else:
            wanted = np.array(shades(norm(weight))[:3])
            assert np.abs(np.array(to_rgb(colour)) - wanted).max() <= 2 / 255, weight
    ticks = ["−1", "−0.5", "−0.2", "−0.1", "0", "0.1", "0.2", "0.5", "1"]
    assert set(texts(page, "weights")) >= {*ticks, "≤ −2", "≥ 2"}


def test_a_path_from_far_below_is_all_there(project: Path, page: Page, table) -> None:
    def change(rows: list[dict]) -> None:
        for row, accuracy in zip(rows, [0.489, 0.489, 0.62], strict=False):
            row["train_accuracy"] = row["test_accuracy"] = accuracy

    table("path.csv", change)
    open_page(page, project)
    assert_nothing_is_cut(page)


def test_low_scores_are_all_there_and_two_kinds_of_score_are_told_apart(
    project: Path, page: Page, table
) -> None:
    def change(rows: list[dict]) -> None:
        rows[0] |= {"mean_test_score": -0.1, "std_test_score": 0.2, "scoring": "f1"}

    table("validation_curve.csv", change)
    open_page(page, project)
    assert_nothing_is_cut(page)
    said = {text for text in texts(page, "validation_curve") if "best" in text}
    assert said == {
        f"workspace ({name}), best C = 0.2, sparsest 0.1" for name in ("f1", "accuracy")
    }


def test_printed_no_plot_is_cut(project: Path, page: Page) -> None:
    open_page(page, project)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1047, "height": 718})  # A4 across, less the margins
    for section in page.locator("section").all():
        assert section.evaluate("section => getComputedStyle(section).breakInside") == "avoid"
        assert section.bounding_box()["height"] < 718
