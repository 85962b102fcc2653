"""Stage evaluate: how well the model tells the two classes apart, and where it fails.

Reads data/preprocessed.npz, data/model.joblib and data/raw/about.json; writes
metrics/evaluate.json, every image's score and answer (data/predictions.npz), tables that DVC draws
(confusion, ROC, precision-recall, scores), and pictures of the worst mistakes and of the least
certain answers.
"""

from itertools import product, repeat
from pathlib import Path
from typing import Any

import numpy as np
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

from figures.contributions import contributions
from figures.style import png
from pipeline.about import load_about
from pipeline.artifacts import (
    save_arrays,
    save_bytes,
    save_metrics,
    save_table,
)
from pipeline.canonical import round_scores, scores
from pipeline.labels import signs
from pipeline.params import Evaluate
from pipeline.progress import progress
from pipeline.schemas import PREPROCESSED, load, load_model
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
MODEL = Path("data/model.joblib")
ABOUT = Path("data/raw/about.json")
PREDICTIONS = Path("data/predictions.npz")
METRICS = Path("metrics/evaluate.json")
CONFUSION = Path("plots/confusion.csv")
ROC = Path("plots/roc.csv")
PRECISION_RECALL = Path("plots/precision_recall.csv")
SCORES = Path("plots/scores.csv")
MISTAKES = Path("plots/mistakes.png")
UNCERTAIN = Path("plots/uncertain.png")

PARTS = ("train", "test")


def metrics(y: np.ndarray, predicted: np.ndarray, f: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    """How well one set of images is told apart; the positive class is the second one.

    accuracy_95 is Wilson's interval of the accuracy at 95 % confidence.

    Parameters
    ----------
    y, predicted : (n,) labels
    f : (n,) decision values
    s : (n,) -1 or +1, the signs of y
    """
    said = np.where(f > 0, 1, -1)
    accuracy = float(accuracy_score(y, predicted))
    interval = binomtest(int((y == predicted).sum()), len(y)).proportion_ci(0.95, "wilson")
    precision, recall, f1, _ = precision_recall_fscore_support(
        s, said, average="binary", pos_label=1, zero_division=0.0
    )
    return {
        "accuracy": accuracy,
        "accuracy_95": {"low": float(interval.low), "high": float(interval.high)},
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(roc_auc_score(s, f)),
    }


def counts(
    y: np.ndarray, predicted: np.ndarray, classes: tuple[str, str]
) -> list[tuple[str, str, int]]:
    """The four cells of the confusion matrix: actual class, predicted class, number of images.

    Parameters
    ----------
    y, predicted : (n,) names of classes
    classes : the negative and the positive class
    """
    images = confusion_matrix(y, predicted, labels=classes).ravel().tolist()
    return [(*cell, n) for cell, n in zip(product(classes, classes), images, strict=True)]


def answers(model: LinearSVC, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (n,) labels that a model gives to (n, p) images, and their (n,) decision values."""
    f = scores(X, model.coef_[0], float(model.intercept_[0]))
    return model.classes_[(f > 0).astype(int)], f


def worst(y: np.ndarray, predicted: np.ndarray, f: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` wrongly classified images with the largest |f|, the worst first.

    Parameters
    ----------
    y, predicted : (n,) labels
    f : (n,) decision values
    """
    wrong = np.flatnonzero(predicted != y)
    return wrong[np.argsort(-np.abs(f[wrong]), kind="stable")][:count]


def least_certain(f: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` images with the smallest |f|, the nearest to 0 first."""
    return np.argsort(np.abs(f), kind="stable")[:count]


def main(params: Evaluate) -> None:
    data = load(INPUT, PREPROCESSED)
    pixels = data["X_train"].shape[1]
    model = load_model(MODEL, data["classes"], pixels)
    about = load_about(ABOUT, pixels, data["classes"])
    negative, positive = about.named(data["classes"])
    report: dict[str, Any] = {}
    predictions: dict[str, np.ndarray] = {}
    for part in PARTS:
        X, y = data[f"X_{part}"], data[f"y_{part}"]
        s = signs(y, data["classes"])
        predicted, f = answers(model, X)
        report[part] = {"accuracy": float(accuracy_score(y, predicted))}
        predictions |= {
            f"index_{part}": data[f"index_{part}"],
            f"label_{part}": y,
            f"score_{part}": round_scores(f),
            f"predicted_{part}": predicted,
        }
    # The test set came last: its values are what the pictures show.
    report["test"] = metrics(y, predicted, f, s)
    save_metrics(METRICS, report)
    save_arrays(PREDICTIONS, **predictions)
    save_table(
        CONFUSION,
        ["actual", "predicted", "images"],
        counts(about.named(y), about.named(predicted), (negative, positive)),
    )
    # Each table names its classes itself: a title out of params.yaml would be wrong for the other
    # revision, and wherever params.yaml is newer than the table.
    fpr, tpr, _ = roc_curve(s, f)
    precision, recall, _ = precision_recall_curve(s, f)
    for file, columns in (
        (ROC, {"fpr": fpr, "tpr": tpr}),
        (PRECISION_RECALL, {"recall": recall, "precision": precision}),
        (
            SCORES,
            {
                "actual": about.named(y),
                "f": round_scores(f),
                "negative": np.full(len(y), negative, object),
            },
        ),
    ):
        values = (column.tolist() for column in columns.values())
        save_table(file, [*columns, "positive"], zip(*values, repeat(positive)))
    wrong = int((predicted != y).sum())
    mistaken = worst(y, predicted, f, params.mistakes)
    unsure = least_certain(f, params.uncertain)
    pictures = (
        (MISTAKES, f"The {len(mistaken)} worst of {wrong} mistakes", mistaken),
        (UNCERTAIN, f"The {len(unsure)} least certain answers", unsure),
    )
    with progress("pictures", len(pictures), "pictures") as step:
        for file, title, chosen in pictures:
            figure = contributions(
                f"{title} in {len(y)} test images",
                X[chosen].reshape(-1, *about.shape),
                about.named(y[chosen]),
                about.named(predicted[chosen]),
                f[chosen],
                data["index_test"][chosen],
                model.coef_.reshape(about.shape),
                (negative, positive),
            )
            save_bytes(file, png(figure))
            step()


if __name__ == "__main__":
    run_stage(main, "evaluate")
