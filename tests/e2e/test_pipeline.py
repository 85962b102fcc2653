"""The article's graph through the real `dvc`: the published results, byte for byte."""

import csv
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, objective, to_linear_svc
from pipeline.datasets import DATASETS
from stages.preprocess import signs
from tests.e2e.conftest import Computed, Run, copy_of, metrics, runner, stages_run
from tests.e2e.plots_page import confusion
from tests.graph import STAGES


@pytest.fixture(scope="module")
def project(computed: Computed) -> Path:
    """The article's; nothing here writes to it."""
    return computed[0]


def test_every_stage_runs_and_is_quiet_in_a_pipe(small: Computed) -> None:
    assert stages_run(small[1]) == list(STAGES)
    assert small[1].stderr == ""


def test_every_byte_comes_out(run: Run, project: Path) -> None:
    assert run("git", "status", "--porcelain").stdout == ""
    assert "Data and pipelines are up to date" in run("dvc", "status").stdout


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


PLAIN = [0.95626275, 0.95989990, 0.96158543, 0.96256148, 0.96105348]
PLAIN_TRAIN = [0.96298347, 0.96777409, 0.97059080, 0.97338536, 0.97624640]
WEIGHTED = [0.95626331, 0.95990064, 0.96158623, 0.96256210, 0.96105394]  # the article's
TRAIN_ACCURACY, TEST_ACCURACY = 0.9723207948899929, 0.9619506966773848


def test_the_published_scores(project: Path) -> None:
    with (project / "plots/validation_curve.csv").open() as file:
        curve = [row for row in csv.DictReader(file) if row["kind"] == "grid"]
    assert [float(row["C"]) for row in curve] == [0.025, 0.05, 0.1, 0.2, 0.4]
    assert [round(float(row["weighted_mean_test_score"]), 8) for row in curve] == WEIGHTED
    assert [round(float(row["mean_test_score"]), 8) for row in curve] == PLAIN
    best = metrics(project, "gridsearch")["best"]
    assert best["C"] == 0.2
    assert best["mean_test_score"] == float(curve[3]["mean_test_score"])
    scores = metrics(project, "evaluate")
    assert scores["train"]["accuracy"] == TRAIN_ACCURACY
    assert scores["test"]["accuracy"] == TEST_ACCURACY
    assert metrics(project, "interpret")["weights"] == {"nonzero": 285, "zero": 500}
    assert metrics(project, "train")["objective"] == pytest.approx(262.5728127634, rel=1e-6)


def test_the_summary_says_it(run: Run) -> None:
    lines = run(sys.executable, "-m", "tools.summary").stdout.splitlines()
    assert lines[0].split() == ["best", "C", "0.2"]
    assert lines[2].split() == ["train", "accuracy", str(TRAIN_ACCURACY)]
    assert lines[3].split()[:3] == ["test", "accuracy", str(TEST_ACCURACY)]


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
    assert done.stdout == f"sklearn.svm._classes {TEST_ACCURACY}\n"


def test_the_search_keeps_every_result(project: Path) -> None:
    found = joblib.load(project / "data/gridsearch.joblib")
    results = found["cv_results_"]
    for fold in range(5):
        for part in ("train", "test"):
            assert results[f"split{fold}_{part}_score"].shape == (5,)
    assert found["best_params_"] == {"C": 0.2}
    assert found["fold_sizes"] == [2255, 2255, 2254, 2254, 2254]


def test_the_tables_are_the_metrics(project: Path) -> None:
    scores = metrics(project, "evaluate")["test"]
    tn, fp, fn, tp = confusion(project).values()
    assert scores["accuracy"] == (tn + tp) / (tn + fp + fn + tp)
    assert (scores["precision"], scores["recall"]) == (tp / (tp + fp), tp / (tp + fn))
    with (project / "plots/roc.csv").open() as file:
        points = np.array([(float(row["fpr"]), float(row["tpr"])) for row in csv.DictReader(file)])
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(scores["roc_auc"], abs=1e-12)


# l1svc on the article's digits; its own tests, in l1svc/tests, need nothing of us.


@pytest.fixture(scope="module")
def rows(project: Path) -> dict[str, np.ndarray]:
    """X and the classes ±1 of the training and the test images."""
    with np.load(project / "data/preprocessed.npz") as found:
        signed = {f"y_{part}": signs(found[f"y_{part}"], found["classes"]) for part in PARTS}
        return {f"X_{part}": found[f"X_{part}"] for part in PARTS} | signed


PARTS = ("train", "test")


def test_the_searchs_figures_are_the_exact_optimums(rows: dict[str, np.ndarray]) -> None:
    X, y = rows["X_train"], rows["y_train"]
    search = L1LinearSVCSearchCV([0.025, 0.05, 0.1, 0.2, 0.4], return_train_score=True).fit(X, y)
    results = search.cv_results_
    assert results["max_duality_gap"].max() <= 1e-8
    assert np.round(results["mean_test_score"], 8).tolist() == PLAIN
    assert np.round(results["mean_train_score"], 8).tolist() == PLAIN_TRAIN
    sizes = [len(test) for _, test in StratifiedKFold(5).split(X, y)]
    scores = np.array([results[f"split{k}_test_score"] for k in range(5)])
    assert np.round(np.average(scores, axis=0, weights=sizes), 8).tolist() == WEIGHTED
    best = search.best_estimator_
    assert best.C == 0.2
    assert best.duality_gap_ <= 1e-12
    value = objective(best.coef_, best.intercept_, 0.2, X, y)
    assert value == pytest.approx(262.5728127634, rel=1e-9)
    assert np.count_nonzero(best.coef_) + np.count_nonzero(best.intercept_) == 285
    single = L1LinearSVC(C=0.2).fit(X, y)
    np.testing.assert_allclose(best.coef_, single.coef_, rtol=0, atol=1e-15)
    assert to_linear_svc(search).score(rows["X_test"], rows["y_test"]) == TEST_ACCURACY


@pytest.mark.parametrize("C", [0.2, *(pytest.param(C, marks=pytest.mark.long) for C in (0.025, 1))])
def test_the_same_digits_whatever_the_order_of_the_rows_and_columns(rows, C: float) -> None:
    X, y = rows["X_train"], rows["y_train"]
    rng = np.random.default_rng(1)
    order, columns = rng.permutation(len(y)), rng.permutation(784)
    one = L1LinearSVC(C).fit(X, y)
    other = L1LinearSVC(C).fit(X[order][:, columns], y[order])
    assert one.duality_gap_ < 1e-12
    np.testing.assert_array_equal(other.coef_[0] == 0, one.coef_[0, columns] == 0)
    np.testing.assert_array_max_ulp(other.coef_[0], one.coef_[0, columns], maxulp=1)
    np.testing.assert_array_max_ulp(other.intercept_, one.intercept_, maxulp=1)


@pytest.mark.parametrize(
    ("file", "reader", "fault"),
    [
        ("data/filtered.npz", "stages.preprocess", "gone"),
        ("data/model.joblib", "stages.evaluate", "cut"),
        ("metrics/train.json", "tools.summary", "gone"),
    ],
)
def test_a_message_names_a_command_that_mends(
    small: Computed, command_environment, tmp_path_factory, file: str, reader: str, fault: str
) -> None:
    project = copy_of(small[0], tmp_path_factory)
    run = runner(project, command_environment)
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
    assert run("git", "status", "--porcelain").stdout == ""
