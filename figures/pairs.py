"""All pairs of digits at once: the weights that tell them apart, and how well they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures.pixels import draw_weights
from figures.style import AMOUNT, INK, footnote, headline, new_figure


@dataclass(frozen=True)
class Pair:
    """A negative and a positive digit, and the model that tells them apart.

    low and high are the ends of test_accuracy's 95 % interval; nonzero counts the bias too;
    weights are the pixels', (height, width).
    """

    negative: int
    positive: int
    C: float
    test_accuracy: float
    low: float
    high: float
    nonzero: int
    weights: np.ndarray


def pairs_figure(pairs: Sequence[Pair]) -> Figure:
    """A square of panels, a row and a column a digit.

    Above the diagonal the weights of the pair, on one colour scale: red speaks for the row's
    digit, blue for the column's. Below it the pair's accuracy and number of weights, the darker
    the more mistakes.
    """
    digits = sorted({digit for pair in pairs for digit in (pair.negative, pair.positive)})
    place = {digit: k for k, digit in enumerate(digits)}
    size = max(8.5, 1.05 * len(digits))  # inches: room for the headline
    figure = new_figure(size, size + 0.8)
    best, worst = (pick(pairs, key=lambda p: p.test_accuracy) for pick in (max, min))
    headline(
        figure,
        f"{_name(best)} is the easiest of {len(pairs)} pairs ({best.test_accuracy:.2%} of the "
        f"test images right),\n{_name(worst)} the hardest ({worst.test_accuracy:.2%})",
    )
    footnote(
        figure,
        "Above the diagonal, weights: red speaks for the row's digit, blue for the column's; grey "
        "is exactly 0.\nBelow it: test accuracy, and how many of the "
        f"{pairs[0].weights.size + 1} weights are not 0; the darker, the more mistakes.",
    )
    panels = figure.subplots(len(digits), len(digits), squeeze=False)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for digit, k in place.items():
        axes = panels[k, k]
        axes.set_aspect("equal")
        _write(axes, 0.5, str(digit), fontsize=26, fontweight="bold", color=INK)
    # Black text can be read on the darkest shade, and there is one where nobody makes a mistake.
    shade = Normalize(0, 2 * max(1 - worst.test_accuracy, 0.001))
    for pair in pairs:
        row, column = place[pair.negative], place[pair.positive]
        draw_weights(panels[row, column], pair.weights)
        cell = panels[column, row]
        cell.imshow([[1 - pair.test_accuracy]], cmap=AMOUNT, norm=shade)
        _write(cell, 0.62, f"{pair.test_accuracy:.2%}", fontsize=9.5, color=INK)
        _write(cell, 0.34, f"{pair.nonzero} weights", fontsize=8, color=INK)
    return figure


def _name(pair: Pair) -> str:
    return f"{pair.negative}-{pair.positive}"


def _write(axes: Axes, height: float, text: str, **look: Any) -> None:
    place: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, height, text, **place, **look)
