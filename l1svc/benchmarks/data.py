"""The digits that every benchmark runs on."""

from pathlib import Path

import numpy as np

IMAGES = Path(__file__).resolve().parents[2] / "data/raw/images.npz"  # as the pipeline saves MNIST
CS = (0.025, 0.05, 0.1, 0.2, 0.4)


def load(test=False, pair=(5, 8)):
    """(X, y): MNIST's training images of 5 (-1) and 8 (+1), (11272, 784) float64 in [0, 1].

    Or of another `pair` of digits. With `test`, (X, y, X_test, y_test).
    """
    if not IMAGES.exists():
        raise SystemExit(f"{IMAGES} is not there; allowed: MNIST, by `make repro` of the pipeline")
    with np.load(IMAGES) as archive:
        arrays = dict(archive)
    found = []
    for part in ("train", "test") if test else ("train",):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        kept = np.isin(labels, pair)
        found += [images[kept].reshape(-1, 784) / 255.0, np.where(labels[kept] == pair[1], 1, -1)]
    return tuple(found)
