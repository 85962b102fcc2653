"""Stage preprocess: images become rows of numbers from 0 to 1.

Reads data/filtered.npz; writes data/preprocessed.npz: X_train (n, p) float64, X_test, and
unchanged y_train, y_test (the labels), index_train, index_test, classes.
"""

from pathlib import Path

import numpy as np

from pipeline.artifacts import save_arrays
from pipeline.schemas import FILTERED, load
from pipeline.stage import run_stage

INPUT = Path("data/filtered.npz")
OUTPUT = Path("data/preprocessed.npz")


def scale_and_flatten(images: np.ndarray) -> np.ndarray:
    """x / 255: (n, h, w) uint8 to (n, h·w) float64 in [0, 1], row by row of the image."""
    return images.reshape(len(images), -1) / 255.0


def main() -> None:
    kept = load(INPUT, FILTERED)
    for name in ("X_train", "X_test"):
        kept[name] = scale_and_flatten(kept[name])
    save_arrays(OUTPUT, **kept)


if __name__ == "__main__":
    run_stage(main)
