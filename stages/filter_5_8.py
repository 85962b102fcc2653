"""Stage filter_5_8: the images of two digits, in MNIST's order.

Reads data/raw/mnist.npz; writes data/filtered.npz: X_train (n, 28, 28), y_train (n,), their
positions in MNIST index_train (n,), the same for test, and classes (2,) as the params give them.
"""

from pathlib import Path

import numpy as np

from pipeline.artifacts import load_arrays, save_arrays
from pipeline.params import Filter58, run_stage

INPUT = Path("data/raw/mnist.npz")
OUTPUT = Path("data/filtered.npz")


def keep_classes(
    X: np.ndarray, y: np.ndarray, classes: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows i with y[i] in `classes`, in their order.

    Parameters
    ----------
    X : (n, 28, 28) uint8
    y : (n,) uint8, the labels
    classes : the digits to keep

    Returns
    -------
    X (m, 28, 28) uint8, y (m,) uint8, index (m,) int64 : X = X[index], y = y[index]
    """
    index = np.flatnonzero(np.isin(y, classes)).astype(np.int64)
    return X[index], y[index], index


def main(params: Filter58) -> None:
    mnist = load_arrays(INPUT, "x_train", "y_train", "x_test", "y_test")
    X_train, y_train, index_train = keep_classes(mnist["x_train"], mnist["y_train"], params.classes)
    X_test, y_test, index_test = keep_classes(mnist["x_test"], mnist["y_test"], params.classes)
    save_arrays(
        OUTPUT,
        X_train=X_train,
        y_train=y_train,
        index_train=index_train,
        X_test=X_test,
        y_test=y_test,
        index_test=index_test,
        classes=np.array(params.classes, dtype=np.uint8),
    )


if __name__ == "__main__":
    run_stage(main, "filter_5_8")
