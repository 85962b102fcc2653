"""Contributions: chosen images, each beside what its pixels add to the score."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.pixels import draw_contributions, draw_image, weight_bar
from figures.style import GREY, ZERO, headline, legend_below, new_figure
from figures.words import with_article

ONE_LINE = 18  # characters that fit above an image and its map, beside the score


def contributions(
    title: str,
    X: np.ndarray,
    y: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    index: np.ndarray,
    w: np.ndarray,
    classes: tuple[str, str],
    columns: int = 4,
) -> Figure:
    """Images, each beside its map of contributions w_j x_j: the score is their sum and the bias.

    Parameters
    ----------
    title : says which images
    X : (k, height, width) uint8, the images: ink from 0 to 255
    y, predicted : (k,) names of classes
    scores : (k,) decision values
    index : (k,) positions in the test set
    w : (height, width) weights
    classes : the classes that a negative and a positive contribution speak for
    columns : images in a row
    """
    rows = max(1, -(-len(X) // columns))
    height, width = w.shape
    said = [
        [with_article(name)] + [f"read as {answer}"] * (name != answer)
        for name, answer in zip(y, predicted, strict=True)
    ]
    long = max((len(", ".join(parts)) for parts in said), default=0) > ONE_LINE
    between = ",\n" if long else ", "
    # Between images, in pixels: as wide on paper whatever the images' width.
    unit = width / 28
    gap, line = 3 * unit, (12 if long else 8) * unit
    step, row = width + gap, height + gap + line
    figure = new_figure(2.35 * columns, 1.48 * rows * row / (39 * unit) + 1.3)
    headline(figure, title)
    # One set of axes for all: sixty of them would take seconds to lay out.
    axes = figure.add_subplot()
    axes.set_axis_off()
    shown = draw_contributions(axes, w, np.zeros_like(w))  # for the scale, where no image is
    inside: dict[str, Any] = {
        "in_layout": False
    }  # laying out a hundred texts takes as long as drawing
    for cell in range(len(X)):
        left, top = 2 * step * (cell % columns), row * (cell // columns)
        x = X[cell] / 255
        draw_image(axes, x, (left, top))
        draw_contributions(axes, w, x, (left + step, top))
        over, under = top - 2 * unit, top + height
        axes.text(left, over, between.join(said[cell]), fontsize=9, **inside)
        # above the map, where there is room beside the name
        at: dict[str, Any] = {"y": under, "va": "top"} if long else {"y": over}
        axes.text(
            left + step, s=f"score {scores[cell]:+.2f}", fontsize=8, color=GREY, **at, **inside
        )
        axes.text(left, under, f"no. {index[cell]}", fontsize=6.5, color=GREY, va="top", **inside)
    axes.set_xlim(-0.5, 2 * step * columns - gap)
    axes.set_ylim(row * rows - line + gap, unit - line)
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
