"""Stage evaluate: how well the model tells the two digits apart, and where it fails.

Reads data/preprocessed.npz and data/model.joblib; writes metrics/evaluate.json,
plots/confusion.csv and plots/roc.csv (DVC draws them) and plots/mistakes.png.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
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
from stages.style import GREY, new_figure

INPUT = Path("data/preprocessed.npz")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/evaluate.json")
CONFUSION = Path("plots/confusion.csv")
ROC = Path("plots/roc.csv")
MISTAKES = Path("plots/mistakes.png")


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
    (tn, fp), (fn, tp) = confusion_matrix(s, said, labels=[-1, 1]).tolist()
    return {
        "images": len(y),
        "accuracy": accuracy,
        "accuracy_95": {"low": float(interval.low), "high": float(interval.high)},
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(roc_auc_score(s, f)),
        "confusion": {"tn": tn, "fp": fp, "fn": fn, "tp": tp},
    }


def mistakes(
    X: np.ndarray,
    y: np.ndarray,
    predicted: np.ndarray,
    f: np.ndarray,
    index: np.ndarray,
    columns: int,
    count: int,
) -> Figure:
    """The `count` wrongly classified images with the largest |f|, the worst first.

    Parameters
    ----------
    X : (n, 784) float64
    y, predicted : (n,) digits
    f : (n,) decision values
    index : (n,) positions in MNIST's test set
    columns : pictures in a row
    count : pictures at the most
    """
    wrong = np.flatnonzero(predicted != y)
    worst = wrong[np.argsort(-np.abs(f[wrong]), kind="stable")][:count]
    rows = -(-count // columns)
    figure = new_figure(1.35 * columns, 1.62 * rows + 0.6)
    figure.suptitle(
        f"The {len(worst)} worst of {len(wrong)} mistakes in {len(y)} test images",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    for cell, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if cell < len(worst):
            i = worst[cell]
            axes.imshow(X[i].reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(
                f"{a(y[i])}, said {predicted[i]}",
                fontsize=9,
                fontweight="normal",
                pad=3,
            )
            axes.text(
                0.5,
                -0.03,
                f"f = {f[i]:+.2f}   no. {index[i]}",
                transform=axes.transAxes,
                ha="center",
                va="top",
                fontsize=7,
                color=GREY,
            )
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
        ["actual", "predicted"],
        zip(y.tolist(), predicted.tolist(), strict=True),
    )
    fpr, tpr, _ = roc_curve(s, f)
    save_table(ROC, ["fpr", "tpr"], zip(fpr.tolist(), tpr.tolist(), strict=True))
    save_figure(
        MISTAKES,
        mistakes(X, y, predicted, f, data["index_test"], columns=6, count=params.mistakes),
    )


if __name__ == "__main__":
    run(main)
