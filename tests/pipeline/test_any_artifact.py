"""joblib and JSON files that are another's, or damaged: one line, or what fits the data.

The same for arrays: test_schemas.py.
"""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from l1svc.tests.rules import examples
from pipeline.about import About, load_about, save_about
from pipeline.artifacts import ArtifactError, load_metrics, save_object
from pipeline.errors import MAX_LINE
from pipeline.schemas import load_C, load_model

CLASSES, PIXELS = np.array([8, 5], dtype=np.uint8), 6
KEYS = ["C", "best_params_", "coef_", "names", "height", "width", "title", "credit", "ink_side"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["\x1b[31m", "\u2028", "x" * 10_000, *KEYS])
)
arrays = st.builds(
    lambda dtype, shape, value: np.full(shape, value).astype(dtype),
    st.sampled_from(["f8", "f4", "i8", "u1", "c16", "?", "S3", "U3", "M8[s]", "O"]),
    st.sampled_from([(), (0,), (1,), (2,), (6,), (1, 6), (2, 6), (1, 1, 6)]),
    st.integers(0, 9),
)


def tree(leaves: st.SearchStrategy) -> st.SearchStrategy:
    """Values within values."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
        ),
        max_leaves=8,
    )


def svc(**changes: object) -> LinearSVC:
    """A model that fits the data, with other attributes; one that is None has gone."""
    model = LinearSVC(C=0.2)
    model.coef_, model.intercept_ = np.zeros((1, PIXELS)), np.zeros(1)
    model.classes_ = CLASSES.astype(np.int64)
    for name, value in changes.items():
        setattr(model, name, value)
        if value is None:
            delattr(model, name)
    return model


attributes = ["C", "coef_", "intercept_", "classes_", "n_features_in_", "tol", "other"]
models = st.dictionaries(st.sampled_from(attributes), tree(scalars | arrays), max_size=3).map(
    lambda changes: svc(**changes)
)
searches = (tree(scalars | arrays)).map(lambda C: {"best_params_": {"C": C}})


def damaged(data: bytes, draw: st.DataObject) -> bytes:
    """Cut, with other bytes in it, or with more at its end."""
    kind = draw.draw(st.sampled_from(["cut", "flipped", "longer"]))
    at = draw.draw(st.integers(0, len(data) - 1))
    if kind == "cut":
        return data[:at]
    more = draw.draw(st.binary(min_size=1, max_size=8))
    return data[:at] + more + data[at + len(more) :] if kind == "flipped" else data + more


def read(file: Path, load: Callable[[Path], object]) -> object:
    """What it gives; None if it is refused, in one line."""
    try:
        return load(file)
    except ArtifactError as error:
        line = str(error).replace(str(file), "data/a.file")
        assert line.startswith("data/a.file: ")
        # a length that has flipped may ask for terabytes
        assert "`dvc repro` mends it" in line or line.endswith("cannot be read: not enough memory")
        assert len(line) <= MAX_LINE, line
        return None


@examples(50)
@given(value=tree(scalars | arrays) | models | searches, draw=st.data(), spoil=st.booleans())
def test_any_joblib_file(tmp_path_factory: pytest.TempPathFactory, value, draw, spoil) -> None:
    file = tmp_path_factory.getbasetemp() / "a.joblib"
    save_object(file, value)
    if spoil:
        file.write_bytes(damaged(file.read_bytes(), draw))
    model = read(file, partial(load_model, classes=CLASSES, pixels=PIXELS))
    if model is not None:
        assert np.isfinite(model.decision_function(np.zeros((1, PIXELS)))).all()
        assert model.classes_.tolist() == CLASSES.tolist()
    C = read(file, partial(load_C, choose="grid"))
    assert C is None or 0 < C < math.inf


ABOUT = {"title": "A", "credit": "B", "height": 2, "width": 3, "ink_side": None}
ABOUT |= {"names": {"8": "eight", "5": "five"}}
abouts = st.dictionaries(st.sampled_from([*ABOUT, "other"]), tree(scalars), max_size=2).map(
    lambda changes: ABOUT | changes
)


@examples(50)
@given(value=tree(scalars) | abouts, draw=st.data(), spoil=st.booleans())
@example(value=ABOUT, draw=None, spoil=False)
def test_any_json_file(tmp_path_factory: pytest.TempPathFactory, value, draw, spoil) -> None:
    file = tmp_path_factory.getbasetemp() / "a.json"
    file.write_text(json.dumps(value))
    if spoil:
        file.write_bytes(damaged(file.read_bytes(), draw))
    about = read(file, partial(load_about, pixels=PIXELS, classes=CLASSES))
    if about is not None:
        assert isinstance(about, About)
        assert about.height * about.width == PIXELS
        assert {5, 8} <= set(about.names)
        save_about(file, about)
        assert load_about(file, PIXELS, CLASSES) == about
    read(file, load_metrics)


def test_what_would_take_for_ever_to_read_is_not_read(tmp_path: Path) -> None:
    """Integers that Python refuses to read, and lists within lists; of joblib: hostile.py."""
    for text in ("1" * 5000, '{"height": ' + "1" * 5000 + "}", "[" * 50_000):
        (tmp_path / "a.json").write_text(text)
        assert read(tmp_path / "a.json", partial(load_about, pixels=6, classes=CLASSES)) is None
        assert read(tmp_path / "a.json", load_metrics) is None


def test_what_fits_passes(tmp_path: Path) -> None:
    """So that the others are not all refused for one reason."""
    save_object(tmp_path / "m.joblib", svc())
    save_object(tmp_path / "s.joblib", {"best_params_": {"C": 0.1}})
    (tmp_path / "a.json").write_text(json.dumps(ABOUT))
    assert load_model(tmp_path / "m.joblib", CLASSES, PIXELS).C == 0.2
    assert load_C(tmp_path / "s.joblib", "grid") == 0.1
    assert load_about(tmp_path / "a.json", PIXELS, CLASSES).width == 3


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        *(("C", value) for value in ("0.2", -1.0, None)),
        *(("coef_", np.full((1, PIXELS), value)) for value in (np.nan, 1)),
        *(("coef_", value) for value in (np.zeros((1, 5)), [[0.0] * PIXELS], None)),
        *(("intercept_", value) for value in (np.array([np.inf]), None)),
        *(("classes_", value) for value in (np.array([5, 8]), CLASSES.astype(float), None)),
    ],
)
def test_a_model_that_does_not_fit_gets_its_line(tmp_path: Path, attribute: str, value) -> None:
    save_object(tmp_path / "m.joblib", svc(**{attribute: value}))
    with pytest.raises(ArtifactError, match=rf"m\.joblib: not of this pipeline: {attribute}"):
        load_model(tmp_path / "m.joblib", CLASSES, PIXELS)


@pytest.mark.parametrize(
    "value",
    [3, {}, {"best_params_": 1}, *({"best_params_": {"C": C}} for C in ("0.2", 0.0, np.inf))],
)
def test_what_is_no_model_and_no_search_gets_its_line(tmp_path: Path, value) -> None:
    save_object(tmp_path / "a.joblib", value)
    with pytest.raises(ArtifactError, match=r"a\.joblib: not of this pipeline: best_params_"):
        load_C(tmp_path / "a.joblib", "grid")
    with pytest.raises(ArtifactError, match=r"a\.joblib: not of this pipeline: a \w+, not a Lin"):
        load_model(tmp_path / "a.joblib", CLASSES, PIXELS)
