"""The order of entry: at which C each pixel begins to count."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.pixels import label_pixels
from figures.style import AMOUNT, INK, ZERO, legend_below, new_figure


def entry(first: np.ndarray, steps: tuple[np.ndarray, np.ndarray], C: float, exact: bool) -> Figure:
    """Two panels: the C at which each pixel enters, and below it the number of weights over C.

    A darker pixel enters at a smaller C.

    Parameters
    ----------
    first : (height, width) the smallest C at which the pixel's weight is not 0; infinite if never
    steps : (k,) ascending C, and (k,) numbers of non-zero weights, each from its C to the next
    C : the C of the trained model; both panels mark it
    exact : whether every C was followed; else only some values of C were tried
    """
    at, count = steps
    figure = new_figure(7, 7.4)
    axes, counts = figure.subplots(2, 1, height_ratios=[5, 1.5])
    axes.set_facecolor(ZERO)
    entered = np.isfinite(first)
    norm = LogNorm(at[0], at[-1])
    shown = axes.imshow(np.ma.masked_array(first, ~entered), cmap=AMOUNT.reversed(), norm=norm)
    label_pixels(axes, first.shape)
    what = "every C followed" if exact else f"{len(at)} values of C tried"
    axes.set_title(f"{entered.sum()} pixels, in the order in which they begin to count", loc="left")
    bar = figure.colorbar(shown, ax=axes, shrink=0.86, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.axhline(C, color=INK, lw=1.5)
    bar.set_label(f"C of a pixel's first non-zero weight ({what})")

    counts.step(at, count, where="post", color=INK, lw=1)
    line = counts.axvline(C, color=INK, lw=1.5, label=f"trained: C = {C:g}")
    counts.set_xscale("log")
    counts.xaxis.set_major_formatter("{x:g}")
    counts.set_xlim(at[0], at[-1])
    counts.set_ylim(0, first.size + 1)
    counts.set_ylabel("non-zero weights")
    counts.set_xlabel("C  (left: a stronger L1 penalty)")
    legend_below(figure, Patch(color=ZERO, label="weight always 0"), line)
    return figure
