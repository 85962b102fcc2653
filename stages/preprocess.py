"""Stage preprocess: images become rows of numbers from 0 to 1.

Reads data/filtered.npz; writes data/preprocessed.npz: X_train (n, p) float64 and X_test; s_train
(n,) int8 and s_test, -1 for the first class and +1 for the second; and unchanged y_train, y_test
(the labels), index_train, index_test, classes.
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


def signs(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n,) int8: -1 where a label of y (n,) is the first of `classes` (2,), +1 where the second."""
    return np.where(y == classes[1], 1, -1).astype(np.int8)


def main() -> None:
    kept = load(INPUT, FILTERED)
    for part in ("train", "test"):
        kept[f"X_{part}"] = scale_and_flatten(kept[f"X_{part}"])
        kept[f"s_{part}"] = signs(kept[f"y_{part}"], kept["classes"])
    save_arrays(OUTPUT, **kept)


if __name__ == "__main__":
    run_stage(main)
