"""joblib files: what the pipeline writes comes back; of what others made nothing runs."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.svm import LinearSVC

from pipeline.artifacts import ArtifactError, load_object, save_object
from pipeline.errors import MAX_LINE, run
from pipeline.schemas import load_C, load_model
from tests.pipeline.hostile import DEADLY, HOSTILE, array

CLASSES, PIXELS = np.array([5, 8]), 3


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", HOSTILE)
def test_what_others_made_is_one_line(name: str, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("a.joblib")
    file.write_bytes(HOSTILE[name])
    line = r"^a\.joblib: damaged \(.+\); `dvc repro` mends it$"
    with pytest.raises(ArtifactError, match=line) as refused:
        load_model(file, CLASSES, PIXELS)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) <= MAX_LINE
    with pytest.raises(SystemExit, match="2"):
        run(partial(load_C, file, "grid"))
    assert capfd.readouterr() == ("", f"{refused.value}\n")
    assert os.listdir() == ["a.joblib"]


def test_what_is_deadly_is_one_line(tmp_path: Path, root: Path) -> None:
    """In another process: they could end this one."""
    for name, data in DEADLY.items():
        (tmp_path / name).write_bytes(data)
    script = (
        "import sys; from functools import partial; from pathlib import Path\n"
        "from pipeline.errors import run; from pipeline.schemas import load_C\n"
        "for name in sys.argv[1:]:\n"
        "    try: run(partial(load_C, Path(name), 'grid'))\n"
        "    except SystemExit as end: assert end.code == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *DEADLY],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split(": damaged (")[0] for line in done.stderr.splitlines()] == list(DEADLY)
    assert sorted(os.listdir(tmp_path)) == sorted(DEADLY)


def test_no_more_than_64_mib_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a.joblib").open("wb") as file:
        file.write(b"\x80\x04" + array(b"", shape=(2**23,)))
        file.seek(2**26, os.SEEK_CUR)
        file.write(b".")
    with pytest.raises(ArtifactError, match="over 67108864 bytes"):
        load_object(tmp_path / "a.joblib")


def fitted(**changes: object) -> LinearSVC:
    model = LinearSVC(penalty="l1", dual=False, C=0.2, random_state=2**32 - 1)
    model.fit(np.eye(PIXELS), [5, 8, 5])
    vars(model).update(changes)
    return model


@pytest.mark.parametrize("n", [1, 300])  # whose bytes and names take the longer operations
def test_a_search_comes_back(n: int, tmp_path: Path) -> None:
    C = np.geomspace(0.01, 1, n)
    params = [{"C": c} for c in C.tolist()]
    results = {f"split{fold}_test_score": C / 2 for fold in range(n)} | {
        "params": params,
        "param_C": np.ma.masked_array(C, mask=np.zeros(n, dtype=bool)),
        "rank_test_score": np.arange(n, dtype=np.int32),
    }
    every = {"best_interval": (0.1, 0.2), "duality_gap": None, "exact": True, "sizes": [3, 400]}
    found = {"cv_results_": results, "best_params_": params[-1], "every_C": every}
    save_object(tmp_path / "a.joblib", found)
    np.testing.assert_equal(load_object(tmp_path / "a.joblib"), found)
    assert load_C(tmp_path / "a.joblib", "grid") == C[-1]


def test_a_model_comes_back(tmp_path: Path) -> None:
    save_object(tmp_path / "a.joblib", fitted())
    model = load_model(tmp_path / "a.joblib", CLASSES, PIXELS)
    assert type(model) is LinearSVC
    np.testing.assert_equal(vars(model), vars(joblib.load(tmp_path / "a.joblib")))
    model.coef_ *= 2  # an array of its own


def test_another_version_of_scikit_learn_is_not_announced(tmp_path: Path, capfd) -> None:
    """The warning would show the file's own text."""
    file, version = tmp_path / "a.joblib", sklearn.__version__.encode()
    save_object(file, fitted())
    other = file.read_bytes().replace(version, b"\x1b[31m".ljust(len(version)))
    assert other != file.read_bytes()
    file.write_bytes(other)
    load_model(file, CLASSES, PIXELS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("coef_", np.ma.masked_array([[np.nan, 0.0, 0.0]], mask=[[1, 0, 0]]), r"damaged \("),
        ("coef_", np.ma.masked_array([[1.0, 0.0, 0.0]], mask=[[0, 0, 0]]), "not of this pipeline"),
        ("classes_", np.ma.masked_array([5, 8], mask=[0, 0]), "not of this pipeline"),
        ("n_features_in_", 4, "not of this pipeline: n_features_in_ is 4, not 3"),
        ("tol", np.inf, "not of this pipeline: tol is inf"),
        ("dual", [1], "not of this pipeline: dual is a list"),
    ],
)
def test_all_of_a_model_is_looked_at(name: str, value, line: str, tmp_path: Path) -> None:
    save_object(tmp_path / "a.joblib", fitted(**{name: value}))
    with pytest.raises(ArtifactError, match=rf"a\.joblib: {line}"):
        load_model(tmp_path / "a.joblib", CLASSES, PIXELS)
