"""Stage evaluate: scores and mistakes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate import counts, least_certain, metrics, worst


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


def test_the_cells_are_counted_in_the_order_of_the_classes() -> None:
    cells = {"tn": 7, "fp": 0, "fn": 1, "tp": 9}
    assert counts(cells, (5, 8)) == [(5, 5, 7), (5, 8, 0), (8, 5, 1), (8, 8, 9)]
    assert counts(cells, (4, 1)) == [(4, 4, 7), (4, 1, 0), (1, 4, 1), (1, 1, 9)]


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
    y = np.full(8, 5)
    predicted = np.array([5, 8, 8, 5, 8, 5, 5, 5])
    f = np.array([-9, 0.1, 2.0, -1, 1.0, -1, -1, -1])
    assert worst(y, predicted, f, 2).tolist() == [2, 4]
    assert worst(y, predicted, f, 60).tolist() == [2, 4, 1]


def test_of_equals_the_first_comes_first() -> None:
    """Enough of them for a sort that is not stable to mix them up."""
    f = np.tile([1.0, -0.5], 500)
    y, predicted = np.full(1000, 5), np.full(1000, 8)
    assert worst(y, predicted, f, 600).tolist() == [*range(0, 1000, 2), *range(1, 200, 2)]
    assert least_certain(f, 600).tolist() == [*range(1, 1000, 2), *range(0, 200, 2)]


def test_a_score_of_0_is_read_as_the_negative_class() -> None:
    got = report([1, -1], [0.0, 0.0])
    assert got["confusion"] == {"tn": 1, "fp": 0, "fn": 1, "tp": 0}
    assert got["precision"] == 0.0


def test_the_least_certain_are_nearest_to_the_boundary() -> None:
    assert least_certain(np.array([3.0, -0.1, 0.2, -2.0, 0.0]), 3).tolist() == [4, 1, 2]
