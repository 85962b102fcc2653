"""What makes the real graph quick for tests: params that take little time, and small data."""

import hashlib
from pathlib import Path

import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

# The one place for them: tests/test_quick.py knows which keys of params.yaml cost time.
QUICK: dict[str, dict[str, object]] = {
    "gridsearch": {
        "C": [0.02, 0.05, 0.1],
        "range": None,
        "path": 12,
        "follow_path": False,
        "cv": 2,
    },
    "evaluate": {"mistakes": 1, "uncertain": 1},
    "interpret": {"bootstraps": 2},
}
FEWER = 56  # images of each digit that is neither 5 nor 8


def small_images() -> dict[str, np.ndarray]:
    """Real digits in Keras' layout, three of four to train on, most of them 5s and 8s.

    scikit-learn has them in 8×8; here they are scaled to 24×24 inside 28×28. A little noise on the
    ink keeps the columns of 784 pixels independent of one another, as those of MNIST are.
    """
    given = load_digits()
    rank = np.array([np.sum(given.target[:i] == label) for i, label in enumerate(given.target)])
    kept = np.flatnonzero(np.isin(given.target, [5, 8]) | (rank < FEWER))
    x = zoom(given.images[kept] * (235 / 16), (1, 3, 3), order=1)  # (n, 24, 24)
    x = np.where(x > 8, x + np.random.default_rng(0).integers(-8, 21, x.shape), 0)
    x = np.pad(x, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    y = given.target[kept].astype(np.uint8)
    test = np.arange(len(y)) % 4 == 3
    return {"x_train": x[~test], "y_train": y[~test], "x_test": x[test], "y_test": y[test]}


def save_images(file: Path, **arrays: np.ndarray) -> dict[str, str]:
    """Write a data set; what `download` in params.yaml says of it, for a project in its folder."""
    np.savez_compressed(file, **arrays)
    return {
        "dataset": "file",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
