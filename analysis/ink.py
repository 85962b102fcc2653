"""Ink: what the images of a data set have in common. The explorer warns where a drawing differs.

The results are the same on every machine: sums are of whole numbers, or rounded.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.rounding import round_measure

UNUSUAL = 0.01  # the share of the images below a range, and of those above it
ROWS = 1000  # images compared with all others at a time


@dataclass(frozen=True)
class Usual:
    """Ranges, with UNUSUAL of the images below and UNUSUAL above."""

    ink: tuple[float, float]  # the sum of an image's pixels, each 0 to 1
    inked: tuple[int, int]  # how many of its pixels are not blank
    likeness: float  # to the most similar other image; UNUSUAL of the images are below
    stroke: float  # the median width of strokes, in pixels


def usual(images: np.ndarray) -> Usual:
    """The measures of (n, height, width) uint8 images, n at least 1."""
    ink = images.sum(axis=(1, 2), dtype=np.int64)
    inked = np.count_nonzero(images, axis=(1, 2))
    return Usual(
        ink=(_lowest(ink) / 255, _highest(ink) / 255),
        inked=(int(_lowest(inked)), int(_highest(inked))),
        likeness=round_measure(_lowest(likenesses(images))),
        stroke=round_measure(float(np.quantile(stroke_widths(images), 0.5, method="lower"))),
    )


def likenesses(images: np.ndarray) -> np.ndarray:
    """(n,) max over j ≠ i of cos(x_i, x_j) = x_i·x_j / (‖x_i‖ ‖x_j‖): 1 for a copy, darker or not.

    0 for an image without ink, or without another one.

    Parameters
    ----------
    images : (n, height, width) uint8
    """
    x = images.reshape(len(images), -1).astype(float)
    square = np.einsum("ij,ij->i", x, x)
    nearest = np.zeros(len(x))
    for start in range(0, len(x), ROWS):
        part = slice(start, start + ROWS)
        product = x[part] @ x.T
        rows = np.arange(len(product))
        product[rows, start + rows] = 0
        lengths = np.sqrt(np.outer(square[part], square))
        nearest[part] = np.max(
            np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0), axis=1
        )
    return nearest


def stroke_widths(images: np.ndarray) -> np.ndarray:
    """(n,) the mean width of the strokes, 2 Σ x / Σ ‖∇x‖, in pixels; 0 without ink.

    A stroke of width d and length L has the ink d·L, and its two edges a total variation of 2 L.

    Parameters
    ----------
    images : (n, height, width) uint8; ∇x is of differences to the next pixel, blank beyond the edge
    """
    x = np.pad(images.astype(float), ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(x, axis=1)[:, :, :-1], np.diff(x, axis=2)[:, :-1]
    variation = np.sqrt(down**2 + right**2).sum(axis=(1, 2))
    ink = 2 * x.sum(axis=(1, 2))
    widths: np.ndarray = np.divide(ink, variation, out=np.zeros_like(ink), where=variation > 0)
    return widths


def _lowest(values: np.ndarray) -> float:
    """One of the values, with a share of UNUSUAL of them below it."""
    return float(np.quantile(values, UNUSUAL, method="lower"))


def _highest(values: np.ndarray) -> float:
    return float(np.quantile(values, 1 - UNUSUAL, method="higher"))
