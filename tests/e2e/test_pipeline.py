"""The real graph through the real `dvc`: reproduce, change a value, compare. In file order."""

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pipeline.sources import SHA256
from tests.graph import STAGES, plots
from tests.wrong_params import WRONG

TABLES, PICTURES = plots(".csv"), plots(".png")
PLOTS = sorted(TABLES + PICTURES)

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as git would clone it, uncommitted changes included; nothing computed yet."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def run(project: Path, command_environment: dict[str, str]) -> Run:
    """Run a command in the project; by default it must succeed."""

    def run(*command: str, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run(
            command,
            cwd=project,
            env=command_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def metrics(project: Path, stage: str) -> dict:
    return json.loads((project / f"metrics/{stage}.json").read_text())


def test_every_stage_runs_and_every_byte_comes_out(project: Path, run: Run) -> None:
    for folder in ("metrics", "plots"):  # with them, DVC would believe that evaluate has run
        shutil.rmtree(project / folder)
    done = run("dvc", "repro")
    assert re.findall(r"Running stage '(\w+)'", done.stdout) == list(STAGES)
    assert done.stderr == ""  # quiet in a pipe
    assert run("git", "status", "--porcelain").stdout == ""
    assert "Data and pipelines are up to date" in run("dvc", "repro").stdout


def test_the_published_shapes_and_indices(project: Path) -> None:
    with np.load(project / "data/raw/mnist.npz") as raw:
        digests = {name: hashlib.sha256(raw[name]).hexdigest() for name in raw}
    assert digests == SHA256
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
    search = metrics(project, "gridsearch")
    weighted = {
        C: round(scores["weighted_mean_test_score"], 8) for C, scores in search["scores"].items()
    }
    assert weighted == {
        "C=0.025": 0.95626331,
        "C=0.05": 0.95990064,
        "C=0.1": 0.96158623,
        "C=0.2": 0.96256210,
        "C=0.4": 0.96105394,
    }
    plain = [round(scores["mean_test_score"], 8) for scores in search["scores"].values()]
    assert plain == [0.95626275, 0.95989990, 0.96158543, 0.96256148, 0.96105348]
    assert search["best"]["C"] == 0.2
    assert search["best"]["mean_test_score"] == search["scores"]["C=0.2"]["mean_test_score"]
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
    counts = metrics(project, "evaluate")["test"]["confusion"]
    with (project / "plots/confusion.csv").open() as file:
        cells = {(row["actual"], row["predicted"]): row["images"] for row in csv.DictReader(file)}
    named = {"tn": ("5", "5"), "fp": ("5", "8"), "fn": ("8", "5"), "tp": ("8", "8")}
    assert {name: int(cells[pair]) for name, pair in named.items()} == counts
    with (project / "plots/roc.csv").open() as file:
        points = np.array([(float(row["fpr"]), float(row["tpr"])) for row in csv.DictReader(file)])
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(metrics(project, "evaluate")["test"]["roc_auc"], abs=1e-12)


def test_plots_show_has_every_plot(project: Path, run: Run) -> None:
    shown = json.loads(run("dvc", "plots", "show", "--json").stdout)
    assert not shown.get("errors")
    assert sorted(Path(name).name for name in shown["data"]) == PLOTS
    run("dvc", "plots", "show")
    text = (project / "dvc_plots/index.html").read_text()
    for name in PLOTS:
        assert name in text or name.replace(".csv", "_csv") in text


def assert_all_is_drawn(page: Page, file: Path, revisions: int) -> None:
    """Every table as a chart that is not empty, every picture loaded, once a revision."""
    page.goto(file.as_uri())
    charts = page.locator("svg.marks")
    expect(charts).to_have_count(len(TABLES))
    for chart in charts.all():
        box = chart.bounding_box()
        assert min(box["width"], box["height"]) > 150
        assert chart.locator("path[d]").count() > 4
        assert chart.locator("text").count() > 4
    widths = page.locator("img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert len(widths) == revisions * len(PICTURES)
    assert min(widths) > 900


def texts(page: Page, table: str) -> list[str]:
    """What a chart says, line by line, in the order of drawing."""
    chart = page.locator(f"div[id*={table}] svg.marks")
    return chart.locator("text:not(:has(tspan)), tspan").all_text_contents()


def cells(page: Page, table: str) -> list[str]:
    """What a chart's rectangles say of themselves, in the order of drawing."""
    marks = page.locator(f"div[id*={table}] svg.marks .mark-rect.role-mark path")
    return marks.evaluate_all("all => all.map(mark => mark.getAttribute('aria-label'))")


def test_the_page_of_all_plots_needs_no_network(project: Path, run: Run, page: Page) -> None:
    run("python", "-m", "tools.plots_page")
    run("dvc", "plots", "show")
    assert_all_is_drawn(page, project / "dvc_plots/index.html", revisions=1)
    counts = metrics(project, "evaluate")["test"]["confusion"]
    shown = [text for text in texts(page, "confusion") if text in map(str, counts.values())]
    assert shown == [str(counts[name]) for name in ("tn", "fp", "fn", "tp")]
    assert "workspace (positive: 8)" in texts(page, "roc")
    assert "workspace (positive: 8)" in texts(page, "precision_recall")
    assert "workspace: above 0, the model says 8" in texts(page, "scores")
    assert "red speaks for 5, blue for 8" in texts(page, "weights")
    assert "difference" not in texts(page, "weights")
    assert len(cells(page, "weights")) == 784
    assert run("git", "status", "--porcelain").stdout == ""


@pytest.fixture(scope="module")
def snapshot(project: Path) -> Callable[[], dict[str, bytes]]:
    def take() -> dict[str, bytes]:
        return {
            path.relative_to(project).as_posix(): hashlib.sha256(path.read_bytes()).digest()
            for folder in ("data", "metrics", "plots")
            for path in sorted((project / folder).rglob("*"))
            if path.is_file()
        }

    return take


@pytest.fixture
def params(project: Path):
    """params.yaml, put back when the test is over."""
    file = project / "params.yaml"
    before = file.read_text()
    yield file
    file.write_text(before)


@pytest.mark.parametrize(("old", "new", "line"), WRONG, ids=[new for _, new, _ in WRONG])
def test_a_wrong_params_file_leaves_all_as_it_was(
    run: Run, params: Path, params_text: str, snapshot, old: str, new: str, line: str
) -> None:
    before = snapshot()
    params.write_text(params_text.replace(old, new, 1))
    checked = run("python", "-m", "pipeline.params", check=False)
    assert checked.returncode == 2
    assert checked.stdout == ""
    assert checked.stderr.count("\n") == 1
    assert line in checked.stderr
    done = run("dvc", "repro", check=False)
    # DVC itself refuses what is no YAML, and has nothing to do for a key that no stage has.
    ours = "Running stage" in done.stdout
    assert (line in done.stderr) == ours
    assert "Traceback" not in done.stderr
    assert done.returncode != 0 or "up to date" in done.stdout
    assert snapshot() == before


def test_change_c_and_compare(project: Path, run: Run, params: Path) -> None:
    params.write_text(params.read_text().replace("[0.025, 0.05, 0.1, 0.2, 0.4]", "[0.05]"))
    done = run("dvc", "repro")
    assert re.findall(r"Running stage '(\w+)'", done.stdout) == list(STAGES)[3:]

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
    assert_all_is_drawn(page, project / "dvc_plots/index.html", revisions=2)
    old, new = weights_of("HEAD", run), weights_of("workspace", run)
    drawn = cells(page, "weights")
    assert len(drawn) == 3 * 784
    # Vega writes a minus sign and 12 digits
    shown = {
        (int(found["row"]), int(found["column"])): float(found["difference"].replace("−", "-"))
        for found in (dict(part.split(": ") for part in cell.split("; ")) for cell in drawn)
        if "difference" in found
    }
    assert shown == pytest.approx({at: new[at] - old[at] for at in old}, abs=1e-9)
    said = " ".join(texts(page, "weights"))
    assert "workspace minus HEAD" in said
    assert "purple: more for 5, orange: more for 8" in said
    largest = max(shown, key=shown.get)  # orange: more red than blue in it
    assert colour_of(page, largest) == "orange"
    assert colour_of(page, min(shown, key=shown.get)) == "purple"


def weights_of(revision: str, run: Run) -> dict[tuple[int, int], float]:
    """plots/weights.csv of a revision, by row and column."""
    if revision == "workspace":
        text = run("cat", "plots/weights.csv").stdout
    else:
        text = run("git", "show", f"{revision}:plots/weights.csv").stdout
    return {
        (int(row["row"]), int(row["column"])): float(row["weight"])
        for row in csv.DictReader(text.splitlines())
    }


def colour_of(page: Page, at: tuple[int, int]) -> str:
    """What the difference panel's pixel looks like."""
    row, column = at
    label = f"column: {column}; row: {row}; difference:"
    fill = page.locator(f"div[id*=weights] path[aria-label^='{label}']").get_attribute("fill")
    red, _, blue = (int(part) for part in re.findall(r"\d+", fill))
    return "orange" if red > blue else "purple"


def test_three_revisions_have_no_difference(project: Path, run: Run, page: Page) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    run("git", *who, "commit", "-qm", "another", "--allow-empty")
    run("dvc", "plots", "diff", "HEAD~1", "HEAD", "workspace")
    page.goto((project / "dvc_plots/index.html").as_uri())
    expect(page.locator("svg.marks")).to_have_count(len(TABLES))
    assert "difference" not in texts(page, "weights")
    run("git", "reset", "-q", "--soft", "HEAD~1")


def test_change_back_and_it_is_as_it_was(run: Run) -> None:
    run("dvc", "repro")
    assert run("git", "status", "--porcelain").stdout == ""


def test_a_c_of_ones_own_overrides_the_search(project: Path, run: Run, params: Path) -> None:
    params.write_text(params.read_text().replace("C: null", "C: 1e-02"))
    done = run("dvc", "repro")
    assert re.findall(r"Running stage '(\w+)'", done.stdout) == list(STAGES)[4:]
    assert metrics(project, "train")["C"] == 0.01
    assert metrics(project, "gridsearch")["best"]["C"] == 0.2


def test_other_digits_in_the_other_order(project: Path, run: Run, params: Path) -> None:
    text = params.read_text().replace("[5, 8]", "[4, 1]")
    params.write_text(text.replace("[0.025, 0.05, 0.1, 0.2, 0.4]", "[0.01]"))
    run("dvc", "repro")
    scores = metrics(project, "evaluate")
    assert scores["classes"] == {"negative": 4, "positive": 1}
    assert scores["test"]["accuracy"] > 0.99
    lines = (project / "plots/confusion.csv").read_text().split()
    assert [line.rsplit(",", 1)[0] for line in lines] == [
        "actual,predicted", "4,4", "4,1", "1,4", "1,1",
    ]  # fmt: skip


def test_an_experiment_writes_numbers_that_we_read(project: Path, run: Run) -> None:
    run("dvc", "repro")
    done = run("dvc", "exp", "run", "--set-param", "train.C=1e-05", "--name", "tiny")
    assert "1e-05" in (project / "params.yaml").read_text()
    assert metrics(project, "interpret")["weights"] == {"nonzero": 0, "zero": 785}, done.stdout
