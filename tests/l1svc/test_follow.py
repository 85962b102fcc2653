"""The optimum along C: where the first steps are taken, and what follows where a fit misses tol."""

import itertools

import numpy as np
import pytest
from sklearn.svm import l1_min_c

from l1svc import L1LinearSVC, path
from l1svc.certificate import certify
from l1svc.design import Design
from l1svc.newton import NewtonSolver
from l1svc.path import FIRST_C_RATIO, MAX_STRIDE, SUBSAMPLE_ROWS, follow, start

CS = np.array([0.02, 0.1, 0.3])


@pytest.fixture
def solver(problem):
    X, y = problem
    return start(Design(X, 1.0), y.astype(float), np.ones(len(y)), CS[0], 1000)


def spoil(solver, by=1e-4):
    """Make G wrong, so that fits miss tol until the gradient comes from X."""
    solver.widen()
    solver._update_gram(solver._active())
    solver.G *= 1.0 + by * np.random.default_rng(0).random(solver.G.shape)
    return solver


def assert_consistent(fits, design, y, weights):
    """The certificates and products are those of the weights; quick ones are not below."""
    primal, gap, products = certify(design, y, weights, CS, fits.W)
    np.testing.assert_allclose(fits.products, products, atol=1e-12)
    np.testing.assert_allclose(fits.gaps, gap / primal, rtol=1e-3, atol=1e-12)
    assert (fits.gaps >= gap / primal * (1 - 1e-9)).all()


def test_every_c_is_solved_and_certified(solver, problem):
    X, y = problem
    fits = follow(solver, CS, 1e-8, 1000)
    assert fits.gaps.max() < 1e-11
    for k, C in enumerate(CS):
        one = L1LinearSVC(C).fit(X, y)
        np.testing.assert_allclose(fits.W[k], np.append(one.coef_, one.intercept_), atol=1e-10)
    assert_consistent(fits, solver.design, solver.y, solver.weights)
    assert fits.n_iter.dtype == int
    assert (fits.n_iter > 0).all()
    assert fits.n_iter.sum() <= 16


def test_a_fit_that_misses_tol_is_attempted_again(solver, problem):
    X, y = problem
    left = follow(spoil(solver.reweighted(solver.weights)), CS, 1.0, 1000)
    assert (left.gaps > 1e-8).all()
    again = follow(spoil(solver.reweighted(solver.weights)), CS, 1e-8, 1000)
    assert (again.gaps < 1e-12).all()
    assert (again.n_iter > left.n_iter).all()
    assert_consistent(again, solver.design, solver.y, solver.weights)
    for k, C in enumerate(CS):
        one = L1LinearSVC(C).fit(X, y)
        np.testing.assert_allclose(again.W[k], np.append(one.coef_, one.intercept_), atol=1e-14)


def test_only_a_fit_that_misses_tol_is_attempted_again(solver):
    left = follow(spoil(solver.reweighted(solver.weights)), CS, 1.0, 1000)
    between = np.sort(left.gaps)[:2].mean()
    again = follow(spoil(solver.reweighted(solver.weights)), CS, between, 1000)
    missed = left.gaps > between
    assert 0 < missed.sum() < len(CS)
    np.testing.assert_array_equal(again.gaps[~missed], left.gaps[~missed])
    np.testing.assert_array_equal(again.W[~missed], left.W[~missed])
    np.testing.assert_array_equal(again.n_iter[~missed], left.n_iter[~missed])
    assert (again.gaps[missed] < 1e-12).all()


def test_an_attempt_that_makes_it_worse_is_not_taken(solver, monkeypatch):
    left = follow(spoil(solver.reweighted(solver.weights)), CS, 1.0, 1000)

    def polish(solver, C, max_iter):
        solver.w = np.ones_like(solver.w)
        solver.n_iter += 7

    monkeypatch.setattr(NewtonSolver, "polish", polish)
    again = follow(spoil(solver.reweighted(solver.weights)), CS, 1e-8, 1000)
    np.testing.assert_array_equal(again.W, left.W)
    np.testing.assert_allclose(again.gaps, left.gaps, rtol=1e-6)
    np.testing.assert_array_equal(again.products, left.products)
    np.testing.assert_array_equal(again.n_iter, left.n_iter + 7)


@pytest.mark.parametrize(("share", "left_over", "attempts"), [(0.1, 0.1, 1), (0.6, 0.007, 6)])
def test_an_attempt_that_helps_is_taken_and_as_many_more_as_halve_the_gap(
    solver, problem, monkeypatch, share, left_over, attempts
):
    left = follow(spoil(solver.reweighted(solver.weights)), CS, 1.0, 1000)
    one = L1LinearSVC(CS[-1]).fit(*problem)
    best = np.append(one.coef_, one.intercept_)
    tried = []

    def polish(solver, C, max_iter):
        if CS[-1] == C:
            tried.append(C)
            solver.w = solver.w + share * (best - solver.w)

    monkeypatch.setattr(NewtonSolver, "polish", polish)
    again = follow(spoil(solver.reweighted(solver.weights)), CS, left_over * left.gaps[-1], 1000)
    assert len(tried) == attempts
    np.testing.assert_allclose(again.W[-1], best + (1 - share) ** attempts * (left.W[-1] - best))
    assert_consistent(again, solver.design, solver.y, solver.weights)


def test_max_iter_bounds_the_steps_of_each_c(solver, monkeypatch):
    asked = []

    def solve(solver, C, max_iter):
        asked.append(("solve", C, max_iter))
        solver.n_iter += 3

    def polish(solver, C, max_iter):
        asked.append(("polish", C, max_iter))
        solver.n_iter += max_iter

    monkeypatch.setattr(NewtonSolver, "solve", solve)
    monkeypatch.setattr(NewtonSolver, "polish", polish)
    solver.n_iter = 2
    fits = follow(solver, [0.1, 0.2], 1e-16, 5)
    # the first C has no steps left, the second two
    assert asked == [("solve", 0.1, 3), ("solve", 0.2, 5), ("polish", 0.2, 2)]
    assert fits.n_iter.tolist() == [5, 5]
    asked.clear()
    solver.n_iter = 2
    fits = follow(solver, [0.1, 0.2], 1e-16, 5, polish=True)
    assert asked == [("solve", 0.1, 3), ("solve", 0.2, 5), ("polish", 0.2, 2)]
    assert fits.n_iter.tolist() == [5, 5]


def test_polished_weights_are_right_to_the_last_digits(solver, problem):
    one = L1LinearSVC(CS[-1]).fit(*problem)
    fits = follow(solver, CS, 1e-8, 1000, polish=True)
    np.testing.assert_allclose(fits.W[-1], np.append(one.coef_, one.intercept_), rtol=1e-15)
    assert fits.gaps.max() < 1e-15


def test_seconds_are_of_each_c_and_of_its_share_in_the_certificate(solver, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(path.time, "perf_counter", lambda: float(next(clock)))
    fits = follow(solver, CS, 1.0, 1000)
    np.testing.assert_allclose(fits.seconds, 1 + 1 / 3)
    fits = follow(spoil(solver), CS, 1e-8, 1000)
    np.testing.assert_allclose(fits.seconds, 1 + 1 / 3 + 1)


@pytest.fixture
def approaches(monkeypatch):
    """(rows, C, max_iter, columns of G) of each approach."""
    seen = []
    inner = NewtonSolver.approach

    def approach(solver, C, max_iter):
        seen.append((len(solver.y), C, max_iter, len(solver.columns)))
        inner(solver, C, max_iter)

    monkeypatch.setattr(NewtonSolver, "approach", approach)
    return seen


def big(n, p=3):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, p))
    return X, np.where(X[:, 0] + rng.normal(size=n) > 0, 1.0, -1.0)


@pytest.mark.parametrize(
    ("n", "stride"),
    [
        (SUBSAMPLE_ROWS * 2 - 1, 1),
        (SUBSAMPLE_ROWS * 2, 2),
        (SUBSAMPLE_ROWS * 3 + 1, 3),
        (SUBSAMPLE_ROWS * (MAX_STRIDE + 2), MAX_STRIDE),
    ],
)
def test_the_first_steps_are_taken_on_few_rows(approaches, n, stride):
    X, y = big(n)
    C = 3.0 / n
    solver = start(Design(X, 1.0), y, np.ones(n), C, 50)
    first, last = approaches[0], approaches[-1]
    if stride > 1:
        assert first[:3] == (-(-n // stride), pytest.approx(C * stride), 50)
        assert first[3] == 0
        assert last[3] > 0  # it starts from the weights of the subsample
    assert len(approaches) == (2 if stride > 1 else 1)
    assert last[:3] == (n, pytest.approx(C), 20)
    assert solver.n_iter == 1
    assert len(solver.columns) == 4


def test_from_few_rows_and_their_weights_the_start_is_near_the_optimum():
    X, y = big(SUBSAMPLE_ROWS * 2)
    weights = np.where(np.arange(len(y)) % 4 < 2, 2.0, 0.0)
    solver = start(Design(X, 1.0), y, weights, 1e-2, 50)
    one = L1LinearSVC(1e-2).fit(X, y, weights)
    assert solver.n_iter == 1
    np.testing.assert_allclose(solver.w[:-1], one.coef_[0], atol=1e-2)


@pytest.mark.parametrize(("ratio", "rungs"), [(0.1, 1), (1.0, 1), (3.9, 2), (4.1, 3), (63.0, 4)])
def test_c_rises_to_where_it_is_wanted_by_factors_of_at_most_4(approaches, problem, ratio, rungs):
    X, y = problem
    easy = FIRST_C_RATIO * l1_min_c(X, y, loss="squared_hinge")
    C = easy * ratio
    solver = start(Design(X, 1.0), y.astype(float), np.ones(len(y)), C, 1000)
    Cs = np.array([approach[1] for approach in approaches])
    np.testing.assert_allclose(Cs, np.geomspace(min(C, easy), C, rungs), rtol=1e-12)
    assert [approach[2] for approach in approaches] == [20] * rungs
    # on the way up all columns are kept, lest each rung begin a working set of its own
    assert {approach[3] for approach in approaches} == ({0} if rungs == 1 else {13})
    assert len(solver.columns) == 13


@pytest.mark.parametrize("weight", [10.0, 1e-4])
def test_weights_of_the_rows_move_the_first_c(approaches, problem, weight):
    X, y = problem
    easy = FIRST_C_RATIO * l1_min_c(X, y, loss="squared_hinge") / weight
    start(Design(X, 1.0), y.astype(float), np.full(len(y), weight), 9 * easy, 1000)
    assert approaches[0][1] == pytest.approx(easy)


def test_a_start_takes_no_more_than_max_iter_steps(approaches, problem):
    X, y = problem
    solver = start(Design(X, 1.0), y.astype(float), np.ones(len(y)), 1e4, 5)
    assert solver.n_iter == 5
    assert approaches[0][2] == 5
    assert [approach[2] for approach in approaches][-1] == 0
