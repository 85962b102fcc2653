"""Curves over C of two revisions in one picture: the search's and the path's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.style import GREY, REVISIONS, new_figure
from figures.validation_curve import ALL_WEIGHTS, ticks


@dataclass(frozen=True)
class Curves:
    """What one revision's table says; every array is (k,), as long as C, which is marked at `at`.

    trained, tested : scores on images that the models were fitted to, and on others
    """

    C: np.ndarray
    trained: np.ndarray
    tested: np.ndarray
    nonzero: np.ndarray
    at: float


def overlay(title: str, score: str, mark: str, revisions: Mapping[str, Curves]) -> Figure:
    """Scores above, numbers of weights below; teal is the first revision, ochre the second.

    Parameters
    ----------
    title, score : what the curves are, and what the scores
    mark : what the upright lines say of the C that they stand at
    revisions : two of them, by name
    """
    figure = new_figure(7, 6)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 2])
    axes.set_title(title, loc="left")
    handles = []
    for (name, curves), colour, width in zip(
        revisions.items(), REVISIONS, (3.2, 1.4), strict=False
    ):
        # the second one thinner, on top: where the two agree both can be seen
        look: dict[str, Any] = {"color": colour, "linewidth": width, "solid_capstyle": "round"}
        order = np.argsort(curves.C)
        C = curves.C[order]
        axes.plot(C, curves.trained[order], ls="--", **look)
        axes.plot(C, curves.tested[order], marker="o", ms=_size(C, width), **look)
        counts.plot(C, curves.nonzero[order], marker="o", ms=_size(C, width), **look)
        for panel in (axes, counts):
            panel.axvline(curves.at, color=colour, ls=":", lw=1.6)
        handles.append(Line2D([], [], label=f"{name}, {mark} C = {curves.at:g}", **look))
    grey: dict[str, Any] = {"color": GREY, "linewidth": 1.4}
    handles += [
        Line2D([], [], label="images to fit", ls="--", **grey),
        Line2D([], [], label="other images", marker="o", ms=4, **grey),
    ]
    axes.set_ylabel(score)
    axes.yaxis.set_major_formatter("{x:.2f}")
    counts.set_ylim(0, ALL_WEIGHTS)
    counts.set_yticks([0, 200, 400, 600, ALL_WEIGHTS])
    counts.set_ylabel("non-zero weights")
    every = np.unique(np.concatenate([curves.C for curves in revisions.values()]))
    counts.set_xscale("log")
    counts.set_xlim(every.min() / 1.1, every.max() * 1.1)
    if every.max() > 100 * every.min():
        counts.xaxis.set_major_formatter("{x:g}")  # powers of ten
    else:
        counts.set_xticks(*ticks(every))
    counts.minorticks_off()
    counts.set_xlabel("C  (left: a stronger L1 penalty)")
    figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)
    return figure


def _size(C: Sequence[float] | np.ndarray, width: float) -> float:
    """Of the marks: the wider line's larger, and small ones where there are many."""
    return min(6.0, 120 / len(C)) + width - 1.4
