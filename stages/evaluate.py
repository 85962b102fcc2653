"""Stage evaluate: how well the model tells the two digits apart, and where it fails.

Reads data/preprocessed.npz and data/model.joblib; writes metrics/evaluate.json, tables that DVC
draws (confusion, ROC, precision-recall, scores), and pictures of the worst mistakes and of the
least certain answers.
"""

from itertools import product, repeat
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)
from sklearn.svm import LinearSVC

from stages.artifacts import (
    load_arrays,
    load_object,
    save_figure,
    save_metrics,
    save_table,
)
from stages.errors import run
from stages.labels import a, signs
from stages.params import load_params
from stages.pixels import SIDE, draw_digit, draw_weights
from stages.style import GREY, new_figure

INPUT = Path("data/preprocessed.npz")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/evaluate.json")
CONFUSION = Path("plots/confusion.csv")
ROC = Path("plots/roc.csv")
PRECISION_RECALL = Path("plots/precision_recall.csv")
SCORES = Path("plots/scores.csv")
MISTAKES = Path("plots/mistakes.png")
UNCERTAIN = Path("plots/uncertain.png")

CELLS = ("tn", "fp", "fn", "tp")  # of the confusion matrix, row by row


def metrics(y: np.ndarray, predicted: np.ndarray, f: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    """Scores of one set of images; the positive class is the second one.

    accuracy_95 is Wilson's interval of the accuracy at 95 % confidence.

    Parameters
    ----------
    y, predicted : (n,) digits
    f : (n,) decision values
    s : (n,) -1 or +1, the signs of y
    """
    said = np.where(f > 0, 1, -1)
    accuracy = float(accuracy_score(y, predicted))
    interval = binomtest(int((y == predicted).sum()), len(y)).proportion_ci(0.95, "wilson")
    precision, recall, f1, _ = precision_recall_fscore_support(
        s, said, average="binary", pos_label=1, zero_division=0.0
    )
    confusion = confusion_matrix(s, said, labels=[-1, 1]).ravel().tolist()
    return {
        "images": len(y),
        "accuracy": accuracy,
        "accuracy_95": {"low": float(interval.low), "high": float(interval.high)},
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(roc_auc_score(s, f)),
        "confusion": dict(zip(CELLS, confusion, strict=True)),
    }


def counts(confusion: dict[str, int], classes: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The four cells of a confusion matrix: actual digit, predicted digit, number of images.

    Parameters
    ----------
    confusion : tn, fp, fn and tp, as `metrics` counts them
    classes : the negative and the positive digit
    """
    cells = product(classes, classes)
    return [(*cell, confusion[name]) for cell, name in zip(cells, CELLS, strict=True)]


def worst(y: np.ndarray, predicted: np.ndarray, f: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` wrongly classified images with the largest |f|, the worst first.

    Parameters
    ----------
    y, predicted : (n,) digits
    f : (n,) decision values
    """
    wrong = np.flatnonzero(predicted != y)
    return wrong[np.argsort(-np.abs(f[wrong]), kind="stable")][:count]


def least_certain(f: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` images with the smallest |f|, the nearest to 0 first."""
    return np.argsort(np.abs(f), kind="stable")[:count]


def explained(
    title: str,
    chosen: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    predicted: np.ndarray,
    f: np.ndarray,
    index: np.ndarray,
    w: np.ndarray,
    classes: tuple[int, int],
    columns: int = 4,
) -> Figure:
    """Images, each beside its map of contributions w_j x_j: f is their sum and the bias.

    Parameters
    ----------
    title : says which images
    chosen : their positions
    X : (n, 784) float64
    y, predicted : (n,) digits
    f : (n,) decision values
    index : (n,) positions in MNIST's test set
    w : (784,) weights
    classes : the digits that a negative and a positive contribution speak for
    columns : images in a row
    """
    rows = max(1, -(-len(chosen) // columns))
    figure = new_figure(2.35 * columns, 1.5 * rows + 0.8)
    heading = {"x": 0.01, "ha": "left", "fontsize": 12, "fontweight": "bold"}
    figure.suptitle(title, **heading)
    negative, positive = classes
    figure.supxlabel(
        f"Right of each image, weight × ink: red speaks for {a(negative)}, blue for {a(positive)}; "
        "f is the sum and the bias.",
        fontsize=9,
        color=GREY,
    )
    # One set of axes for all: sixty of them would take seconds to lay out.
    axes = figure.add_subplot()
    axes.set_axis_off()
    step = SIDE + 3
    for cell, i in enumerate(chosen):
        left, top = 2 * step * (cell % columns), (step + 8) * (cell // columns)
        draw_digit(axes, X[i], (left, top))
        draw_weights(axes, w * X[i], (left + step, top))
        said = "" if predicted[i] == y[i] else f", said {predicted[i]}"
        axes.text(left, top - 2, f"{a(y[i])}{said}", fontsize=9)
        axes.text(left + step, top - 2, f"f = {f[i]:+.2f}", fontsize=8, color=GREY)
        axes.text(left, top + SIDE, f"no. {index[i]}", fontsize=6.5, color=GREY, va="top")
    axes.set_xlim(-0.5, 2 * step * columns - 3)
    axes.set_ylim((step + 8) * rows - 5, -7)
    return figure


def main() -> None:
    params = load_params().evaluate
    model: LinearSVC = load_object(MODEL)
    data = load_arrays(INPUT, "X_train", "y_train", "X_test", "y_test", "index_test", "classes")
    negative, positive = data["classes"].tolist()
    report: dict[str, Any] = {"classes": {"negative": negative, "positive": positive}}
    for part in ("train", "test"):
        X, y = data[f"X_{part}"], data[f"y_{part}"]
        s, f, predicted = (
            signs(y, data["classes"]),
            model.decision_function(X),
            model.predict(X),
        )
        report[part] = metrics(y, predicted, f, s)
    # The test set came last: its values are what the pictures show.
    save_metrics(METRICS, report)
    save_table(
        CONFUSION,
        ["actual", "predicted", "images"],
        counts(report["test"]["confusion"], (negative, positive)),
    )
    # Each table names its digits itself: a title out of params.yaml would be wrong for the other
    # revision, and wherever params.yaml is newer than the table.
    fpr, tpr, _ = roc_curve(s, f)
    precision, recall, _ = precision_recall_curve(s, f)
    for file, names, rows in (
        (ROC, ["fpr", "tpr"], (fpr, tpr)),
        (PRECISION_RECALL, ["recall", "precision"], (recall, precision)),
        (SCORES, ["actual", "f"], (y, f.round(9))),
    ):
        values = (column.tolist() for column in rows)
        save_table(file, [*names, "positive"], zip(*values, repeat(positive)))
    wrong = int((predicted != y).sum())
    mistaken = worst(y, predicted, f, params.mistakes)
    unsure = least_certain(f, params.uncertain)
    for file, title, chosen in (
        (MISTAKES, f"The {len(mistaken)} worst of {wrong} mistakes", mistaken),
        (UNCERTAIN, f"The {len(unsure)} least certain answers", unsure),
    ):
        figure = explained(
            f"{title} in {len(y)} test images",
            chosen,
            X,
            y,
            predicted,
            f,
            data["index_test"],
            model.coef_[0],
            (negative, positive),
        )
        save_figure(file, figure)


if __name__ == "__main__":
    run(main)
