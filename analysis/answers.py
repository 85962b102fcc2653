"""Answers: how many of them are right, how sure, which are the worst and the least certain."""

from itertools import product
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.svm import LinearSVC

from pipeline.rounding import exact_scores


def answers(model: LinearSVC, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (n,) labels that a model gives to (n, p) images, and their (n,) scores."""
    f = exact_scores(X, model.coef_[0], float(model.intercept_[0]))
    return model.classes_[(f > 0).astype(int)], f


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
