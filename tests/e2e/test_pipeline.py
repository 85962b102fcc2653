"""The real graph through the real `dvc`: reproduce, change a value, compare. In file order."""

import csv
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib import colormaps
from matplotlib.colors import AsinhNorm, to_rgb
from playwright.sync_api import Page, expect

from pipeline.datasets import DATASETS
from tests.e2e.conftest import Run, change, stages_run
from tests.graph import STAGES, plots

TABLES, PICTURES = plots(".csv"), plots(".png")
PLOTS = sorted(TABLES + PICTURES)

WIDTHS = [1300, 768, 360]  # pixels: of a screen, a tablet, a phone
NEGATIVE, POSITIVE, ZERO = "#B2182B", "#2166AC", "#C9CBCE"
REVISIONS = ["#00796B", "#B26A00", "#6D4C41"]


def metrics(project: Path, stage: str) -> dict:
    return json.loads((project / f"metrics/{stage}.json").read_text())


def confusion(project: Path) -> dict[tuple[str, str], int]:
    """plots/confusion.csv: the number of images by actual and predicted digit, in its order."""
    with (project / "plots/confusion.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {(row["actual"], row["predicted"]): int(row["images"]) for row in rows}


def test_every_stage_runs_and_every_byte_comes_out(first_run, run: Run) -> None:
    assert stages_run(first_run) == list(STAGES)
    assert first_run.stderr == ""  # quiet in a pipe
    assert run("git", "status", "--porcelain").stdout == ""
    assert "Data and pipelines are up to date" in run("dvc", "repro").stdout


def test_the_published_shapes_and_indices(project: Path) -> None:
    with np.load(project / "data/raw/images.npz") as raw:
        digests = {name: hashlib.sha256(raw[name]).hexdigest() for name in raw}
    assert digests == DATASETS["mnist"].sha256
    with np.load(project / "data/filtered.npz") as kept:
        assert kept["X_train"].shape == (11272, 28, 28)
        assert kept["X_test"].shape == (1866, 28, 28)
        train, test = kept["index_train"].tolist(), kept["index_test"].tolist()
        assert train[:3] + train[-3:] == [0, 11, 17, 59995, 59997, 59999]
        assert test[:3] + test[-3:] == [8, 15, 23, 9988, 9991, 9998]
    with np.load(project / "data/preprocessed.npz") as rows:
        assert rows["X_train"].shape == (11272, 784)
        assert rows["X_train"].dtype == np.float64
        assert (rows["X_train"].min(), rows["X_train"].max()) == (0.0, 1.0)
        assert set(rows["y_train"].tolist()) == {5, 8}


def test_the_published_scores(project: Path) -> None:
    with (project / "plots/validation_curve.csv").open() as file:
        curve = {row["C"]: row for row in csv.DictReader(file)}
    weighted = {C: round(float(row["weighted_mean_test_score"]), 8) for C, row in curve.items()}
    assert weighted == {
        "0.025": 0.95626331,
        "0.05": 0.95990064,
        "0.1": 0.96158623,
        "0.2": 0.96256210,
        "0.4": 0.96105394,
    }
    plain = [round(float(row["mean_test_score"]), 8) for row in curve.values()]
    assert plain == [0.95626275, 0.95989990, 0.96158543, 0.96256148, 0.96105348]
    best = metrics(project, "gridsearch")["best"]
    assert best["C"] == 0.2
    assert best["mean_test_score"] == float(curve["0.2"]["mean_test_score"])
    scores = metrics(project, "evaluate")
    assert scores["train"]["accuracy"] == 0.9723207948899929
    assert scores["test"]["accuracy"] == 0.9619506966773848
    assert metrics(project, "interpret")["weights"] == {"nonzero": 285, "zero": 500}
    assert metrics(project, "train")["objective"] == pytest.approx(262.5728127634, rel=1e-6)


def test_the_summary_says_it(run: Run) -> None:
    lines = run("python", "-m", "tools.summary").stdout.splitlines()
    assert lines[0].split() == ["best", "C", "0.2"]
    assert lines[2].split() == ["train", "accuracy", "0.9723207948899929"]
    assert lines[3].split()[:3] == ["test", "accuracy", "0.9619506966773848"]


def test_the_model_loads_without_this_project(project: Path, tmp_path: Path) -> None:
    code = (
        "import sys, joblib, numpy as np\n"
        "model = joblib.load(sys.argv[1])\n"
        "data = np.load(sys.argv[2])\n"
        "print(type(model).__module__, (model.predict(data['X_test']) == data['y_test']).mean())\n"
    )
    files = [str(project / "data" / name) for name in ("model.joblib", "preprocessed.npz")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "sklearn.svm._classes 0.9619506966773848\n"


def test_the_search_keeps_every_result(project: Path) -> None:
    found = joblib.load(project / "data/gridsearch.joblib")
    results = found["cv_results_"]
    for fold in range(5):
        for part in ("train", "test"):
            assert results[f"split{fold}_{part}_score"].shape == (5,)
    assert found["best_params_"] == {"C": 0.2}
    assert found["fold_sizes"] == [2255, 2255, 2254, 2254, 2254]


@pytest.mark.parametrize(
    ("file", "reader"),
    [
        ("data/filtered.npz", "stages.preprocess"),
        ("data/model.joblib", "stages.evaluate"),
        ("metrics/train.json", "tools.summary"),
    ],
)
@pytest.mark.parametrize("fault", ["cut", "gone"])
def test_a_message_names_a_command_that_mends(
    project: Path, run: Run, file: str, reader: str, fault: str
) -> None:
    damaged = project / file
    before = damaged.read_bytes()
    damaged.unlink()
    if fault == "cut":
        damaged.write_bytes(before[: len(before) // 2])
    done = run("python", "-m", reader, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{file}: {'damaged' if fault == 'cut' else 'missing'}")
    (command,) = re.findall(r"`(dvc [^`]+)`", done.stderr)
    run(*command.split())
    assert damaged.read_bytes() == before
    run("python", "-m", reader)
    assert run("git", "status", "--porcelain").stdout == ""


def test_the_tables_are_the_metrics(project: Path) -> None:
    scores = metrics(project, "evaluate")["test"]
    tn, fp, fn, tp = confusion(project).values()
    assert scores["accuracy"] == (tn + tp) / (tn + fp + fn + tp)
    assert (scores["precision"], scores["recall"]) == (tp / (tp + fp), tp / (tp + fn))
    with (project / "plots/roc.csv").open() as file:
        points = np.array([(float(row["fpr"]), float(row["tpr"])) for row in csv.DictReader(file)])
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(scores["roc_auc"], abs=1e-12)


def test_plots_show_has_every_plot(project: Path, run: Run) -> None:
    shown = json.loads(run("dvc", "plots", "show", "--json").stdout)
    assert not shown.get("errors")
    assert sorted(Path(name).name for name in shown["data"]) == PLOTS
    run("dvc", "plots", "show")
    text = (project / "dvc_plots/index.html").read_text()
    for name in PLOTS:
        assert name in text or name.replace(".csv", "_csv") in text


def open_page(page: Page, project: Path, width: int = WIDTHS[0]) -> None:
    """What `dvc plots` wrote, in a window of `width`, once every chart is drawn."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((project / "dvc_plots/index.html").as_uri())
    expect(page.locator("svg.marks")).to_have_count(len(TABLES))
    expect(page.locator("summary[aria-label]")).to_have_count(len(TABLES))


def assert_all_is_drawn(page: Page, project: Path, revisions: list[str]) -> None:
    """Every table as a chart that is not empty, every picture loaded and named, at any width."""
    named = " and ".join(revisions) if len(revisions) < 3 else "{}, {} and {}".format(*revisions)
    for width in WIDTHS:
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
        if width != 768:
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


def test_change_c_and_compare(project: Path, run: Run, params: Path) -> None:
    change(params, gridsearch={"C": [0.05]})
    done = run("dvc", "repro")
    assert stages_run(done) == list(STAGES)[3:]

    changed = json.loads(run("dvc", "params", "diff", "--json").stdout)["params.yaml"]
    assert changed == {"gridsearch.C": {"old": "[0.025, 0.05, 0.1, 0.2, 0.4]", "new": "[0.05]"}}

    diff = json.loads(run("dvc", "metrics", "diff", "--json").stdout)
    best = diff["metrics/gridsearch.json"]["best.C"]
    assert (best["old"], best["new"]) == (0.2, 0.05)
    zero = diff["metrics/interpret.json"]["weights.zero"]
    assert zero["old"] == 500
    assert zero["diff"] == zero["new"] - zero["old"] > 100  # a smaller C makes more weights zero
    test = diff["metrics/evaluate.json"]["test.accuracy"]
    assert test["old"] == 0.9619506966773848
    assert 0.95 < test["new"] < test["old"]

    shown = json.loads(run("dvc", "plots", "diff", "--json").stdout)
    assert not shown.get("errors")
    for name in PLOTS:
        revisions = {entry["revisions"][0] for entry in shown["data"][f"plots/{name}"]}
        assert revisions >= {"HEAD", "workspace"} or name.endswith(".csv")
    assert run("git", "status", "--porcelain").stdout.count("plots/") == len(PLOTS)


def test_two_revisions_side_by_side_need_no_network(project: Path, run: Run, page: Page) -> None:
    run("dvc", "plots", "diff")
    assert_all_is_drawn(page, project, ["HEAD", "workspace"])
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
        assert f"outlined: {only} used only here" in said
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
    named = {"HEAD, trained at C = 0.2": "0.2", "workspace, trained at C = 0.05": "0.05"}
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
    names = ["HEAD, best C = 0.2, sparsest 0.1", "workspace, best C = 0.05, also sparsest"]
    assert [text for text in said if "best" in text] == names
    assert {"train folds", "held-out fold", "score", "non-zero weights"} <= set(said)
    symbols, lines, areas, rules = (
        marks(page, "validation_curve", kind) for kind in ("symbol", "line", "area", "rule")
    )
    for revision, name, colour in zip(("HEAD", "workspace"), names, REVISIONS, strict=False):
        rows = rows_of(revision, "validation_curve", run)
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


def test_three_revisions_have_no_difference(project: Path, run: Run, page: Page) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    run("git", *who, "commit", "-qm", "another", "--allow-empty")
    run("dvc", "plots", "diff", "HEAD~1", "HEAD", "workspace")
    run("git", "reset", "-q", "--soft", "HEAD~1")
    assert_all_is_drawn(page, project, ["HEAD~1", "HEAD", "workspace"])
    assert not re.search("difference|minus|only here", " ".join(texts(page, "weights")))
    for table in ("validation_curve", "path", "roc", "precision_recall"):
        lines = marks(page, table, "line")
        assert list(dict.fromkeys(hexed(mark["stroke"]) for mark in lines)) == REVISIONS


def test_change_back_and_it_is_as_it_was(run: Run) -> None:
    run("dvc", "repro")
    assert run("git", "status", "--porcelain").stdout == ""


def test_a_c_of_ones_own_overrides_the_search(project: Path, run: Run, params: Path) -> None:
    change(params, train={"C": 1e-02})
    done = run("dvc", "repro")
    assert stages_run(done) == list(STAGES)[4:]
    assert metrics(project, "train")["C"] == 0.01
    assert metrics(project, "gridsearch")["best"]["C"] == 0.2


def test_other_digits_in_the_other_order(project: Path, run: Run, params: Path) -> None:
    change(params, filter_5_8={"classes": [4, 1]}, gridsearch={"C": [0.01]})
    run("dvc", "repro")
    assert metrics(project, "evaluate")["test"]["accuracy"] > 0.99
    assert list(confusion(project)) == [("4", "4"), ("4", "1"), ("1", "4"), ("1", "1")]


def test_the_colours_go_by_role_not_by_digit(project: Path, run: Run, page: Page) -> None:
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


def test_an_experiment_writes_numbers_that_we_read(project: Path, run: Run) -> None:
    run("dvc", "repro")
    done = run("dvc", "exp", "run", "--set-param", "train.C=1e-05", "--name", "tiny")
    assert "1e-05" in (project / "params.yaml").read_text()
    assert metrics(project, "interpret")["weights"] == {"nonzero": 0, "zero": 785}, done.stdout
