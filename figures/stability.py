"""Stability: how often each pixel is chosen when the training images are drawn anew."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.pixels import label_pixels
from figures.style import AMOUNT, INK, ZERO, legend_below, new_figure


def stability(
    share: np.ndarray, often: np.ndarray, threshold: float, C: float, samples: int
) -> Figure:
    """The share of samples that choose each pixel; circles mark those chosen often.

    Parameters
    ----------
    share : (height, width) in [0, 1]
    often : (height, width) whether the share is at least `threshold`
    threshold : for the words
    C, samples : of the bootstrap, for the words
    """
    figure = new_figure(7, 5.6)
    axes = figure.add_subplot()
    axes.set_facecolor(ZERO)
    shown = axes.imshow(np.ma.masked_equal(share, 0), cmap=AMOUNT, vmin=0, vmax=1)
    rows, columns = np.nonzero(often)
    circles = axes.scatter(
        columns,
        rows,
        s=14,
        color="white",
        edgecolor=INK,
        linewidth=1.2,
        label=f"in at least {threshold:.0%} of the samples",
    )
    label_pixels(axes, share.shape)
    axes.set_title(
        f"{len(rows)} pixels are chosen in at least {threshold:.0%} of {samples} samples",
        loc="left",
    )
    bar = figure.colorbar(shown, ax=axes, shrink=0.86, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    bar.set_label(f"share of bootstrap samples with a non-zero weight, C = {C:g}")
    legend_below(figure, Patch(color=ZERO, label="never chosen"), circles)
    return figure
