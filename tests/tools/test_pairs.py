"""Pairs on few small images: each one as the stages find it, once, whatever ended a run."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.about import save_about
from pipeline.artifacts import load_metrics, load_object, save_arrays
from pipeline.datasets import DATASETS
from pipeline.errors import run
from pipeline.params import load_params
from stages import evaluate, filter_5_8, gridsearch, interpret, preprocess, train
from tests.e2e.conftest import change
from tests.quick import QUICK, small_images
from tools import pairs

ROOT = Path(__file__).resolve().parents[2]
DIGITS = (3, 5, 8)
ABOUT = replace(DATASETS["mnist"].about, names={label: str(label) for label in DIGITS})
Rows = dict[tuple[int, int], dict[str, str]]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params_text: str) -> None:
    """A folder with quick params and the raw images of three digits; one core."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    Path("params.yaml").write_text(params_text, encoding="utf-8")
    change(Path("params.yaml"), **QUICK)
    raw = small_images()
    for part in ("train", "test"):
        kept = np.isin(raw[f"y_{part}"], DIGITS)
        raw |= {f"{name}_{part}": raw[f"{name}_{part}"][kept] for name in "xy"}
    save_arrays(filter_5_8.INPUT, **raw)
    save_about(pairs.ABOUT, ABOUT)


def table(file: Path = pairs.TABLE) -> Rows:
    """The rows, by negative and positive digit."""
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return {(int(row["negative"]), int(row["positive"])): row for row in rows}


def row(trained: Any, evaluated: Any, interpreted: Any) -> list[float]:
    """What the table should say, by three stages' metrics."""
    test = evaluated["test"]
    interval = test["accuracy_95"].values()
    return [trained["C"], test["accuracy"], *interval, interpreted["weights"]["nonzero"]]


def numbers(row: dict[str, str]) -> list[float]:
    return [float(value) for value in list(row.values())[2:]]


def written(files: Iterable[Path]) -> dict[Path, int]:
    """When each file was written."""
    return {file: file.stat().st_mtime_ns for file in files}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"train": {"C": 0.07}},
        {"train": {"choose": "sparsest"}},
        {"train": {"choose": "exact"}, "gridsearch": {"range": [0.02, 0.2]}},
    ],
    ids=["grid", "given", "sparsest", "exact"],
)
def test_a_pair_is_what_the_stages_make_of_it(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in (evaluate, interpret):
        monkeypatch.setattr(stage, "png", lambda figure: b"")
    change(Path("params.yaml"), filter_5_8={"classes": [3, 8]}, **params)
    pairs.main()
    ours = load_params()
    filter_5_8.main(ours.filter_5_8)
    preprocess.main()
    gridsearch.main(ours.gridsearch)
    train.main(ours.train)
    evaluate.main(ours.evaluate)
    interpret.main(ours.interpret)
    stages = (load_metrics(stage.METRICS) for stage in (train, evaluate, interpret))
    rows = table()
    assert list(rows) == [(3, 5), (3, 8), (5, 8)]
    assert numbers(rows[3, 8]) == row(*stages)
    (kept,) = pairs.KEPT.glob("*/3-8.npz")
    w = load_object(train.MODEL).coef_.reshape(28, 28)
    np.testing.assert_array_equal(pairs.read(kept).weights, w)


def test_what_is_kept_is_not_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    pairs.main()
    whole = pairs.TABLE.read_bytes(), pairs.PICTURE.read_bytes()
    files = {file.name: file for file in pairs.KEPT.glob("*/*")}
    assert sorted(files) == ["3-5.npz", "3-8.npz", "5-8.npz"]
    files.pop("3-8.npz").unlink()
    before = written(files.values())
    pairs.TABLE.unlink()
    pairs.main()
    said = capsys.readouterr()
    assert "pairs: 1 of 3 to compute\n" in said.out
    assert said.err == ""  # no bar in a pipe
    assert written(before) == before
    assert (pairs.TABLE.read_bytes(), pairs.PICTURE.read_bytes()) == whole


def other_params() -> None:
    change(Path("params.yaml"), train={"C": 0.07})


def other_data() -> None:
    raw = small_images()
    save_arrays(filter_5_8.INPUT, **{name: array[::-1] for name, array in raw.items()})
    save_about(pairs.ABOUT, DATASETS["mnist"].about)


def other_pictures() -> None:
    change(Path("params.yaml"), evaluate={"mistakes": 3}, filter_5_8={"classes": [3, 5]})


@pytest.mark.parametrize(
    ("other", "differs"), [(other_params, True), (other_data, True), (other_pictures, False)]
)
def test_what_is_kept_is_of_these_params_and_data(other: Callable[[], None], differs: bool) -> None:
    before = pairs.recipe(load_params())
    other()
    assert (pairs.recipe(load_params()) != before) == differs


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (filter_5_8.INPUT.unlink, "data/raw/images.npz: missing; `dvc repro` makes it"),
        (
            lambda: save_about(pairs.ABOUT, replace(ABOUT, title="Fashion-MNIST")),
            "data/raw/about.json: got Fashion-MNIST; allowed: MNIST "
            "(`download.dataset: mnist` in params.yaml, then `dvc repro`)",
        ),
        (
            lambda: change(Path("params.yaml"), gridsearch={"max_iter": 1}),
            "pair 3-5: gridsearch: C=",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    spoil: Callable[[], None], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil()
    with pytest.raises(SystemExit) as ended:
        run(pairs.main)
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(line)
    assert not pairs.TABLE.exists()


@pytest.mark.long
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_loses_no_pair(
    ending: signal.Signals, command_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_arrays(filter_5_8.INPUT, **small_images())
    save_about(pairs.ABOUT, DATASETS["mnist"].about)
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.pairs"],
        env=command_environment | {"PYTHONPATH": str(ROOT), "LOKY_MAX_CPU_COUNT": "2"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (kept := list(pairs.KEPT.glob("*/*.npz"))):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, ending)
    said = process.communicate()[1]
    if ending == signal.SIGTERM:
        assert said.startswith("pairs: stopped; `make pairs` goes on with what is missing\n")
        assert "Traceback" not in said
    before = written(kept)
    assert len(kept) < 45
    assert not pairs.TABLE.exists()
    monkeypatch.setattr(pairs, "png", lambda figure: b"")
    pairs.main()
    assert list(table()) == list(combinations(range(10), 2))
    assert written(before) == before
    assert not list(pairs.KEPT.glob("*/.*"))


def test_the_table_in_docs_holds_every_pair_and_5_and_8_as_the_pipeline_has_them() -> None:
    rows = table(ROOT / pairs.TABLE)
    assert list(rows) == list(combinations(range(10), 2))
    stages = ("train", "evaluate", "interpret")
    metrics = (json.loads((ROOT / f"metrics/{stage}.json").read_text()) for stage in stages)
    assert numbers(rows[5, 8]) == row(*metrics)
