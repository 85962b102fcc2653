"""What each file that stages hand on must hold: names, types, shapes against each other, ranges.

A file that can be read may still be another one's: whoever reads it gets one line, not results.
"""

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from pipeline.artifacts import ArtifactError, load_arrays, load_object

if TYPE_CHECKING:
    from sklearn.svm import LinearSVC

INTEGERS = "integers"
WORKSPACE = 384 << 20  # bytes beside the data: OpenBLAS' buffers, and a stage's own arrays
LABELS = -(2**63), 2**63 - 1  # as params.yaml may name them
MOST_WEIGHT = 1e7  # exact_scores holds weight · 10^11 as an int64, which ends at 9.2e18
C_RANGE = 1e-9, 1e6  # as in params.yaml
NO_C = "not a number from {:g} to {:g}".format(*C_RANGE)


@dataclass(frozen=True)
class Array:
    """One array: a dtype (or any INTEGERS), the names of its axes, the least and largest value."""

    dtype: str
    axes: tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf
    may_be_empty: bool = False

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join(self.axes)})"


Schema = Mapping[str, Array]

IMAGES: Schema = {
    f"{name}_{part}": Array(dtype, (f"n_{part}", *axes), *LABELS)
    for part in ("train", "test")
    for name, dtype, axes in (("x", "uint8", ("height", "width")), ("y", INTEGERS, ()))
}


def _of_two_classes(images: str, *axes: str, high: float = math.inf) -> Schema:
    schema: dict[str, Array] = {}
    for part in ("train", "test"):
        n = f"n_{part}"
        schema |= {
            f"X_{part}": Array(images, (n, *axes), 0.0, high),
            f"y_{part}": Array(INTEGERS, (n,), *LABELS),
            f"index_{part}": Array("int64", (n,), 0),
        }
    return schema | {"classes": Array(INTEGERS, ("2",), *LABELS)}


FILTERED = _of_two_classes("uint8", "height", "width")
PREPROCESSED: Schema = {
    **_of_two_classes("float64", "pixels", high=1.0),
    **{f"s_{part}": Array("int8", (f"n_{part}",), -1, 1) for part in ("train", "test")},
}
LARGEST_FLOAT = np.finfo(np.float64).max
POINTS: Schema = {
    "C": Array("float64", ("points",), 0.0, LARGEST_FLOAT),
    "coef": Array("float64", ("points", "pixels"), -LARGEST_FLOAT, LARGEST_FLOAT),
    "intercept": Array("float64", ("points",), -LARGEST_FLOAT, LARGEST_FLOAT),
}
# Empty, all of them, where the path was not followed from one point to the next.
FOLLOWED: Schema = {
    "corner_C": Array("float64", ("corners",), 0.0, LARGEST_FLOAT, may_be_empty=True),
    "corner_start": Array("int32", ("corners and the end",), 0, may_be_empty=True),
    "corner_column": Array("int32", ("weights",), 0, may_be_empty=True),
    "corner_weight": Array("int64", ("weights",), may_be_empty=True),
    "turn_column": Array("int64", ("turns",), 0, may_be_empty=True),
    "turn_C": Array("float64", ("turns",), 0.0, LARGEST_FLOAT, may_be_empty=True),
    "train_C": Array("float64", ("steps",), 0.0, LARGEST_FLOAT, may_be_empty=True),
    "train_accuracy": Array("float64", ("steps",), 0.0, 1.0, may_be_empty=True),
}


def load(path: Path, schema: Schema, *names: str, **axes: int) -> dict[str, np.ndarray]:
    """The arrays `names` of an npz, all of them if none is named, once they are as `schema` says.

    `axes` are lengths that other files have.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    MemoryError
        The arrays fit, but nothing can be computed with them.
    """
    arrays = load_arrays(path, *(names or schema))
    # An axis' name: its length, and the array that has it. The axis "2" has the length 2.
    sizes: dict[str, tuple[int, str]] = {"2": (2, "")}
    sizes |= {axis: (size, "other files") for axis, size in axes.items()}
    for name, array in arrays.items():
        _check(path, name, array, schema[name], sizes)
    for name in ("s_train", "s_test"):
        if name in arrays and np.unique(arrays[name]).tolist() != [-1, 1]:
            raise foreign(path, f"{name} is not of -1 and +1")
    classes = arrays.get("classes")
    if classes is not None:
        if classes[0] == classes[1]:
            raise foreign(path, f"classes are {classes.tolist()}, not two")
        for name in ("y_train", "y_test"):
            if name in arrays and not np.array_equal(np.unique(arrays[name]), np.sort(classes)):
                raise foreign(path, f"{name} has not the labels {classes.tolist()}, these alone")
    _room_for(WORKSPACE)
    return arrays


def load_path(path: Path, pixels: int) -> dict[str, np.ndarray]:
    """The path over C of images with so many pixels, as analysis.follow describes it.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    """
    found = load(path, {**POINTS, **FOLLOWED}, pixels=pixels)
    start, column, turn = (found[n] for n in ("corner_start", "corner_column", "turn_column"))
    followed = len(found["corner_C"]) > 0
    for name in ("C", "corner_C", "train_C"):
        if np.any(np.diff(found[name]) <= 0):
            raise foreign(path, f"{name} does not ascend")
    if followed and not (
        len(start) == len(found["corner_C"]) + 1
        and start[0] == 0
        and start[-1] == len(column)
        and np.all(np.diff(start) >= 0)
        and len(found["train_C"])
        and np.all(np.diff(turn) >= 0)
        and max(column.max(initial=0), turn.max(initial=0)) <= pixels  # the bias is last
    ):
        raise foreign(path, "its corners do not fit each other")
    return found


def _room_for(size: int) -> None:
    """A MemoryError unless so many bytes can be had beside what is loaded.

    OpenBLAS does not end where it gets no memory for its buffers: it tries again, for ever.
    """
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError as error:
        raise MemoryError(f"no {size >> 20} MiB beside the data") from error


def _check(
    path: Path, name: str, array: np.ndarray, wanted: Array, sizes: dict[str, tuple[int, str]]
) -> None:
    integers = wanted.dtype == INTEGERS and array.dtype.kind in "iu"
    if not (integers or array.dtype.name == wanted.dtype) or array.ndim != len(wanted.axes):
        raise foreign(path, f"{name} is {array.dtype} {array.shape}, not {wanted}")
    for axis, size in zip(wanted.axes, array.shape, strict=True):
        known, of = sizes.setdefault(axis, (size, name))
        if size != known:
            beside = f"beside {of} of {known}" if of else f"not {known}"
            raise foreign(path, f"{name} has {size} along {axis}, {beside}")
    if not array.size:
        if wanted.may_be_empty:
            return
        raise foreign(path, f"{name} is empty")
    # NaN is not between any two numbers
    if not (array.min() >= wanted.low and array.max() <= wanted.high):
        raise foreign(path, f"{name} is not all from {wanted.low:g} to {wanted.high:g}")


def foreign(path: Path, what: str) -> ArtifactError:
    """The refusal of a file that can be read but is another's."""
    return ArtifactError(f"{path}: not of this pipeline: {what}; `dvc repro` mends it")


def load_model(path: Path, classes: np.ndarray, pixels: int) -> "LinearSVC":
    """The trained model, once it fits the data: labels `classes`, a finite weight for each pixel.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    """
    model: Any = load_object(path)
    if type(model).__name__ != "LinearSVC":
        raise foreign(path, f"a {type(model).__name__}, not a LinearSVC")
    C = getattr(model, "C", None)
    if not _is_C(C):
        raise foreign(path, f"C is {_short(C)}, {NO_C}")
    for name, shape in (("coef_", (1, pixels)), ("intercept_", (1,))):
        weights = getattr(model, name, None)
        if not (
            type(weights) is np.ndarray  # a masked array hides what it holds
            and weights.dtype == np.float64
            and weights.shape == shape
            and (np.abs(weights) <= MOST_WEIGHT).all()  # NaN is not
        ):
            raise foreign(path, f"{name} is not float64 {shape}, up to ±{MOST_WEIGHT:g}")
    labels = getattr(model, "classes_", None)
    if not (
        type(labels) is np.ndarray and labels.dtype.kind in "iu" and np.array_equal(labels, classes)
    ):
        raise foreign(path, f"classes_ are {_short(labels)}, not the data's {classes.tolist()}")
    for name, value in vars(model).items():
        if name not in ("coef_", "intercept_", "classes_") and not _is_scalar(value):
            raise foreign(path, f"{name} is {_short(value)}, not a finite number or a text")
    if getattr(model, "n_features_in_", pixels) != pixels:
        raise foreign(path, f"n_features_in_ is {_short(model.n_features_in_)}, not {pixels}")
    svc: LinearSVC = model
    return svc


CHOSEN = {"grid": "best_params_", "sparsest": "sparsest_params_", "exact": "exact_params_"}


def load_C(path: Path, choose: str) -> float:
    """The C that the search found: the best of the grid, the sparsest, or the best of every C.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    """
    found, key = load_object(path), CHOSEN[choose]
    params = found.get(key) if isinstance(found, dict) else None
    C = params.get("C") if isinstance(params, dict) else None
    if not _is_C(C):
        raise foreign(path, f"{key} have C = {_short(C)}, {NO_C}")
    return C


def _is_C(value: Any) -> TypeGuard[float]:
    return isinstance(value, float) and C_RANGE[0] <= value <= C_RANGE[1]


def _is_scalar(value: Any) -> bool:
    number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return number or value is None or isinstance(value, str)


def _short(value: Any) -> str:
    """A number, a text or a few numbers as Python writes them; of all else the type.

    What lists within lists stand for may be too much to write, and so may an integer.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size <= 10:
        value = value.tolist()
    elif (isinstance(value, int) and value.bit_length() > 64) or not (
        value is None or isinstance(value, int | float | str)
    ):
        return f"a {type(value).__name__}"
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
