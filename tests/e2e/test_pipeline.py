"""The real graph through the real `dvc`, reproduced: the published results, byte for byte."""

import csv
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline.datasets import DATASETS
from tests.e2e.conftest import Run, stages_run
from tests.e2e.plots_page import confusion, metrics
from tests.graph import STAGES


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
        curve = {row["C"]: row for row in csv.DictReader(file) if row["kind"] == "grid"}
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
