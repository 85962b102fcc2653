"""Stage interpret: what the model looks at.

Reads data/preprocessed.npz and data/model.joblib; writes metrics/interpret.json, the weights as a
picture and as data, the path over C, the stability of the choice, and the explorer.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from sklearn.svm import LinearSVC

from stages import stability
from stages.artifacts import (
    load_arrays,
    load_object,
    save_figure,
    save_metrics,
    save_table,
    save_text,
)
from stages.errors import run
from stages.explorer import page
from stages.labels import a, signs
from stages.params import load_params
from stages.path import grid, path, small_multiples
from stages.pixels import SIDE, draw_weights, label_pixels
from stages.style import GREY, ZERO, legend_below, new_figure

INPUT = Path("data/preprocessed.npz")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/interpret.json")
HEATMAP = Path("plots/weights.png")
WEIGHTS = Path("plots/weights.csv")
PATH = Path("plots/path.csv")
MULTIPLES = Path("plots/path.png")
STABILITY = Path("plots/stability.png")
EXPLORER = Path("plots/explorer.html")


def metrics(w: np.ndarray, bias: float, border: int) -> dict[str, Any]:
    """Sparsity, and where the weight lies.

    share_of_l1 of a region R is sum_{j in R} |w_j| / sum_j |w_j| over the pixels; the corners
    are the four squares of `border` x `border` pixels.

    Parameters
    ----------
    w : (784,) weights of the pixels
    bias : the weight of the constant 1, penalised and counted as the others are
    border : width of the outer frame, in pixels
    """
    image = w.reshape(SIDE, SIDE)
    edge = np.ones((SIDE, SIDE), dtype=bool)
    edge[border:-border, border:-border] = False
    outer = np.r_[:border, SIDE - border : SIDE]
    corners = np.zeros((SIDE, SIDE), dtype=bool)
    corners[np.ix_(outer, outer)] = True
    nonzero = int(np.count_nonzero(w)) + int(bias != 0)
    total = math.fsum(np.abs(w))

    def region(where: np.ndarray) -> dict[str, Any]:
        return {
            "pixels": int(where.sum()),
            "nonzero": int(np.count_nonzero(image[where])),
            "share_of_l1": math.fsum(np.abs(image[where])) / total if total else 0.0,
        }

    return {
        "weights": {"nonzero": nonzero, "zero": w.size + 1 - nonzero},
        "l1_norm": math.fsum([*np.abs(w), abs(bias)]),
        "bias": bias,
        "border": region(edge),
        "corners": region(corners),
    }


def heatmap(w: np.ndarray, classes: tuple[int, int], C: float, border: int) -> Figure:
    """The weights as the picture they are: pixel (r, c) is coloured by w[28 r + c].

    The colours are centred on 0; a weight of exactly 0 has a colour of its own.

    Parameters
    ----------
    w : (784,) weights of the pixels
    classes : the digits that a negative and a positive weight speak for
    C : the regularisation, for the title
    border : width of the outer frame, in pixels, drawn as a line
    """
    figure = new_figure(7, 5.6)
    axes = figure.add_subplot()
    shown = draw_weights(axes, w)
    inner = SIDE - 2 * border
    outline = {"fill": False, "edgecolor": GREY, "linewidth": 0.8, "linestyle": ":"}
    axes.add_patch(Rectangle((border - 0.5, border - 0.5), inner, inner, **outline))
    label_pixels(axes)
    axes.set_title(
        f"Weights at C = {C:g}: {np.count_nonzero(w)} of {w.size} pixels used",
        loc="left",
    )
    negative, positive = classes
    bar = figure.colorbar(shown, ax=axes, shrink=0.86, pad=0.03, extend="both")
    bar.outline.set_visible(False)
    bar.set_ticks([-2, -1, -0.5, -0.2, -0.1, 0, 0.1, 0.2, 0.5, 1, 2], minor=False)
    bar.ax.yaxis.set_major_formatter(lambda weight, _: f"{weight:+g}" if weight else "0")
    bar.minorticks_off()
    bar.set_label("weight of the pixel")
    for digit, at, align in ((positive, 1.07, "bottom"), (negative, -0.07, "top")):
        named = {"transform": bar.ax.transAxes, "ha": "center", "va": align}
        bar.ax.text(0.5, at, f"looks like {a(digit)}", **named)
    legend_below(
        figure,
        Patch(color=ZERO, label="exactly 0: not used"),
        Patch(label=f"outside: the border of {border} pixels", **outline),
    )
    return figure


def main() -> None:
    params = load_params().interpret
    model: LinearSVC = load_object(MODEL)
    names = ("X_train", "y_train", "X_test", "y_test", "index_test", "classes")
    X, y, X_test, y_test, index, classes = load_arrays(INPUT, *names).values()
    s, s_test = signs(y, classes), signs(y_test, classes)
    negative, positive = classes.tolist()
    w, bias, C = model.coef_[0], float(model.intercept_[0]), model.C

    points = path(X, s, X_test, s_test, grid(X, s, C, params.path))
    share = stability.frequencies(X, s, C, params.bootstraps, params.random_state)
    report = metrics(w, bias, params.border)
    report["stability"] = {
        "bootstraps": params.bootstraps,
        "pixels_in_90_percent": int(stability.often(share).sum()),
        "pixels_ever": int(np.count_nonzero(share)),
    }
    save_metrics(METRICS, report)
    save_figure(HEATMAP, heatmap(w, (negative, positive), C, params.border))
    save_table(
        WEIGHTS,
        ["row", "column", "weight", "negative", "positive"],
        ((j // SIDE, j % SIDE, weight, negative, positive) for j, weight in enumerate(w.tolist())),
    )
    save_table(
        PATH,
        ["C", "nonzero", "train_accuracy", "test_accuracy", "objective"],
        ((p.C, p.nonzero, p.train_accuracy, p.test_accuracy, p.objective) for p in points),
    )
    save_figure(MULTIPLES, small_multiples(points, C, (negative, positive)))
    of_model = [replace(p, coef=w, intercept=bias) if p.C == C else p for p in points]
    save_text(EXPLORER, page(of_model, X_test, y_test, index, (negative, positive), C))
    save_figure(STABILITY, stability.picture(share, C, params.bootstraps))


if __name__ == "__main__":
    run(main)
