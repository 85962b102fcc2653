"""The bound between two optima: no row that it decides turns, and it finds what the path finds."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from l1svc import L1LinearSVC, exact_search
from l1svc.benchmarks.bound import Fold, with_more

pytestmark = pytest.mark.long

LOW, HIGH = 0.02, 0.5


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 10)) @ rng.normal(size=(10, 10)) / 5
    return X, np.where(X[:, :3].sum(axis=1) + rng.normal(size=200) > 0, 1, -1)


@pytest.fixture(scope="module")
def folds(problem):
    X, s = problem
    return [Fold(X, s, train, test) for train, test in StratifiedKFold(3).split(X, s)]


def test_a_decided_row_keeps_its_side(problem, folds) -> None:
    decided = 0
    for fold in folds:
        ends = np.geomspace(LOW, HIGH, 40)
        fold.solve(ends.tolist())
        for low, high in pairwise(ends):
            side, keeps = fold.sides(float(low), float(high))
            decided += keeps.sum()
            for C in np.geomspace(low, high, 4):
                svc = L1LinearSVC(C).fit(fold.X, fold.s)
                turned = (svc.decision_function(fold.out[:, :-1]) > 0) != side
                assert not (turned & keeps).any()
    assert decided > 0.8 * 39 * 200


def test_it_closes_every_interval_at_the_best_and_none_below(problem, folds) -> None:
    X, s = problem
    search = exact_search(X, s, LOW, HIGH, cv=3)
    sizes = np.array([[len(fold.out)] for fold in folds])
    right = np.rint(search.test_scores * sizes).sum(axis=0)
    assert with_more(folds, LOW, HIGH, int(right.max())) == []
    found = with_more(folds, LOW, HIGH, int(right.max()) - 1)
    best = search.Cs[:-1][right == right.max()][0], search.Cs[1:][right == right.max()][0]
    assert any(low < best[1] and high > best[0] for low, high in found)
