"""Pictures of 28×28 pixels: digits, weights, contributions. One colour scale for all weights."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm
from matplotlib.image import AxesImage

from stages.style import WEIGHTS, ZERO

SIDE = 28  # pixels
# Weights span three orders of magnitude: linear up to LINEAR, logarithmic beyond; a larger weight
# has the colour of LARGEST. The same on every run, so that two pictures can be compared.
LINEAR, LARGEST = 0.1, 2.0
COLOURS = colormaps[WEIGHTS].with_extremes(bad=ZERO)


def draw_digit(axes: Axes, x: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """The ink of an image, x of shape (784,) in [0, 1], black on white.

    ``at`` is the column and the row where its first pixel goes.
    """
    where = _extent(at)
    return axes.imshow(x.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1, extent=where)


def draw_weights(axes: Axes, w: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """w of shape (784,), or w times an image: red below 0, blue above, grey where exactly 0."""
    image, where = np.ma.masked_equal(w.reshape(SIDE, SIDE), 0), _extent(at)
    norm = AsinhNorm(LINEAR, -LARGEST, LARGEST)
    return axes.imshow(image, cmap=COLOURS, norm=norm, extent=where)


def label_pixels(axes: Axes) -> None:
    """Rows and columns along the axes, every fourth with its number; no frame."""
    axes.set_xticks(range(0, SIDE, 4))
    axes.set_yticks(range(0, SIDE, 4))
    axes.spines[:].set_visible(False)
    axes.set_xlabel("column")
    axes.set_ylabel("row")


def _extent(at: tuple[float, float]) -> tuple[float, float, float, float]:
    left, top = at[0] - 0.5, at[1] - 0.5
    return left, left + SIDE, top + SIDE, top
