"""A folder like the project's, with small made-up data, in which a stage's main runs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from ruamel.yaml import YAML
from sklearn.svm import LinearSVC

from pipeline.about import save_about
from pipeline.artifacts import save_arrays, save_object
from pipeline.datasets import DATASETS
from pipeline.params import Section, Train, load_params
from stages import gridsearch as search
from stages.preprocess import signs
from stages.train import fit


@pytest.fixture(autouse=True)
def one_core_and_a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No processes of joblib's, which take seconds to start; bars have room for their numbers."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params_text: str
) -> Callable[..., Section]:
    """Work in a folder with the tests' params.yaml; the returned function changes a section and
    gives it as a stage gets it."""
    monkeypatch.chdir(tmp_path)
    file = Path("params.yaml")
    file.write_text(params_text, encoding="utf-8")
    params = YAML(typ="safe").load(params_text)

    def change(section: str, **values: object) -> Section:
        params[section] |= values
        file.write_text(json.dumps(params), encoding="utf-8")  # JSON is YAML
        return getattr(load_params(), section)

    return change


@pytest.fixture
def preprocessed(project, digits) -> dict[str, np.ndarray]:
    """What data/preprocessed.npz holds: 60 images to learn from, 40 to test; 8 is negative."""
    X, y = digits(100)
    X = np.rint(X * 255) / 255
    y[::9] = 13 - y[::9]  # these look like the other digit
    arrays = {
        "X_train": X[:60],
        "y_train": y[:60].astype(np.uint8),
        "index_train": np.arange(60) * 2,
        "X_test": X[60:],
        "y_test": y[60:].astype(np.uint8),
        "index_test": np.arange(40) * 3 + 7,
        "classes": np.array([8, 5], dtype=np.uint8),
    }
    images = {f"X_{part}": np.rint(arrays[f"X_{part}"] * 255) for part in ("train", "test")}
    images = {name: rows.astype(np.uint8).reshape(-1, 28, 28) for name, rows in images.items()}
    save_arrays(Path("data/filtered.npz"), **arrays | images)
    for part in ("train", "test"):
        arrays[f"s_{part}"] = signs(arrays[f"y_{part}"], arrays["classes"])
    save_arrays(Path("data/preprocessed.npz"), **arrays)
    save_about(Path("data/raw/about.json"), DATASETS["mnist"].about)
    return arrays


@pytest.fixture
def model(preprocessed) -> LinearSVC:
    """What data/model.joblib holds: the model at C = 0.5."""
    params = Train(
        C=None, choose="grid", solver="newton", tol=1e-8, max_iter=10_000, random_state=0
    )
    found = fit(
        preprocessed["X_train"], preprocessed["s_train"], preprocessed["classes"], 0.5, params
    )
    save_object(Path("data/model.joblib"), found)
    return found


@pytest.fixture
def searched(project, preprocessed) -> Callable[..., None]:
    """Run the search: what data/gridsearch.joblib and data/path.npz hold."""

    def run(**values: object) -> None:
        search.main(project("gridsearch", C=[0.02, 0.5], cv=2, path=12, **values))

    return run


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Figure]:
    """The figure that a stage saved under this name."""
    figures: dict[bytes, Figure] = {}

    def png(figure: Figure) -> bytes:
        name = f"picture {len(figures)}".encode()
        figures[name] = figure
        return name

    for stage in ("evaluate", "interpret"):
        monkeypatch.setattr(f"stages.{stage}.png", png)
    return lambda file: figures[Path(file).read_bytes()]


@pytest.fixture
def table() -> Callable[[str], tuple[list[str], np.ndarray]]:
    """A CSV file's header and numbers."""

    def read(file: str) -> tuple[list[str], np.ndarray]:
        header, *rows = (line.split(",") for line in Path(file).read_text().splitlines())
        return header, np.array(rows, dtype=float)

    return read
