"""Stage evaluate: scores and mistakes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate import metrics, mistakes


def report(s: list[int], f: list[float]) -> dict:
    s, f = np.array(s), np.array(f)
    y = np.where(s > 0, 8, 5)
    return metrics(y, np.where(f > 0, 8, 5), f, s)


def test_the_scores_by_hand() -> None:
    got = report([1, 1, 1, -1, -1], [2.0, 0.5, -1.0, -3.0, 1.0])
    assert got["confusion"] == {"tn": 1, "fp": 1, "fn": 1, "tp": 2}
    assert got["accuracy"] == 3 / 5
    assert got["precision"] == 2 / 3
    assert got["recall"] == 2 / 3
    assert got["f1"] == 2 / 3
    assert got["roc_auc"] == 4 / 6  # pairs (8, 5) in the right order
    assert got["images"] == 5


def wilson(k: int, n: int) -> tuple[float, float]:
    z, p = 1.959963984540054, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.floats(-3, 3)), min_size=2, max_size=50))
def test_the_interval_is_wilsons(rows: list[tuple[int, float]]) -> None:
    s, f = zip(*[(1, 0.5), (-1, 0.5), *rows], strict=True)
    got = report(list(s), list(f))
    right = sum((value > 0) == (sign > 0) for sign, value in zip(s, f, strict=True))
    low, high = wilson(right, len(s))
    assert got["accuracy_95"]["low"] == pytest.approx(low, abs=1e-12)
    assert got["accuracy_95"]["high"] == pytest.approx(high, abs=1e-12)
    assert sum(got["confusion"].values()) == len(s)


def test_the_worst_mistakes_come_first() -> None:
    n = 8
    y = np.full(n, 5)
    predicted = np.array([5, 8, 8, 5, 8, 5, 5, 5])
    f = np.array([-1, 0.1, 2.0, -1, 1.0, -1, -1, -1])
    figure = mistakes(np.zeros((n, 784)), y, predicted, f, np.arange(n) + 100, 6, 2)
    shown = [axes.texts[0].get_text() for axes in figure.axes if axes.texts]
    assert shown == ["f = +2.00   no. 102", "f = +1.00   no. 104"]
    assert figure.get_suptitle() == "The 2 worst of 3 mistakes in 8 test images"


def test_no_mistake_at_all_is_a_picture_too() -> None:
    figure = mistakes(
        np.zeros((1, 784)), np.array([5]), np.array([5]), np.ones(1), np.ones(1), 6, 9
    )
    assert figure.get_suptitle().startswith("The 0 worst of 0 mistakes")
