"""The path over C."""

from functools import partial

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from analysis.follow import path_grid, solve_path
from analysis.path import PathPoint, path_points
from l1svc import svm_path
from pipeline.errors import NotConvergedError


@pytest.fixture(scope="module")
def problem(digits) -> tuple[np.ndarray, np.ndarray]:
    X, y = digits(80)
    return X, np.where(y == 8, 1, -1)


def points(X: np.ndarray, s: np.ndarray, Cs: list[float]) -> list[PathPoint]:
    """The path's points, the first thirty images being the test's."""
    solved = solve_path(X, s, Cs)
    return path_points(solved["C"], solved["coef"], solved["intercept"], X, s, X[:30], s[:30])


def test_the_grid_ascends_from_no_weight_to_ten(problem) -> None:
    X, s = problem
    Cs = path_grid(X, s, 20)
    assert Cs == sorted(set(Cs))
    assert len(Cs) == 20
    assert Cs[-1] == 10.0
    assert points(X, s, [Cs[0] / 1.02])[0].nonzero == 0
    assert points(X, s, Cs[:1])[0].nonzero > 0


def test_a_point_says_what_its_weights_do(problem) -> None:
    X, s = problem
    for point in points(X, s, [0.05, 1.0]):
        f = X @ point.coef + point.intercept
        assert point.train_accuracy == np.mean((f > 0) == (s > 0))
        assert point.test_accuracy == np.mean((f[:30] > 0) == (s[:30] > 0))
        assert point.nonzero == np.count_nonzero(point.coef) + (point.intercept != 0)
        loss = np.maximum(0, 1 - s * f) ** 2
        P = np.abs(point.coef).sum() + abs(point.intercept) + point.C * loss.sum()
        assert point.objective == pytest.approx(P, abs=1e-6)
        peer = LinearSVC(
            penalty="l1", dual=False, C=point.C, tol=1e-9, max_iter=10**6, random_state=0
        ).fit(X, s)
        np.testing.assert_allclose(point.coef, peer.coef_[0], atol=1e-4)


def test_a_path_that_does_not_converge_is_refused(problem, monkeypatch) -> None:
    monkeypatch.setattr("analysis.follow.svm_path", partial(svm_path, max_iter=1))
    X, s = problem
    with pytest.raises(
        NotConvergedError, match=r"gridsearch\.path: the path over C from 0\.5 to 20: "
    ):
        solve_path(X, s, [0.5, 20.0])
