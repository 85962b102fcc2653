"""joblib files: what the pipeline writes comes back, what would run code does not."""

import bz2
import functools
import gzip
import importlib
import lzma
import os
import pickle
import subprocess
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from pipeline.artifacts import ArtifactError, load_object, save_object


class Calls:
    """Unpickled, it calls a function."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def gadgets(mark: Path) -> dict[str, object]:
    """Each would leave `mark` behind, or bring in what is not the pipeline's."""
    touch = f"touch {mark}"
    svc = LinearSVC()
    svc.coef_ = Calls(os.system, touch)
    return {
        "os.system": Calls(os.system, touch),
        "subprocess.Popen": Calls(subprocess.Popen, ["touch", str(mark)]),
        "eval": Calls(eval, f"open({str(mark)!r}, 'w').close()"),
        "import_module": Calls(importlib.import_module, "this"),
        "getattr": Calls(getattr, "text", "join"),
        "partial": Calls(functools.partial, os.system, touch),
        "pickle.loads": Calls(pickle.loads, pickle.dumps(1)),
        "joblib.load": Calls(joblib.load, str(mark)),
        "numpy.savetxt": Calls(np.savetxt, str(mark), [1.0]),
        "FunctionTransformer": FunctionTransformer(os.system),
        "another model": LogisticRegression(),
        "in a model": svc,
        "in a dict": {"best_params_": {"C": Calls(os.system, touch)}},
        "in an array": np.array([Calls(os.system, touch), None], dtype=object),
    }


@pytest.mark.parametrize("name", gadgets(Path("x")))
def test_what_the_pipeline_never_writes_is_refused_before_it_runs(
    name: str, tmp_path: Path
) -> None:
    mark, file = tmp_path / "mark", tmp_path / "model.joblib"
    joblib.dump(gadgets(mark)[name], file)
    with pytest.raises(ArtifactError, match=r"model\.joblib: damaged \(UnpicklingError: asks for "):
        load_object(file)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_by_any_protocol(protocol: int, tmp_path: Path) -> None:
    mark, file = tmp_path / "mark", tmp_path / "model.joblib"
    file.write_bytes(pickle.dumps(Calls(os.system, f"touch {mark}"), protocol=protocol))
    with pytest.raises(ArtifactError, match=r"asks for \w+\.system"):
        load_object(file)
    assert not mark.exists()


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_nothing_is_unpacked(compress, tmp_path: Path) -> None:
    mark, file = tmp_path / "mark", tmp_path / "model.joblib"
    file.write_bytes(compress(pickle.dumps(Calls(os.system, f"touch {mark}"))))
    with pytest.raises(ArtifactError, match=r"model\.joblib: damaged"):
        load_object(file)
    assert not mark.exists()


def test_what_the_pipeline_writes_comes_back(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 2
    model = LinearSVC(penalty="l1", dual=False).fit(X, y)
    table = {"param_C": np.ma.masked_array([0.1], mask=[False]), "n": np.int64(3), "names": ["a"]}
    for value in (model, table):
        save_object(tmp_path / "a.joblib", value)
        back = load_object(tmp_path / "a.joblib")
        assert type(back) is type(value)
    np.testing.assert_array_equal(back["param_C"], table["param_C"])
    assert (back["n"], back["names"]) == (3, ["a"])
