"""Stage interpret: what the model looks at.

Reads data/preprocessed.npz, data/filtered.npz (for the explorer), data/gridsearch.joblib (for the
validation curve), data/path.npz, data/model.joblib and data/raw/about.json; writes
metrics/interpret.json, the weights as a picture and as data, the path over C, the stability of the
choice, the validation curve as a picture, and the explorer.
"""

import math
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from analysis.path import first_C, followed_path, nonzero_of_points, path_points, with_model
from analysis.search import load_search
from analysis.stability import OFTEN, frequencies, often
from figures.entry import entry
from figures.explorer import page
from figures.path import small_multiples
from figures.stability import stability
from figures.style import png
from figures.validation_curve import validation_curve
from figures.weights import heatmap
from pipeline.about import load_about
from pipeline.artifacts import save_bytes, save_metrics, save_table, save_text
from pipeline.params import Interpret, ParamsError, border_refusal
from pipeline.progress import progress
from pipeline.schemas import FILTERED, PREPROCESSED, load, load_model, load_path
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
IMAGES = Path("data/filtered.npz")
SEARCH = Path("data/gridsearch.joblib")
PATH = Path("data/path.npz")
MODEL = Path("data/model.joblib")
ABOUT = Path("data/raw/about.json")
METRICS = Path("metrics/interpret.json")
VALIDATION_CURVE = Path("plots/validation_curve.png")
HEATMAP = Path("plots/weights.png")
WEIGHTS_TABLE = Path("plots/weights.csv")
PATH_TABLE = Path("plots/path.csv")
SMALL_MULTIPLES = Path("plots/path.png")
ENTRY = Path("plots/entry.png")
STABILITY = Path("plots/stability.png")
EXPLORER = Path("plots/explorer.html")


def metrics(w: np.ndarray, bias: float, border: int) -> dict[str, Any]:
    """How many weights are not 0, and how much of their sum lies at the border.

    share_of_l1 of the border B is sum_{j in B} |w_j| / sum_j |w_j| over the pixels; the corners
    are the four squares of `border` x `border` pixels.

    Parameters
    ----------
    w : (height, width) weights of the pixels
    bias : the weight of the constant 1, penalised and counted as the others are
    border : width of the outer frame, in pixels
    """
    edge = np.ones(w.shape, dtype=bool)
    edge[border:-border, border:-border] = False
    corners = np.zeros(w.shape, dtype=bool)
    # np.r_: the first and the last places of an axis; np.ix_: each such row with each such column.
    corners[np.ix_(*(np.r_[:border, side - border : side] for side in w.shape))] = True
    nonzero = int(np.count_nonzero(w)) + int(bias != 0)
    total = math.fsum(np.abs(w).flat)  # the same sum in any order
    return {
        "weights": {"nonzero": nonzero, "zero": w.size + 1 - nonzero},
        "l1_norm": math.fsum([*np.abs(w).flat, abs(bias)]),
        "bias": bias,
        "border": {
            "nonzero": int(np.count_nonzero(w[edge])),
            "share_of_l1": math.fsum(np.abs(w[edge])) / total if total else 0.0,
        },
        "corners": {"nonzero": int(np.count_nonzero(w[corners]))},
    }


def main(params: Interpret) -> None:
    names = ("X_train", "s_train", "X_test", "s_test", "y_test", "index_test", "classes")
    X, s, X_test, s_test, y_test, index, classes = load(INPUT, PREPROCESSED, *names).values()
    model = load_model(MODEL, classes, X.shape[1])
    about = load_about(ABOUT, X.shape[1], classes)
    (images,) = load(IMAGES, FILTERED, "X_test", n_test=len(y_test), **about.axes).values()
    if refusal := border_refusal(params.border, about.shape):
        raise ParamsError(f"params.yaml: {refusal}")
    negative, positive = about.named(classes)
    bias, C = float(model.intercept_[0]), model.C
    w = model.coef_.reshape(about.shape)

    path = load_path(PATH, X.shape[1])
    low, high = path["C"][[0, -1]]
    on_path = low <= C <= high
    if not on_path:
        said = f"interpret: C = {C:g} is not on the path from {low:g} to {high:g}"
        print(f"{said}: what lies between the points is not shown", file=sys.stderr)
    every = followed_path(path, X_test, s_test) if on_path and len(path["corner_C"]) else None
    models = with_model(path, C, model.coef_[0], bias)
    points = path_points(*models, X, s, X_test, s_test)
    share = frequencies(X, s, C, params.bootstraps, params.random_state).reshape(about.shape)
    report = metrics(w, bias, params.border)
    report["stability"] = {"pixels_in_90_percent": int(often(share).sum())}
    save_metrics(METRICS, report)
    header = ["row", "column", "weight", "negative", "positive"]
    weights = ((*place, float(w_j), negative, positive) for place, w_j in np.ndenumerate(w))
    save_table(WEIGHTS_TABLE, header, weights)
    columns = ["C", "nonzero", "train_accuracy", "test_accuracy", "objective"]
    rows = [[getattr(point, name) for name in columns] + [int(point.C == C)] for point in points]
    save_table(PATH_TABLE, [*columns, "trained"], rows)
    labels = about.named(y_test)
    shown = page(points, images, labels, index, (negative, positive), C, about, every, share)
    save_text(EXPLORER, shown)
    first = first_C(every, points).reshape(about.shape)
    steps = every.nonzero if every else nonzero_of_points(points)
    pictures = {
        VALIDATION_CURVE: partial(validation_curve, load_search(SEARCH)),
        HEATMAP: partial(heatmap, w, (negative, positive), C, params.border),
        SMALL_MULTIPLES: partial(small_multiples, points, about.shape, C, (negative, positive)),
        ENTRY: partial(entry, first, steps, C, every is not None),
        STABILITY: partial(stability, share, often(share), OFTEN, C, params.bootstraps),
    }
    with progress("pictures", len(pictures), "pictures") as step:
        for file, draw in pictures.items():
            save_bytes(file, png(draw()))
            step()


if __name__ == "__main__":
    run_stage(main, "interpret")
