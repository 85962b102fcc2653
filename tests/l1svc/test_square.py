"""About as many rows as columns: the steps for wide problems first, then Newton's exact end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, quadratic, relative_duality_gap, svm_path
from l1svc.certificate import certify
from l1svc.design import Design
from l1svc.newton import NewtonSolver
from l1svc.path import start
from l1svc.square import SquareSolver
from tests.rules import examples


def noisy(n, p, seed=0, flipped=0.2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X[:, :10].sum(axis=1) > 0
    return X, np.where(rng.random(n) < flipped, ~y, y).astype(int)


@examples(20)
@given(
    seed=st.integers(0, 2**32 - 1),
    C=st.floats(-2, 3).map(lambda power: 10.0**power),
    weighted=st.booleans(),
)
def test_the_optimum_is_the_newton_solvers(seed, C, weighted):
    X, y = noisy(60, 50, seed)
    y, design = 2.0 * y - 1.0, Design(X, 1.0)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 3, len(y)).astype(float) if weighted else np.ones(len(y))
    ours, newton = SquareSolver(design, y, weights), start(design, y, weights, C, 1000)
    assert isinstance(newton, NewtonSolver)
    for solver in (ours, newton):
        solver.solve(C, 1000)
        solver.polish(C, 1000)
    np.testing.assert_allclose(ours.w, newton.w, rtol=1e-9, atol=1e-12)


def test_large_c_with_about_as_many_rows_as_columns_takes_few_quadratic_solves(monkeypatch):
    solves = []
    solve = quadratic.SupportSystem.solve

    def counted(self, S, c):
        solves.append(len(S))
        return solve(self, S, c)

    monkeypatch.setattr(quadratic.SupportSystem, "solve", counted)
    X, y = noisy(300, 300)
    svc = L1LinearSVC(3.0).fit(X, y)
    assert svc.duality_gap_ < 1e-12
    assert 0 < len(solves) < 50  # Newton alone: some 1000


def test_a_path_and_each_fold_come_to_the_single_fits():
    X, y = noisy(150, 200)
    Cs = [0.01, 0.1, 1.0, 10.0]
    path = svm_path(X, y, Cs)
    assert path.duality_gap.max() < 1e-9
    for k, C in enumerate(Cs):
        svc = L1LinearSVC(C).fit(X, y)
        assert relative_duality_gap(svc.coef_, svc.intercept_, C, X, y) < 1e-11
        np.testing.assert_allclose(path.coef[k], svc.coef_[0], rtol=1e-6, atol=1e-7)
    search = L1LinearSVCSearchCV(Cs, cv=3).fit(X, y)
    assert search.cv_results_["max_duality_gap"].max() < 1e-9
    assert search.best_estimator_.duality_gap_ < 1e-11


def test_steps_of_both_kinds_are_counted_and_bounded():
    X, y = noisy(150, 200)
    solver = SquareSolver(Design(X, 1.0), 2.0 * y - 1.0, np.ones(len(y)))
    solver.approach(1.0, 3)
    assert 0 < solver.n_iter <= 4
    solver.solve(1.0, 4)
    assert solver.n_iter <= 9
    solver.solve(1.0, 1000)
    before = solver.n_iter
    solver.solve(1.0, 1000)
    assert solver.n_iter <= before + 1
    primal, gap, _ = certify(
        solver.design, solver.y, solver.weights, np.array([1.0]), solver.w[None]
    )
    assert gap[0] < 1e-9 * primal[0]


def test_a_copy_for_other_weights_leaves_the_first_alone():
    X, y = noisy(150, 200)
    solver = SquareSolver(Design(X, 1.0), 2.0 * y - 1.0, np.ones(len(y)))
    solver.solve(0.5, 1000)
    w = solver.w.copy()
    other = solver.reweighted(np.where(np.arange(len(y)) % 4, 1.0, 0.0))
    assert other.n_iter == 0
    other.solve(5.0, 1000)
    other.polish(5.0, 1000)
    np.testing.assert_array_equal(solver.w, w)
    solver.solve(0.5, 1000)
    np.testing.assert_allclose(solver.w, w, atol=1e-9)


@pytest.mark.parametrize("ratio", [0.5, 1.5])
def test_one_fit_at_small_c_makes_no_gram_matrix_of_all_columns(monkeypatch, ratio):
    def refuse(self):
        raise AssertionError("widened")

    monkeypatch.setattr(NewtonSolver, "widen", refuse)
    X, y = noisy(400, 100)
    target = 2.0 * y - 1.0
    least = 0.5 / max(np.abs(X.T @ target).max(), abs(target.sum()))
    svc = L1LinearSVC(ratio * least).fit(X, y)
    assert svc.duality_gap_ < 1e-12
    assert svc.coef_.any() == (ratio > 1)
