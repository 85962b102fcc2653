"""The difference of two models' weights, of the size and in the colours of the heatmap."""

import numpy as np
from matplotlib.figure import Figure

from figures.pixels import draw_weights, label_pixels, name_ends, weight_bar
from figures.style import INK, legend_below, new_figure
from figures.words import with_article


def difference(before: np.ndarray, after: np.ndarray, classes: tuple[str, str]) -> Figure:
    """after − before, on the scale of weights; a cross where a pixel is used no more, a plus where
    it is used only now.

    Parameters
    ----------
    before, after : (height, width) weights of the pixels
    classes : the classes that a negative and a positive weight speak for, of both
    """
    gained, lost = (after != 0) & (before == 0), (after == 0) & (before != 0)
    figure = new_figure(7, 5.6)
    axes = figure.add_subplot()
    shown = draw_weights(axes, after - before)
    label_pixels(axes, after.shape)
    axes.set_title(f"Difference: {gained.sum()} pixels more used, {lost.sum()} no more", loc="left")
    marks = [
        axes.scatter(columns, rows, marker=marker, s=22, color=INK, lw=0.9, label=label)
        for where, marker, label in ((gained, "+", "used only now"), (lost, "x", "used no more"))
        for rows, columns in [np.nonzero(where)]
    ]
    negative, positive = classes
    bar = weight_bar(figure, shown, axes, shrink=0.86, pad=0.03)
    bar.set_label("weight now − weight before")
    name_ends(bar, f"more for {with_article(negative)}", f"more for {with_article(positive)}")
    legend_below(figure, *marks)
    return figure
