"""The optimum along C: where the first steps are taken, and what follows where a fit misses tol."""

import numpy as np
import pytest
from sklearn.svm import l1_min_c

from l1svc import L1LinearSVC, objective
from l1svc.certificate import certify
from l1svc.design import Design
from l1svc.path import FIRST_C_RATIO, MAX_STRIDE, SUBSAMPLE_ROWS, follow, start
from l1svc.problem import Problem

CS = [0.02, 0.1, 0.3]
STEPS = 3  # that StandIn takes to each C


def whole(X, y, weight=1.0):
    """The problem of all rows, each of the same weight."""
    return Problem(Design(X, 1.0), y.astype(float), np.full(len(y), weight))


class StandIn:
    """A solver that comes near the optimum at each C: ``off`` is how far from it ``solve`` ends.

    ``polish`` goes a ``share`` of the rest of the way, or by a negative one further off, with all
    the steps that it may take, but ``polish_steps`` at most.
    """

    def __init__(self, problem, off=(1e-3, 1e-3, 1e-3), share=1.0, polish_steps=2):
        X, y = problem
        self.problem = whole(X, y)
        fits = [L1LinearSVC(C).fit(X, y) for C in CS]
        self.best = {
            C: np.append(fit.coef_, fit.intercept_) for C, fit in zip(CS, fits, strict=True)
        }
        self.off = dict(zip(CS, off, strict=True))
        self.share, self.polish_steps = share, polish_steps
        self.w, self.n_iter = np.zeros(13), 0

    def restart(self, w):
        self.w = w

    def solve(self, C, max_iter):
        self.w = self.best[C] * (1.0 + self.off[C])
        self.n_iter += min(STEPS, max_iter)

    def polish(self, C, max_iter, thorough=False):
        self.w = self.w + self.share * (self.best[C] - self.w)
        self.n_iter += min(self.polish_steps, max_iter)


def assert_consistent(fits, solver):
    """The certificates and products are those of the weights."""
    primal, gap, products = certify(solver.problem, np.array(CS), fits.W, 1.0)
    np.testing.assert_allclose(fits.products, products, atol=1e-12)
    np.testing.assert_allclose(fits.gaps, gap / primal, rtol=1e-3, atol=1e-11)


def test_only_a_fit_that_misses_tol_is_attempted_again(problem):
    solver = StandIn(problem, off=(1e-3, 0.0, 1e-3))
    left = follow(solver, CS, 1.0, 1000)
    fits = follow(solver, CS, 1e-8, 1000)
    assert (left.gaps > 1e-8).tolist() == [True, False, True]
    assert left.n_iter.tolist() == [3, 3, 3]
    assert fits.n_iter.tolist() == [5, 3, 5]
    assert fits.gaps.max() < 1e-11
    for C, w in zip(CS, fits.W, strict=True):
        np.testing.assert_allclose(w, solver.best[C], atol=1e-14)
    for one in (left, fits):
        assert_consistent(one, solver)


def test_an_attempt_that_makes_it_worse_is_not_taken(problem):
    solver = StandIn(problem, share=-5.0)
    left, fits = (follow(solver, CS, tol, 1000) for tol in (1.0, 1e-8))
    np.testing.assert_array_equal(fits.W, left.W)
    np.testing.assert_allclose(fits.gaps, left.gaps, rtol=1e-6)
    assert fits.n_iter.tolist() == [5, 5, 5]
    assert_consistent(fits, solver)


@pytest.mark.parametrize(("share", "left_over", "attempts"), [(0.1, 0.1, 1), (0.6, 0.007, 6)])
def test_there_are_as_many_attempts_as_halve_the_gap(problem, share, left_over, attempts):
    solver = StandIn(problem, off=(0.0, 0.0, 1e-3), share=share, polish_steps=1)
    left = follow(solver, CS, 1.0, 1000)
    fits = follow(solver, CS, left_over * left.gaps[-1], 1000)
    assert fits.n_iter[-1] == STEPS + attempts
    best = solver.best[CS[-1]]
    np.testing.assert_allclose(fits.W[-1], best + (1 - share) ** attempts * (left.W[-1] - best))
    assert_consistent(fits, solver)


@pytest.mark.parametrize("polish", [False, True])
def test_max_iter_bounds_the_steps_of_each_c(problem, polish):
    """Of the first C two are taken already: it has no steps left for another attempt."""
    solver = StandIn(problem, share=0.0, polish_steps=1000)
    solver.n_iter = 2
    assert follow(solver, CS, 1e-16, 5, polish=polish).n_iter.tolist() == [5, 5, 5]
    solver.n_iter = 3
    assert follow(solver, CS, 1.0, 5).n_iter.tolist() == [5, 3, 3]


def big(n, p=3):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, p))
    return X, np.where(X[:, 0] + rng.normal(size=n) > 0, 1.0, -1.0)


def excess(solver, X, y, C):
    """By how much the objective is above the optimum's, relative."""
    fit = L1LinearSVC(C).fit(X, y, solver.weights)
    weights = {"sample_weight": solver.weights}
    best = objective(fit.coef_, fit.intercept_, C, X, y, **weights)
    return objective(solver.w[:-1], solver.w[-1], C, X, y, **weights) / best - 1.0


@pytest.mark.parametrize("n", [2 * SUBSAMPLE_ROWS, (MAX_STRIDE + 2) * SUBSAMPLE_ROWS])
@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_from_few_rows_one_step_on_all_leads_near_the_optimum(n, weight):
    X, y = big(n)
    weights = np.where(np.arange(n) % 4 < 2, weight, 2.0 * weight)
    C = 30.0 / n
    solver = start(Problem(Design(X, 1.0), y, weights), C, 50)
    assert solver.n_iter == 1
    assert excess(solver, X, y, C) < 1e-3


@pytest.mark.parametrize(("ratio", "steps"), [(0.1, 6), (3.9, 10), (63.0, 16)])
@pytest.mark.parametrize("weight", [10.0, 1e-4])
def test_a_start_rises_to_near_the_optimum_at_large_c(problem, weight, ratio, steps):
    X, y = problem
    C = ratio * FIRST_C_RATIO * l1_min_c(X, y, loss="squared_hinge") / weight
    solver = start(whole(X, y, weight), C, 1000)
    assert solver.n_iter <= steps
    assert excess(solver, X, y, C) < 0.03


def test_a_start_takes_no_more_than_max_iter_steps(problem):
    X, y = problem
    assert start(whole(X, y), 1e4, 5).n_iter == 5
