"""What `make pairs` takes for done, and what it makes of it; no DVC runs here."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zc.lockfile
from ruamel.yaml import YAML

from tests.scripts import script
from tools import pairs

ROOT = Path(__file__).resolve().parents[2]
Save = Callable[[str, dict[str, Any]], str]


def lock_of(*classes: int, **train: Any) -> dict[str, Any]:
    """The project's dvc.lock, as it would be with other classes or another section train."""
    lock = YAML(typ="safe").load((ROOT / "dvc.lock").read_text(encoding="utf-8"))
    pairs.params_of(lock, "filter_5_8")["classes"] = list(classes)
    pairs.params_of(lock, "train").update(train)
    return lock


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """A git repository, and a function that puts an experiment with these files into it."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)

    def put(ref: str, files: dict[str, Any]) -> str:
        for name, value in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(value if isinstance(value, str) else json.dumps(value))
            pairs.git("add", str(path))
        tree = pairs.git("write-tree").strip()
        commit = pairs.git("commit-tree", tree, "-m", ref).strip()
        pairs.git("update-ref", ref, commit)
        pairs.git("read-tree", "--empty")
        return commit

    return put


def experiment(baseline: str, name: str) -> str:
    return f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"


def another(lock: dict[str, Any], stage: str, kind: str, path: str) -> None:
    """Let a file of a stage have another digest."""
    (file,) = [file for file in lock["stages"][stage][kind] if file["path"] == path]
    file["md5"] = "another"


def test_the_classes_and_what_follows_from_them_do_not_count() -> None:
    one, other = lock_of(5, 8), lock_of(0, 1)
    another(other, "train", "outs", "data/model.joblib")
    another(other, "evaluate", "deps", "data/model.joblib")
    assert pairs.recipe(one) == pairs.recipe(other)
    assert (pairs.digits_of(one), pairs.digits_of(other)) == ((5, 8), (0, 1))


def test_command_code_and_other_params_count() -> None:
    command, code = lock_of(5, 8), lock_of(5, 8)
    command["stages"]["interpret"]["cmd"] += " -v"
    another(code, "filter_5_8", "deps", "stages/filter_5_8.py")
    for changed in (command, code, lock_of(5, 8, C=0.05)):
        assert pairs.recipe(changed) != pairs.recipe(lock_of(5, 8))


def test_a_pair_is_there_whatever_commit_and_name_its_experiment_has(save: Save) -> None:
    wanted = pairs.recipe(lock_of(5, 8))
    first = save(experiment("a" * 40, "pair-0-1"), {"dvc.lock": lock_of(0, 1)})
    second = save(experiment("b" * 40, "tunny-loch"), {"dvc.lock": lock_of(3, 8)})
    save(experiment("b" * 40, "other-params"), {"dvc.lock": lock_of(0, 2, C=0.05)})
    save(experiment("b" * 40, "of-another-time"), {"README.md": "no pipeline yet"})
    save(experiment("b" * 40, "without-classes"), {"dvc.lock": {"stages": {}}})
    save("refs/exps/celery/stash", {"dvc.lock": lock_of(0, 3)})
    assert pairs.finished(wanted) == {(0, 1): first, (3, 8): second}


def test_a_row_is_what_the_experiment_found(save: Save) -> None:
    weights = np.zeros((28, 28))
    weights[3, 20], weights[27, 0] = -0.5, 0.25
    table = [f"{r},{c},{weights[r, c]},4,9\n" for r in range(28) for c in range(28)]
    files = {
        "dvc.lock": lock_of(4, 9),
        "metrics/gridsearch.json": {"best": {"C": 0.4}},
        "metrics/train.json": {"C": 0.3},  # train.C, or another choice than the best
        "metrics/evaluate.json": {
            "train": {"accuracy": 1.0, "accuracy_95": {"low": 1.0, "high": 1.0}},
            "test": {"accuracy": 0.9, "accuracy_95": {"low": 0.8, "high": 0.95}},
        },
        "metrics/interpret.json": {"weights": {"nonzero": 3, "zero": 782}},
        "plots/weights.csv": "row,column,weight,negative,positive\n" + "".join(table),
    }
    commit = save(experiment("a" * 40, "one"), files)
    found = pairs.result(commit)
    assert (found.negative, found.positive, found.C) == (4, 9, 0.3)
    assert (found.test_accuracy, found.low, found.high, found.nonzero) == (0.9, 0.8, 0.95, 3)
    np.testing.assert_array_equal(found.weights, weights)


def test_the_copy_goes_though_a_worker_still_writes_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    pairs.COPY.mkdir(parents=True)
    writes = (
        "import itertools\nfor i in itertools.count():\n"
        "    open(str(i % 99), 'w').close()\n    i == 98 and print(flush=True)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", writes],
        cwd=pairs.COPY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert worker.stdout.readline() == b"\n"
    pairs.remove_copy()
    assert not pairs.COPY.exists()
    worker.communicate()  # returns once it has ended
    pairs.remove_copy()  # nothing to remove


HELD = [(0, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize(
    ("wanted", "recipe", "spoil", "shown"),
    [
        (HELD, "abcd1234", None, True),
        (HELD[:2], "abcd1234", None, False),
        ([*HELD, (1, 3)], "abcd1234", None, False),
        (HELD, "00000000", None, False),
        (HELD, "abcd1234", pairs.TABLE.unlink, False),
        (HELD, "abcd1234", pairs.PICTURE.unlink, False),
        (HELD, "abcd1234", lambda: pairs.TABLE.write_text(""), False),
        (HELD, "abcd1234", lambda: pairs.TABLE.write_text("pair,C\n0-1,0.2\n"), False),
    ],
)
def test_what_table_and_picture_show_already(
    wanted, recipe: str, spoil, shown: bool, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(*pair, 0.2, 0.9, 0.8, 0.95, 285, "abcd1234") for pair in HELD]
    pairs.save_table(pairs.TABLE, pairs.COLUMNS, rows)
    pairs.save_bytes(pairs.PICTURE, b"")
    if spoil:
        spoil()
    assert pairs.shown(wanted, recipe) == shown


def test_two_at_a_time_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pairs.LOCK.parent.mkdir(parents=True)
    lock = zc.lockfile.LockFile(str(pairs.LOCK))
    with pytest.raises(pairs.PairsError, match="at work here already"):
        pairs.all_pairs(range(10), 1)
    lock.close()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """docs/pairs.csv, as committed."""
    return list(csv.DictReader((ROOT / pairs.TABLE).read_text(encoding="utf-8").splitlines()))


def test_the_digits_are_mnists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = lock_of(0, 6)
    pairs.params_of(lock, "download")["dataset"] = "fashion_mnist"
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(json.dumps(lock))
    dvc = script(tmp_path / "python", "echo '{}'")  # nothing is stale
    monkeypatch.setattr(sys, "executable", dvc)
    with pytest.raises(pairs.PairsError, match="dataset: got fashion_mnist; allowed here: mnist"):
        pairs.all_pairs([0, 6], 1)


def test_the_table_in_docs_holds_every_pair_of_one_recipe(rows: list[dict[str, str]]) -> None:
    held = [(int(row["negative"]), int(row["positive"])) for row in rows]
    assert held == list(combinations(range(10), 2))
    assert len({row["recipe"] for row in rows}) == 1


def test_5_and_8_are_in_it_as_the_pipeline_has_them(rows: list[dict[str, str]]) -> None:
    trained, scores, weights = (
        json.loads((ROOT / f"metrics/{stage}.json").read_text(encoding="utf-8"))
        for stage in ("train", "evaluate", "interpret")
    )
    (row,) = [row for row in rows if (row["negative"], row["positive"]) == ("5", "8")]
    interval = scores["test"]["accuracy_95"]
    assert [float(row[name]) for name in pairs.COLUMNS[2:-1]] == [
        trained["C"],
        scores["test"]["accuracy"],
        interval["low"],
        interval["high"],
        weights["weights"]["nonzero"],
    ]
