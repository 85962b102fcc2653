"""The performance profile of solvers: who is how often how near the fastest (Dolan, Moré 2002)."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

INK, GREY = "#202124", "#5F6368"
LOOKS: Sequence[Any] = (  # of the solver that the picture is about, and of the others
    {"color": INK, "linestyle": "-", "linewidth": 2.4, "zorder": 4},
    {"color": GREY, "linestyle": "-", "linewidth": 1.4, "zorder": 3},
    {"color": GREY, "linestyle": (0, (4, 2)), "linewidth": 1.4, "zorder": 3},
)
APART = 0.07  # of the axis, between the names


def factors(seconds: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """Each solver's seconds over those of the fastest, problem by problem; infinite: not solved."""
    times = np.array(list(seconds.values()), dtype=float)
    ratios = np.full(times.shape, np.inf)
    np.divide(times, times.min(axis=0), out=ratios, where=np.isfinite(times))
    return dict(zip(seconds, ratios, strict=True))


def profile_figure(
    seconds: Mapping[str, Sequence[float]], groups: Sequence[str], gap: float
) -> Figure:
    """For each solver the share of the problems that it solves within a factor of the fastest.

    Of all problems in the large panel, of each group in a small one.

    Parameters
    ----------
    seconds : of two or three solvers, for every problem, infinite where it is not solved; the
        first solver is the one that the picture is about
    groups : the group of every problem
    gap : to which the problems are solved, for the words
    """
    found = factors(seconds)
    ours, count, names = next(iter(seconds)), len(groups), list(dict.fromkeys(groups))
    largest = max(ratio[np.isfinite(ratio)].max(initial=1.0) for ratio in found.values())
    end = 10.0 ** np.ceil(np.log10(max(largest, 2.0)))
    figure = Figure(figsize=(9, 6.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, len(names), height_ratios=[2.6, 1])
    axes = figure.add_subplot(grid[0, :])
    _label(axes, _curves(axes, found, end), ours, end)
    axes.set_ylabel("share of the problems solved")
    axes.set_xlabel("CPU time, at most so many times that of the fastest")
    for k, name in enumerate(names):
        panel = figure.add_subplot(grid[1, k])
        here = np.array([group == name for group in groups])
        _curves(panel, {solver: ratio[here] for solver, ratio in found.items()}, end)
        panel.set_title(name, fontsize=10, fontweight="normal", loc="left")
        panel.tick_params(labelsize=8, labelleft=not k)
        panel.set_xticks(panel.get_xticks()[:: 1 if end < 1e4 else 2])  # room for their labels
    first = float(np.mean(found[ours] == 1.0))
    goal = f"{gap:.0e}".replace("e-0", "e-")
    said = f"{ours} is the fastest to a gap of {goal} on {first:.0%} of {count} problems"
    figure.suptitle(said, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(
        "A curve begins at how often the solver is the fastest, and ends at how many problems it "
        "solves within the limit.\nGaps are relative and certified. Below: the same by C, over the "
        "least that leaves any weight.",
        fontsize=9,
        color=GREY,
    )
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG, with no version inside."""
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def _curves(axes: Axes, found: Mapping[str, np.ndarray], end: float) -> dict[str, float]:
    """Draw the curves; the share that each solver solves at all."""
    solved = {}
    for (name, ratio), look in zip(found.items(), LOOKS, strict=False):
        at = np.sort(ratio[np.isfinite(ratio)])
        at = np.unique(np.concatenate([[1.0], at, [end]]))
        share = np.array([np.mean(ratio <= t) for t in at])
        axes.step(at, share, where="post", label=name, clip_on=False, **look)
        solved[name] = float(share[-1])
    axes.set(xscale="log", xlim=(1, end), ylim=(0, 1))
    axes.set_xticks(10.0 ** np.arange(round(np.log10(end)) + 1))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(color=GREY, alpha=0.2, linewidth=0.6)
    return solved


def _label(axes: Axes, solved: Mapping[str, float], ours: str, end: float) -> None:
    """Each curve's name at its end, no two on one another."""
    place = np.inf
    for name, share in sorted(solved.items(), key=lambda item: (-item[1], item[0] != ours)):
        place = min(share, place - APART)
        look = LOOKS[list(solved).index(name)]
        leader = {key: look[key] for key in ("color", "linestyle", "linewidth")}
        axes.annotate(
            f"{name} {share:.0%}",
            (end, share),
            (1.05, place),
            textcoords=axes.get_yaxis_transform(),
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0, 0.5),
                "shrinkA": 3,
                "shrinkB": 0,
                **leader,
            },
            va="center",
            color=look["color"],
            fontweight="bold" if name == ours else "normal",
            annotation_clip=False,
        )
