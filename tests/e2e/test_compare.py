"""Change a value, see what it did: metrics, plots, the page of two revisions."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from playwright.sync_api import Page

from tests.e2e.conftest import Computed, Run, change, copy_of, metrics, runner, stages_run
from tests.e2e.plots_page import (
    NEGATIVE,
    PLOTS,
    POSITIVE,
    REVISIONS,
    ZERO,
    assert_all_is_drawn,
    confusion,
    hexed,
    marks,
    open_page,
    texts,
    weights_drawn,
)
from tests.graph import STAGES

BEST_C, OTHER_C = 0.1, 0.05  # the small project's, and the only one of another search


@pytest.fixture(scope="module")
def project(small: Computed, command_environment, tmp_path_factory) -> Path:
    """A search of one C in the work tree, beside what is committed; the page of both is drawn."""
    project = copy_of(small[0], tmp_path_factory)
    run = runner(project, command_environment)
    change(project / "params.yaml", gridsearch={"C": [OTHER_C]})
    assert stages_run(run("dvc", "repro")) == list(STAGES)[3:]
    run("python", "-m", "tools.plots_page")
    run("dvc", "plots", "diff")
    return project


def test_the_tables_of_dvc_say_what_a_search_of_one_c_did(run: Run) -> None:
    changed = json.loads(run("dvc", "params", "diff", "--json").stdout)["params.yaml"]
    assert changed == {"gridsearch.C": {"old": "[0.02, 0.05, 0.1]", "new": f"[{OTHER_C}]"}}

    diff = json.loads(run("dvc", "metrics", "diff", "--json").stdout)
    best = diff["metrics/gridsearch.json"]["best.C"]
    assert (best["old"], best["new"]) == (BEST_C, OTHER_C)
    zero = diff["metrics/interpret.json"]["weights.zero"]
    assert zero["diff"] == zero["new"] - zero["old"] > 0  # a smaller C makes more weights zero
    test = diff["metrics/evaluate.json"]["test.accuracy"]
    assert test["diff"] == pytest.approx(test["new"] - test["old"])

    shown = json.loads(run("dvc", "plots", "diff", "--json").stdout)
    assert not shown.get("errors")
    for name in PLOTS:
        revisions = {entry["revisions"][0] for entry in shown["data"][f"plots/{name}"]}
        assert revisions >= {"HEAD", "workspace"} or name.endswith(".csv")


def test_two_revisions_side_by_side_need_no_network(project: Path, run: Run, page: Page) -> None:
    assert_all_is_drawn(page, project, ["HEAD", "workspace"], [1300, 360])
    open_page(page, project)
    old, new = weights_of("HEAD", run), weights_of("workspace", run)
    drawn = weights_drawn(page)
    assert len(drawn) == 3 * 784
    shown = {
        at: value
        for (panel, *at), (value, _) in drawn.items()
        if panel == "workspace minus HEAD"
        for at in [tuple(at)]
    }
    assert shown == pytest.approx({at: new[at] - old[at] for at in old}, abs=1e-6)
    said = texts(page, "weights")
    assert "red: more for 5, blue: for 8" in said
    for weights, others in ((old, new), (new, old)):
        only = sum(weights[at] != 0 and others[at] == 0 for at in weights)
        assert (f"outlined: {only} used only here" if only else "no pixel used only here") in said
    outlined = [mark for mark in marks(page, "weights", "rect") if mark["stroke"] != "none"]
    assert len(outlined) == sum((old[at] != 0) != (new[at] != 0) for at in old)
    colours = {at: drawn["workspace minus HEAD", *at][1] for at in shown}
    for extreme, red in ((min, True), (max, False)):
        shade = to_rgb(colours[extreme(shown, key=shown.get)])
        assert (shade[0] > shade[2]) == red
    assert colours[next(at for at in shown if shown[at] == 0)] == ZERO


def test_the_path_marks_the_c_of_each_revision(project: Path, page: Page) -> None:
    open_page(page, project)
    said = texts(page, "path")
    named = {
        f"HEAD, trained at C = {BEST_C}": str(BEST_C),
        f"workspace, trained at C = {OTHER_C}": str(OTHER_C),
    }
    assert [text for text in said if "trained" in text] == list(named)
    points = [mark for mark in marks(page, "path", "symbol") if mark["opacity"] == "1"]
    rules = marks(page, "path", "rule")
    lines = marks(page, "path", "line")
    assert {mark["strokeDasharray"] for mark in lines} == {"5px, 3px", "1px, 0px", "none"}
    for (name, C), colour in zip(named.items(), REVISIONS, strict=False):
        ours = [mark for mark in points if hexed(mark["fill"]) == colour]
        assert len(ours) == 2 + 1 + 1  # train and test, weights, objective
        assert {mark["C"] for mark in ours} == {C}
        assert {mark["revision"] for mark in ours} == {name}
        assert sum(hexed(mark["stroke"]) == colour for mark in rules) == 3
        assert sum(hexed(mark["stroke"]) == colour for mark in lines) == 4


def test_the_validation_curve_has_every_c_and_the_choice_of_each_revision(
    project: Path, run: Run, page: Page
) -> None:
    open_page(page, project)
    said = texts(page, "validation_curve")
    (sparsest,) = [
        row["C"] for row in rows_of("HEAD", "validation_curve", run) if row["sparsest"] == "1"
    ]
    names = [
        f"HEAD, best C = {BEST_C}, "
        + ("also sparsest" if sparsest == str(BEST_C) else f"sparsest {sparsest}"),
        f"workspace, best C = {OTHER_C}, also sparsest",
    ]
    assert [text for text in said if "best" in text] == names
    assert {"train folds", "held-out fold", "score", "non-zero weights"} <= set(said)
    symbols, lines, areas, rules = (
        marks(page, "validation_curve", kind) for kind in ("symbol", "line", "area", "rule")
    )
    for revision, name, colour in zip(("HEAD", "workspace"), names, REVISIONS, strict=False):
        every_row = rows_of(revision, "validation_curve", run)
        rows = [row for row in every_row if row["kind"] == "grid"]
        ours = [mark for mark in symbols if hexed(mark["fill"]) == colour]
        assert {mark["revision"] for mark in ours} == {name}
        points = {(mark["C"], mark.get("images")): mark for mark in ours}
        assert len(ours) == len(points) == 3 * len(rows)
        bands = [mark for mark in areas if hexed(mark["fill"]) == colour]
        of_curve = [mark for mark in lines if hexed(mark["stroke"]) == colour]
        bars = {(mark["C"], mark["images"]) for mark in of_curve if mark["opacity"] != "1"}
        assert bars == {(row["C"], band["images"]) for row in rows for band in bands}
        for row in rows:
            weights = float(points[row["C"], None]["non-zero weights"])
            assert weights == pytest.approx(float(row["mean_nonzero"]))
            for band, part in zip(bands, ("train", "test"), strict=True):
                mean, std = (float(row[f"{of}_{part}_score"]) for of in ("mean", "std"))
                point = points[row["C"], band["images"]]
                assert float(point["score"]) == pytest.approx(mean)
                assert float(point["standard deviation"]) == pytest.approx(std)
                if row is rows[0]:  # an area says where it begins
                    ends = [float(band[end]) for end in ("score", "high")]
                    assert ends == pytest.approx([mean - std, mean + std])
        upright = {
            (mark["strokeDasharray"], mark["C"])
            for mark in rules
            if hexed(mark["stroke"]) == colour and mark["opacity"] != "0"
        }
        best, sparsest = (
            next(row["C"] for row in rows if row[which] == "1") for which in ("best", "sparsest")
        )
        expected = {("8px, 3px, 1px, 3px", best)}
        assert upright == expected | ({("1px, 3px", sparsest)} if sparsest != best else set())


def rows_of(revision: str, table: str, run: Run) -> list[dict[str, str]]:
    """The rows of a table of plots/, as it is in a revision."""
    file = f"plots/{table}.csv"
    command = ["cat", file] if revision == "workspace" else ["git", "show", f"{revision}:{file}"]
    return list(csv.DictReader(run(*command).stdout.splitlines()))


def weights_of(revision: str, run: Run) -> dict[tuple[int, int], float]:
    """plots/weights.csv of a revision, by row and column."""
    return {
        (int(row["row"]), int(row["column"])): float(row["weight"])
        for row in rows_of(revision, "weights", run)
    }


@pytest.fixture
def again(run: Run) -> Iterator[None]:
    """The page of the two revisions, drawn again when the test is over."""
    yield
    run("dvc", "plots", "diff")


@pytest.mark.usefixtures("again")
@pytest.mark.long
def test_three_revisions_have_no_difference(project: Path, run: Run, page: Page) -> None:
    run("dvc", "plots", "diff", "HEAD~1", "HEAD", "workspace")
    assert_all_is_drawn(page, project, ["HEAD~1", "HEAD", "workspace"], [1300])
    assert not re.search("difference|minus|only here", " ".join(texts(page, "weights")))
    for table in ("validation_curve", "path", "roc", "precision_recall"):
        lines = marks(page, table, "line")
        assert list(dict.fromkeys(hexed(mark["stroke"]) for mark in lines)) == REVISIONS


@pytest.fixture
def other(small: Computed, command_environment, tmp_path_factory) -> tuple[Path, Run]:
    """Another copy of the small project."""
    project = copy_of(small[0], tmp_path_factory)
    return project, runner(project, command_environment)


@pytest.mark.long
def test_other_digits_in_the_other_order_have_colours_by_role(other, page: Page) -> None:
    project, run = other
    change(project / "params.yaml", filter_5_8={"classes": [4, 1]}, gridsearch={"C": [OTHER_C]})
    run("dvc", "repro")
    assert metrics(project, "evaluate")["test"]["accuracy"] > 0.9
    assert list(confusion(project)) == [("4", "4"), ("4", "1"), ("1", "4"), ("1", "1")]
    run("python", "-m", "tools.plots_page")
    run("dvc", "plots", "diff")
    open_page(page, project)
    said = texts(page, "scores")
    assert {"negative class", "positive class"} <= set(said)
    named = [text for text in said if text.startswith("red is")]
    assert named == [
        "red is 5, blue is 8; above 0 the model says 8",
        "red is 4, blue is 1; above 0 the model says 1",
    ]
    colours = {(m["class of the image"], hexed(m["fill"])) for m in marks(page, "scores", "rect")}
    assert colours == {("5", NEGATIVE), ("8", POSITIVE), ("4", NEGATIVE), ("1", POSITIVE)}
    assert "red speaks for 4, blue for 1" in texts(page, "weights")
    assert not re.search("difference|minus", " ".join(texts(page, "weights")))
    assert "workspace (positive class: 1)" in texts(page, "roc")
    axes = page.locator("div[id*=confusion] .role-axis-label text").all_text_contents()
    assert sorted(axes) == sorted("5858" "4141")  # fmt: skip
