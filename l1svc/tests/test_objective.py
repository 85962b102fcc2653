import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.svm import LinearSVC

from l1svc import L1LinearSVC, objective, relative_duality_gap
from l1svc.certificate import BATCH, certify
from l1svc.design import Design
from l1svc.problem import Problem, one_vs_rest
from l1svc.tests.rules import examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def primal_minus_dual(coef, intercept, C, X, y):
    """The gap from its definition: P(w) − D(α), α = t·2C·b."""
    b = np.maximum(0.0, 1.0 - y * (X @ coef + intercept))
    primal = np.abs(coef).sum() + abs(intercept) + C * np.sum(b**2)
    alpha = 2 * C * b
    slopes = np.append((alpha * y) @ X, np.sum(alpha * y))
    alpha = alpha * min(1.0, 1.0 / np.abs(slopes).max())
    return primal, primal - (alpha.sum() - np.sum(alpha**2) / (4 * C))


@examples(25)
@given(seed=st.integers(0, 2**32 - 1), C=st.floats(1e-3, 1e2), size=st.floats(0, 3))
def test_certificate_is_primal_minus_dual(seed, C, size):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, 5))
    y = np.where(np.arange(20) % 3 == 0, 1, -1)
    coef, intercept = size * rng.normal(size=5), size * rng.normal()
    primal, gap = primal_minus_dual(coef, intercept, C, X, y)
    assert objective(coef, intercept, C, X, y) == pytest.approx(primal, rel=1e-12)
    relative = relative_duality_gap(coef, intercept, C, X, y)
    assert relative == pytest.approx(min(gap / primal, 1.0), rel=1e-9, abs=1e-13)  # D(0) = 0
    best = LinearSVC(C=C, penalty="l1", dual=False, tol=1e-6, max_iter=20000).fit(X, y)
    lowest = objective(best.coef_, best.intercept_, C, X, y)
    # a bound on the suboptimality, but for the rounding of P
    assert relative * primal >= (primal - lowest) * (1 - 1e-6) - 1e-13 * primal


def test_gap_of_liblinear_falls_with_its_tolerance(problem):
    X, y = problem
    gaps = []
    for tol in (1e-1, 1e-4, 1e-10):
        svc = LinearSVC(C=0.3, penalty="l1", dual=False, tol=tol, max_iter=100000, random_state=0)
        svc.fit(X, y)
        gaps.append(relative_duality_gap(svc.coef_, svc.intercept_, 0.3, X, y))
    assert gaps[0] > 1e-4 > gaps[1] > 1e-7 > 1e-9 > gaps[2] >= 0


def test_small_gaps_do_not_drown_in_cancellation(problem):
    X, y = problem
    fit = L1LinearSVC(C=0.3).fit(X, y)
    gaps = [
        relative_duality_gap(fit.coef_ * (1 + e), fit.intercept_, 0.3, X, y)
        for e in (1e-6, 1e-9, 1e-12)
    ]
    assert 0 <= fit.duality_gap_ < gaps[2] < 1e-2 * gaps[1] < 1e-4 * gaps[0]


def test_weights_stand_for_repeated_rows_and_scaled_bias(problem):
    X, y = problem
    repeats = np.arange(len(y)) % 3
    rng = np.random.default_rng(1)
    coef, intercept = rng.normal(size=X.shape[1]), 0.4
    for scaling in (1.0, 5.0):
        weighted = relative_duality_gap(
            coef, intercept, 0.1, X, y, intercept_scaling=scaling, sample_weight=repeats
        )
        repeated = relative_duality_gap(
            coef,
            intercept,
            0.1,
            np.repeat(X, repeats, axis=0),
            np.repeat(y, repeats),
            intercept_scaling=scaling,
        )
        assert weighted == pytest.approx(repeated, rel=1e-12)
    weighted = objective(coef, intercept, 0.1, X, y, sample_weight=repeats)
    rows = np.repeat(np.arange(len(y)), repeats)
    repeated = objective(coef, intercept, 0.1, X[rows], y[rows])
    assert weighted == pytest.approx(repeated, rel=1e-12)
    penalty = [objective(coef, 0.4, 0.1, X, y, intercept_scaling=s) for s in (1.0, 4.0)]
    assert penalty[0] - penalty[1] == pytest.approx(0.3, rel=1e-12)


def test_several_classes_sparse_and_no_intercept():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(90, 6)) * (rng.random((90, 6)) < 0.5)
    y = np.arange(90) % 3
    fit = L1LinearSVC(C=0.5, fit_intercept=False).fit(X, y)
    for rows in (X, sparse.csr_matrix(X), sparse.csc_array(X)):
        gap = relative_duality_gap(fit.coef_, None, 0.5, rows, y)
        assert gap < 1e-8
        single = [objective(w, None, 0.5, rows, y == k) for k, w in enumerate(fit.coef_)]
        assert objective(fit.coef_, None, 0.5, rows, y) == pytest.approx(sum(single), rel=1e-13)


@pytest.mark.parametrize("as_given", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("m", [1, BATCH, 2 * BATCH + 3])
def test_many_weights_at_once_are_certified_one_by_one(m, as_given):
    rng = np.random.default_rng(m)
    X, y = rng.normal(size=(25, 4)), rng.choice([-1.0, 1.0], size=25)
    W, Cs = rng.normal(size=(m, 5)), rng.uniform(0.001, 2.0, size=m)
    W[::3] *= 0.01
    counts = rng.integers(0, 3, size=(m, 25)).astype(float)
    design = Design(as_given(X), 0.5)
    full = np.column_stack([X, np.full(25, 0.5)])
    for weights in (counts, counts[0]):
        primal, gap, products = certify(Problem(design, y, weights), Cs, W)
        np.testing.assert_allclose(products, W @ full.T, atol=1e-12)
        for k, (w, C) in enumerate(zip(W, Cs, strict=True)):
            rows = np.repeat(np.arange(25), counts[k if weights.ndim == 2 else 0].astype(int))
            args = w[:4], 0.5 * w[4], C, X[rows], y[rows]
            loss, penalty = np.maximum(0, 1 - y * (full @ w))[rows] ** 2, np.abs(w).sum()
            assert primal[k] == pytest.approx(penalty + C * loss.sum(), rel=1e-12)
            expected = relative_duality_gap(*args, intercept_scaling=0.5)
            assert gap[k] / primal[k] == pytest.approx(expected, rel=1e-10)


def test_where_the_dual_point_is_feasible_it_is_not_scaled():
    """At w = 0 and a small C: P = C·n, α = 2C, D = 2Cn − Cn, so the gap is 0; above, not."""
    X, y = np.array([[1.0], [2.0], [-1.0]]), np.array([1, 1, -1])
    lowest = 1 / 8  # 2C·|1 + 2 + 1| = 1
    for C in (lowest / 2, lowest):
        assert objective([0.0], 0.0, C, X, y) == pytest.approx(3 * C)
        assert relative_duality_gap([0.0], 0.0, C, X, y) < 1e-15
    assert relative_duality_gap([0.0], 0.0, 2 * lowest, X, y) == pytest.approx(0.25)  # (1 − ½)²


def test_one_vs_rest_targets():
    y = np.array(["b", "a", "c", "a"])
    targets = one_vs_rest(y, np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(targets, [[-1, 1, -1, 1], [1, -1, -1, -1], [-1, -1, 1, -1]])
    assert targets.dtype == np.float64
    y[2] = "b"
    np.testing.assert_array_equal(one_vs_rest(y, np.array(["a", "b"])), [[1, -1, 1, -1]])


def test_the_gap_of_several_classes_is_the_largest():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(60, 4)), np.array(list("abc"))[np.arange(60) % 3]
    coef, intercept = rng.normal(size=(3, 4)), rng.normal(size=3)
    single = [
        relative_duality_gap(w, b, 0.3, X, y == label)
        for w, b, label in zip(coef, intercept, "abc", strict=True)
    ]
    assert relative_duality_gap(coef, intercept, 0.3, X, y) == pytest.approx(max(single), rel=1e-12)
    sums = [
        objective(w, b, 0.3, X, y == label)
        for w, b, label in zip(coef, intercept, "abc", strict=True)
    ]
    assert objective(coef, intercept, 0.3, X, y) == pytest.approx(sum(sums), rel=1e-12)


def test_what_is_given_may_be_lists_sparse_or_of_less_precision(problem):
    X, y = problem
    X = X.astype(np.float32).astype(float)
    coef, weights = np.where(np.arange(12) % 2, 0.1, 0.0), 0.5 + np.arange(len(y)) % 3
    for function in (objective, relative_duality_gap):
        expected = function(coef, 0.3, 0.1, X, y, sample_weight=weights)
        for coef_, intercept, X_, y_, weights_ in [
            (sparse.csr_matrix(coef), [0.3], X.astype(np.float32), y, weights),
            ([list(coef)], np.array([0.3]), X.tolist(), y.tolist(), weights.tolist()),
            (coef, 0.3, X.astype(object), y, weights),
            (coef[None], 0.3, sparse.coo_matrix(X), np.where(y > 0, "b", "a"), weights),
        ]:
            got = function(coef_, intercept, 0.1, X_, y_, sample_weight=weights_)
            assert got == pytest.approx(expected, rel=1e-13)
    unpenalised = objective(coef, None, 0.1, X, y)
    assert unpenalised == pytest.approx(objective(coef, 0.0, 0.1, X, y), rel=1e-13)
    at_bias_2 = primal_minus_dual(coef, 0.0, 0.1, X, y)[0] - unpenalised
    assert at_bias_2 == pytest.approx(0.0, abs=1e-12)


def test_without_an_intercept_the_dual_is_not_bound_by_its_column():
    X, y = np.array([[1.0], [1.0], [2.0], [-1.0]]), np.array([1, 1, -1, 1])
    coef, C = np.zeros(1), 1 / 6  # 2C·|1 + 1 − 2 − 1| ≤ 1 < 2C·|Σy| · 2
    assert relative_duality_gap(coef, None, C, X, y) < 1e-15
    assert relative_duality_gap(coef, None, C, X, y, intercept_scaling=10.0) == 0.0
    assert relative_duality_gap(coef, 0.0, C, X, y, intercept_scaling=10.0) > 0.5


def test_refuses_what_does_not_fit(problem):
    X, y = problem
    for coef in (np.zeros(3), np.zeros((2, 12))):
        message = r"^coef must have shape \(1, 12\) for these X and y, got " + re.escape(
            f"{np.atleast_2d(coef).shape}."
        )
        with pytest.raises(ValueError, match=message + "$"):
            relative_duality_gap(coef, 0.0, 1.0, X, y)
    with pytest.raises(ValueError, match="at least 2 classes in the data, but"):
        relative_duality_gap(np.zeros(12), 0.0, 1.0, X, np.ones(len(y)))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        objective(np.zeros(12), 0.0, 1.0, X, X[:, 0])
