"""Stability: which pixels are chosen again when the training images are drawn anew."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from l1svc import bootstrap
from stages.convergence import converged
from stages.pixels import SIDE, label_pixels
from stages.style import ORANGE, ZERO, legend_below, new_figure

OFTEN = 0.9  # share of the samples from which on a pixel counts as chosen for good


def frequencies(
    X: np.ndarray, s: np.ndarray, C: float, samples: int, random_state: int
) -> np.ndarray:
    """(784,) share of bootstrap samples in whose optimum the weight of a pixel is not zero.

    Parameters
    ----------
    X : (n, 784) float64
    s : (n,) -1 or +1
    C : regularisation
    samples : number of samples of n images, drawn with replacement
    random_state : seed of the draws

    Raises
    ------
    NotConvergedError
        The solver did not reach its tolerance on one of the samples.
    """
    with converged(
        f"interpret: bootstrap at C={C}: newton did not converge on each of {samples} samples; "
        "allowed: a train.C at which it does (a smaller one is easier)"
    ):
        fits = bootstrap(X, s, C, samples, random_state=random_state, n_jobs=-1)
    return np.mean(fits.coef != 0, axis=0)


def often(share: np.ndarray) -> np.ndarray:
    """(784,) whether a pixel is chosen in at least OFTEN of the samples."""
    return share >= OFTEN


def picture(share: np.ndarray, C: float, samples: int) -> Figure:
    """How often each pixel is chosen; circles mark those of `often`."""
    figure = new_figure(7, 5.6)
    axes = figure.add_subplot()
    axes.set_facecolor(ZERO)
    image = np.ma.masked_equal(share, 0).reshape(SIDE, SIDE)
    shown = axes.imshow(image, cmap="Blues", vmin=0, vmax=1)
    rows, columns = np.nonzero(often(share).reshape(SIDE, SIDE))
    circles = axes.scatter(
        columns,
        rows,
        s=14,
        color="white",
        edgecolor=ORANGE,
        linewidth=1.2,
        label=f"in at least {OFTEN:.0%} of the samples",
    )
    label_pixels(axes)
    axes.set_title(
        f"{len(rows)} pixels are chosen in at least {OFTEN:.0%} of {samples} samples",
        loc="left",
    )
    bar = figure.colorbar(shown, ax=axes, shrink=0.86, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    bar.set_label(f"share of bootstrap samples with a non-zero weight, C = {C:g}")
    legend_below(figure, Patch(color=ZERO, label="never chosen"), circles)
    return figure
