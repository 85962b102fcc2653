"""The performance profile of solvers: who is how often how near the fastest (Dolan, Moré 2002)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from figures.style import GREY, INK, footnote, headline, new_figure

# The first of the solvers is the one that the picture is about.
LOOKS = (
    {"color": INK, "linestyle": "-", "linewidth": 2.4},
    {"color": GREY, "linestyle": "-", "linewidth": 1.6},
    {"color": GREY, "linestyle": "--", "linewidth": 1.6},
)
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
APART = 0.05  # of the axis, between the names


def factors(seconds: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """Each solver's seconds over those of the fastest, problem by problem; infinite: not solved."""
    times = np.array(list(seconds.values()), dtype=float)
    best = times.min(axis=0)
    ratios = np.full(times.shape, np.inf)
    np.divide(times, best, out=ratios, where=np.isfinite(times))
    return dict(zip(seconds, ratios, strict=True))


def profile_figure(seconds: Mapping[str, Sequence[float]], gap: float) -> Figure:
    """For each solver, the share of the problems that it solves within a factor of the fastest.

    Parameters
    ----------
    seconds : for each solver its seconds on every problem, infinite where it does not get there;
        the first solver is the one that the picture is about
    gap : to which the problems are solved, for the words
    """
    found = factors(seconds)
    ours, count = next(iter(seconds)), len(next(iter(seconds.values())))
    finite = np.concatenate([ratio[np.isfinite(ratio)] for ratio in found.values()])
    end = next((tick for tick in TICKS if tick >= 1.1 * finite.max(initial=1.0)), TICKS[-1])
    figure = new_figure(7, 4.6)
    axes = figure.add_subplot()
    names = []
    for (name, ratio), look in zip(found.items(), LOOKS, strict=False):
        steps = np.sort(ratio[np.isfinite(ratio)])
        share = np.arange(1, len(steps) + 1) / count
        x = np.concatenate([[1.0], steps, [end]])
        y = np.concatenate([[0.0], share, [share[-1] if len(share) else 0.0]])
        axes.step(x, y, where="post", label=name, clip_on=False, zorder=3, **look)
        names.append((y[-1], name, look["color"]))
    below = np.inf
    for share, name, colour in sorted(names, reverse=True):
        below = min(share, below - APART)
        axes.annotate(
            f"{name}, {share:.0%}",
            (1, below),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold" if name == ours else "normal",
            annotation_clip=False,
        )
    axes.set_xscale("log")
    axes.set_xlim(1, end)
    axes.set_xticks([tick for tick in TICKS if tick <= end], [f"{t:g}" for t in TICKS if t <= end])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(color=GREY, alpha=0.2, linewidth=0.6)
    axes.set_xlabel("CPU time, at most so many times that of the fastest")
    axes.set_ylabel("share of the problems solved")
    fastest = np.mean(found[ours] == 1.0)
    headline(figure, f"{ours} is the fastest on {fastest:.0%} of {count} problems")
    footnote(
        figure,
        f"To a certified relative gap of {gap:g}. On the left: how often the fastest; "
        "on the right: how many are solved at all.",
    )
    return figure
