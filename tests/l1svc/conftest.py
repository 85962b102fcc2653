from pathlib import Path

import numpy as np
import pytest

MNIST = Path(__file__).resolve().parents[2] / "data" / "raw" / "mnist.npz"


def five_vs_eight(part):
    """(X, y) of the 5s (-1) and 8s (+1), in the original order, X in [0, 1]."""
    with np.load(MNIST) as arrays:
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    kept = (labels == 5) | (labels == 8)
    return images[kept].reshape(-1, 784) / 255.0, np.where(labels[kept] == 8, 1, -1)


@pytest.fixture(scope="session")
def mnist():
    """((X, y) of the training images, (X, y) of the test images)."""
    if not MNIST.exists():
        pytest.skip(f"{MNIST.name} is not there: run make repro first")
    return five_vs_eight("train"), five_vs_eight("test")


@pytest.fixture
def problem():
    """A small problem whose optimum is unique: (X, y) of 120 rows and 12 columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    return X, np.where(X[:, :4].sum(axis=1) + 0.8 * rng.normal(size=120) > 0, 1, -1)
