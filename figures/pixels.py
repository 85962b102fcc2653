"""Pictures of pixels: images, weights, contributions. One colour scale for all weights."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter

from figures.style import WEIGHT_TICKS, weight_colours, weight_norm


def draw_image(axes: Axes, x: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """The ink of an image, x (height, width) in [0, 1], black on white.

    ``at`` is the column and the row where its first pixel goes.
    """
    return axes.imshow(x, cmap="gray_r", vmin=0, vmax=1, extent=_extent(x.shape, at))


def draw_weights(axes: Axes, w: np.ndarray, at: tuple[float, float] = (0, 0)) -> AxesImage:
    """w (height, width): red below 0, blue above, grey where exactly 0."""
    image, where = np.ma.masked_equal(w, 0), _extent(w.shape, at)
    return axes.imshow(image, cmap=weight_colours(), norm=weight_norm(), extent=where)


def draw_contributions(
    axes: Axes, w: np.ndarray, x: np.ndarray, at: tuple[float, float] = (0, 0)
) -> AxesImage:
    """w_j x_j, both (height, width), in the colours of weights; grey, ink on a weight of 0; white,
    no ink."""
    shown = draw_weights(axes, w * x, at)
    blank = np.ma.masked_not_equal(x, 0)
    axes.imshow(blank, cmap="gray_r", vmin=0, vmax=1, extent=_extent(x.shape, at))
    return shown


def weight_bar(figure: Figure, shown: AxesImage, axes: Axes, **place: Any) -> Colorbar:
    """The scale of the weights' colours beside, or below, `axes`."""
    bar = figure.colorbar(shown, ax=axes, extend="both", **place)
    bar.outline.set_visible(False)
    bar.set_ticks(WEIGHT_TICKS, minor=False)
    bar.formatter = FuncFormatter(lambda weight, _: f"{weight:+g}" if weight else "0")
    bar.minorticks_off()
    return bar


def name_ends(bar: Colorbar, below: str, above: str) -> None:
    """What the two ends of an upright scale stand for, beyond each."""
    for name, height, align in ((above, 1.07, "bottom"), (below, -0.07, "top")):
        bar.ax.text(0.5, height, name, transform=bar.ax.transAxes, ha="center", va=align)


def label_pixels(axes: Axes, shape: tuple[int, int]) -> None:
    """Rows and columns along the axes, at most ten of each with their numbers; no frame."""
    height, width = shape
    step = 4 * -(-max(shape) // 40)
    axes.set_xticks(range(0, width, step))
    axes.set_yticks(range(0, height, step))
    axes.spines[:].set_visible(False)
    axes.set_xlabel("column")
    axes.set_ylabel("row")


def _extent(shape: tuple[int, ...], at: tuple[float, float]) -> tuple[float, float, float, float]:
    (height, width), left, top = shape, at[0] - 0.5, at[1] - 0.5
    return left, left + width, top + height, top
