"""The heatmap: the weights as the picture they are."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from figures.pixels import draw_weights, label_pixels, name_ends, weight_bar
from figures.style import GREY, ZERO, legend_below, new_figure
from figures.words import with_article


def heatmap(w: np.ndarray, classes: tuple[str, str], C: float, border: int) -> Figure:
    """Each pixel is coloured by its weight; a weight of exactly 0 has a colour of its own.

    Parameters
    ----------
    w : (height, width) weights of the pixels
    classes : the classes that a negative and a positive weight speak for
    C : the regularisation, for the title
    border : width of the outer frame, in pixels, drawn as a line
    """
    figure = new_figure(7, 5.6)
    axes = figure.add_subplot()
    shown = draw_weights(axes, w)
    height, width = (side - 2 * border for side in w.shape)
    outline: dict[str, Any] = {"fill": False, "edgecolor": GREY, "linewidth": 0.8, "linestyle": ":"}
    axes.add_patch(Rectangle((border - 0.5, border - 0.5), width, height, **outline))
    label_pixels(axes, w.shape)
    axes.set_title(
        f"Weights at C = {C:g}: {np.count_nonzero(w)} of {w.size} pixels used",
        loc="left",
    )
    negative, positive = classes
    bar = weight_bar(figure, shown, axes, shrink=0.86, pad=0.03)
    bar.set_label("weight of the pixel")
    name_ends(bar, f"looks like {with_article(negative)}", f"looks like {with_article(positive)}")
    legend_below(
        figure,
        Patch(color=ZERO, label="exactly 0: not used"),
        Patch(label=f"outside: the border of {border} pixels", **outline),
    )
    return figure
