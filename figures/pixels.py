"""Pictures of 28×28 pixels: digits, weights, contributions. One colour scale for all weights."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter

from figures.style import WEIGHT_TICKS, weight_colours, weight_norm

SIDE = 28  # pixels


def draw_digit(axes: Axes, x: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """The ink of an image, x of shape (784,) in [0, 1], black on white.

    ``at`` is the column and the row where its first pixel goes.
    """
    where = _extent(at)
    return axes.imshow(x.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1, extent=where)


def draw_weights(axes: Axes, w: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """w of shape (784,): red below 0, blue above, grey where exactly 0."""
    image, where = np.ma.masked_equal(w.reshape(SIDE, SIDE), 0), _extent(at)
    return axes.imshow(image, cmap=weight_colours(), norm=weight_norm(), extent=where)


def draw_contributions(
    axes: Axes, w: np.ndarray, x: np.ndarray, at: tuple[float, float] = (0, 0)
) -> AxesImage:
    """w_j x_j, in the colours of weights; grey, ink on a weight of 0; white, no ink."""
    shown = draw_weights(axes, w * x, at)
    blank = np.ma.masked_not_equal(x.reshape(SIDE, SIDE), 0)
    axes.imshow(blank, cmap="gray_r", vmin=0, vmax=1, extent=_extent(at))
    return shown


def weight_bar(figure: Figure, shown: AxesImage, axes: Axes, **place: Any) -> Colorbar:
    """The scale of the weights' colours beside, or below, `axes`."""
    bar = figure.colorbar(shown, ax=axes, extend="both", **place)
    bar.outline.set_visible(False)
    bar.set_ticks(WEIGHT_TICKS, minor=False)
    bar.formatter = FuncFormatter(lambda weight, _: f"{weight:+g}" if weight else "0")
    bar.minorticks_off()
    return bar


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
