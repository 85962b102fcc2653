"""The validation curve: score and number of weights over C."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.search import Search, corners
from figures.style import GREY, INK, new_figure

SCORE_STEP = 0.06  # the axis of scores runs from 1 − k · 0.06 to 1, k a whole number
USUAL_STEPS = {"jaccard": 2, "matthews_corrcoef": 2}  # these two count an error about twice
ALL_WEIGHTS = 785  # the pixels and the bias


def score_steps(lowest: float, scoring: str) -> int:
    """How many steps of SCORE_STEP below 1 the scale of scores reaches: the usual number for
    this scoring, so that two runs compare, or as many as `lowest` needs.
    """
    return max(
        USUAL_STEPS.get(scoring, 1), math.ceil((1 - lowest) / SCORE_STEP - 1e-9)
    )  # 1e-9: 0.94 is one step in spite of rounding


def validation_curve(search: Search) -> Figure:
    """Mean and spread over folds of train and test score, and of the number of weights, over C;
    and the mean test score at every C, if that is known.

    The scales are the same on every run, but for C's, and for scores too low for the usual one:
    the title then says so.
    """
    C, every, scoring = search.C, search.every, search.scoring
    best, sparsest = search.best, search.sparsest
    order = np.argsort(C)
    figure = new_figure(7, 6)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 2])
    axes.set_title("Validation curve", loc="left")

    def curve(panel: Axes, table: np.ndarray, **look: Any) -> Line2D:
        mean, spread = table.mean(axis=0), table.std(axis=0)
        low, high, colour = (mean - spread)[order], (mean + spread)[order], look["color"]
        panel.fill_between(C[order], low, high, color=colour, alpha=0.18, lw=0)
        panel.vlines(C[order], low, high, color=colour, alpha=0.3, lw=3)  # one C has no area
        size = min(6, 120 / len(C))  # a hundred would hide each other
        # whole where the mean lies on the frame
        (line,) = panel.plot(C[order], mean[order], markersize=size, clip_on=False, **look)
        return line

    train, test = search.train_scores, search.test_scores  # (folds, m)
    handles = [
        curve(axes, train, label="train folds (mean ± 1 std)", color=GREY, marker="s", ls="--"),
        curve(axes, test, label="held-out fold (mean ± 1 std)", color=INK, marker="o", ls="-"),
    ]
    lowest = min(1.0, *(float(np.min(t.mean(axis=0) - t.std(axis=0))) for t in (train, test)))
    if every:
        across, scores = corners(every)
        what = "every C" if every["exact"] else f"{len(across)} values of C"
        handles[-1].set_linestyle("none")  # the curve over every C joins the points
        handles += axes.plot(across, scores, color=INK, lw=1, label=f"held-out fold, {what}")
        handles += axes.plot(
            [every["best_C"]],
            [every["best_score"]],
            label=f"best of {what}: C = {every['best_C']:g}",
            color=INK,
            linestyle="none",
            marker="v",
            fillstyle="none",
            markersize=9,
        )
        lowest = min(lowest, float(scores.min()))
    steps, usual = score_steps(lowest, scoring), score_steps(1, scoring)
    axes.set_ylim(1 - steps * SCORE_STEP, 1)
    axes.set_yticks(np.linspace(1 - steps * SCORE_STEP, 1, 7))
    axes.yaxis.set_major_formatter("{x:.2f}")
    axes.set_ylabel(scoring.replace("_", " "))
    if steps > usual:
        begin, instead = 1 - steps * SCORE_STEP, 1 - usual * SCORE_STEP
        note = f"low scores: scale from {begin:.2f}, not {instead:.2f}"
        axes.set_title(note, loc="right", fontsize=9, fontweight="normal")

    curve(counts, search.nonzero, color=INK, marker="D")
    counts.set_ylim(0, ALL_WEIGHTS)
    counts.set_yticks([0, 200, 400, 600, ALL_WEIGHTS])
    counts.set_ylabel("non-zero weights")

    marks = {best: f"best of the grid: C = {C[best]:g}" if every else f"best C = {C[best]:g}"}
    if sparsest == best:
        marks[best] += ", and the smallest within 1 std. error"
    else:
        marks[sparsest] = f"smallest C within 1 std. error: {C[sparsest]:g}"
    for i, text in marks.items():
        mark = {"color": GREY, "linestyle": "-." if i == best else ":", "linewidth": 1.2}
        counts.axvline(C[i], **mark)
        handles.append(axes.axvline(C[i], label=text, **mark))
    counts.set_xscale("log")
    ends = np.append(C, across[[0, -1]]) if every else C
    counts.set_xlim(ends.min() / 1.1, ends.max() * 1.1)
    counts.set_xticks(*ticks(C[order]))
    counts.minorticks_off()
    counts.set_xlabel("C  (left: a stronger L1 penalty)")
    figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)
    return figure


def ticks(C: np.ndarray) -> tuple[list[float], list[str]]:
    """The values of the ascending `C` that a logarithmic axis has room to label, and the labels."""
    room = np.log(C[-1] / C[0]) / 8
    kept = [C[0]]
    for value in C[1:]:
        if np.log(value / kept[-1]) >= room:
            kept.append(value)
    return kept, [f"{value:.3g}" for value in kept]
