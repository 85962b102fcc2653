import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.svm import LinearSVC

from l1svc import L1LinearSVC, objective, relative_duality_gap

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def primal_minus_dual(coef, intercept, C, X, y):
    """The gap from its definition: P(w) − D(α), α = t·2C·b."""
    b = np.maximum(0.0, 1.0 - y * (X @ coef + intercept))
    primal = np.abs(coef).sum() + abs(intercept) + C * np.sum(b**2)
    alpha = 2 * C * b
    slopes = np.append((alpha * y) @ X, np.sum(alpha * y))
    alpha = alpha * min(1.0, 1.0 / np.abs(slopes).max())
    return primal, primal - (alpha.sum() - np.sum(alpha**2) / (4 * C))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), C=st.floats(1e-3, 1e2), size=st.floats(0, 3))
def test_certificate_is_primal_minus_dual(seed, C, size):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, 5))
    y = np.where(np.arange(20) % 3 == 0, 1, -1)
    coef, intercept = size * rng.normal(size=5), size * rng.normal()
    primal, gap = primal_minus_dual(coef, intercept, C, X, y)
    assert objective(coef, intercept, C, X, y) == pytest.approx(primal, rel=1e-12)
    relative = relative_duality_gap(coef, intercept, C, X, y)
    assert relative == pytest.approx(gap / primal, rel=1e-9, abs=1e-13)
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


def test_refuses_what_does_not_fit(problem):
    X, y = problem
    with pytest.raises(ValueError, match="coef must have shape"):
        relative_duality_gap(np.zeros(3), 0.0, 1.0, X, y)
    with pytest.raises(ValueError, match="at least 2 classes"):
        relative_duality_gap(np.zeros(12), 0.0, 1.0, X, np.ones(len(y)))
