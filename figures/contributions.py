"""Contributions: chosen images, each beside what its pixels add to the score."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.pixels import SIDE, draw_contributions, draw_digit, weight_bar
from figures.style import GREY, ZERO, headline, legend_below, new_figure
from pipeline.labels import with_article


def contributions(
    title: str,
    X: np.ndarray,
    y: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    index: np.ndarray,
    w: np.ndarray,
    classes: tuple[int, int],
    columns: int = 4,
) -> Figure:
    """Images, each beside its map of contributions w_j x_j: the score is their sum and the bias.

    Parameters
    ----------
    title : says which images
    X : (k, 784) float64, the images
    y, predicted : (k,) digits
    scores : (k,) decision values
    index : (k,) positions in MNIST's test set
    w : (784,) weights
    classes : the digits that a negative and a positive contribution speak for
    columns : images in a row
    """
    rows = max(1, -(-len(X) // columns))
    figure = new_figure(2.35 * columns, 1.48 * rows + 1.3)
    headline(figure, title)
    # One set of axes for all: sixty of them would take seconds to lay out.
    axes = figure.add_subplot()
    axes.set_axis_off()
    step = SIDE + 3
    shown = draw_contributions(axes, w, np.zeros_like(w))  # for the scale, where no image is
    for cell in range(len(X)):
        left, top = 2 * step * (cell % columns), (step + 8) * (cell // columns)
        draw_digit(axes, X[cell], (left, top))
        draw_contributions(axes, w, X[cell], (left + step, top))
        said = "" if predicted[cell] == y[cell] else f", read as {predicted[cell]}"
        axes.text(left, top - 2, f"{with_article(y[cell])}{said}", fontsize=9)
        axes.text(left + step, top - 2, f"score {scores[cell]:+.2f}", fontsize=8, color=GREY)
        axes.text(left, top + SIDE, f"no. {index[cell]}", fontsize=6.5, color=GREY, va="top")
    axes.set_xlim(-0.5, 2 * step * columns - 3)
    axes.set_ylim((step + 8) * rows - 5, -7)
    negative, positive = classes
    bar = weight_bar(figure, shown, axes, location="bottom", shrink=0.6, pad=0.01, aspect=40)
    bar.set_label(
        f"right of each image, weight × ink: ← for {with_article(negative)}, "
        f"for {with_article(positive)} →; the score is their sum and the bias"
    )
    legend_below(
        figure,
        Patch(color=ZERO, label="grey: ink on a weight of exactly 0"),
        Patch(facecolor="white", edgecolor=GREY, linewidth=0.8, label="white: no ink"),
    )
    return figure
