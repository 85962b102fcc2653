"""The order of entry: at which C each pixel begins to count."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.pixels import label_pixels
from figures.style import AMOUNT, INK, ZERO, legend_below, new_figure


def entry(first: np.ndarray, steps: tuple[np.ndarray, np.ndarray], C: float, exact: bool) -> Figure:
    """The C of each pixel's entry, the darker the sooner, above the number of weights over C.

    Parameters
    ----------
    first : (height, width) the C at which the weight is not 0 for the first time; infinite: none
    steps : (k,) ascending C and (k,) numbers of weights that are not 0, from each on
    C : the trained model's, marked
    exact : whether every C was followed, or some were tried
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
