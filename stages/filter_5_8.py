"""Stage filter_5_8: the images of two classes (5 and 8 by default), in the data set's order.

Reads data/raw/images.npz; writes data/filtered.npz: X_train (n, height, width), y_train (n,), their
positions in the data set index_train (n,), the same for test, and classes (2,) as the params give
them.
"""

from pathlib import Path

import numpy as np

from pipeline.artifacts import save_arrays
from pipeline.errors import PipelineError, listed
from pipeline.params import Filter58
from pipeline.schemas import IMAGES, load
from pipeline.stage import run_stage

INPUT = Path("data/raw/images.npz")
OUTPUT = Path("data/filtered.npz")


class ClassesError(PipelineError):
    """A class has no image to train on, or none to test with."""


def keep_classes(
    X: np.ndarray, y: np.ndarray, classes: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows i with y[i] in `classes`, in their order.

    Parameters
    ----------
    X : (n, height, width) uint8
    y : (n,) integers, the labels
    classes : the labels to keep

    Returns
    -------
    kept X[index] (m, height, width) and y[index] (m,), index (m,) int64

    Raises
    ------
    ClassesError
        One of `classes` is not in y.
    """
    found = np.unique(y).tolist()
    if not set(classes) <= set(found):
        raise ClassesError(
            f"params.yaml: filter_5_8.classes: got {classes}; allowed: two labels that the data "
            f"have, to train and to test: {listed(found)}"
        )
    index = np.flatnonzero(np.isin(y, classes)).astype(np.int64)
    return X[index], y[index], index


def main(params: Filter58) -> None:
    raw = load(INPUT, IMAGES)
    X_train, y_train, index_train = keep_classes(raw["x_train"], raw["y_train"], params.classes)
    X_test, y_test, index_test = keep_classes(raw["x_test"], raw["y_test"], params.classes)
    save_arrays(
        OUTPUT,
        X_train=X_train,
        y_train=y_train,
        index_train=index_train,
        X_test=X_test,
        y_test=y_test,
        index_test=index_test,
        classes=np.array(params.classes, dtype=y_train.dtype),
    )


if __name__ == "__main__":
    run_stage(main, "filter_5_8")
