"""The certificate is never below the gap in exact arithmetic, and hardly above."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l1svc import L1LinearSVC, relative_duality_gap
from l1svc.certificate import certify
from l1svc.design import Design
from tests.l1svc.problems import timestamps

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def exact_gap(coef, intercept, C, X, y):
    """(P(w) − D(α)) / P(w) for α = t·2C·b, in fractions."""
    signs = np.where(y == np.unique(y)[1], 1, -1).tolist()
    rows = [
        [s * Fraction(x) for x in [*row, 1.0]] for s, row in zip(signs, X.tolist(), strict=True)
    ]
    w, C = [Fraction(x) for x in [*coef.tolist(), float(intercept)]], Fraction(C)
    b = [max(Fraction(0), 1 - sum(map(Fraction.__mul__, row, w))) for row in rows]
    slopes = [
        sum(2 * C * b_i * row[j] for b_i, row in zip(b, rows, strict=True)) for j in range(len(w))
    ]
    t = 1 / max(Fraction(1), *map(abs, slopes))
    loss, norm = C * sum(x * x for x in b), sum(map(abs, w))
    dual = t * 2 * C * sum(b) - t * t * loss
    return float((norm + loss - dual) / (norm + loss))


def scaled(seed, n=25, p=5, decades=8):
    """Columns up to so many orders of magnitude up and down."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-decades, decades + 1, p)
    return X, (rng.random(n) < 0.5).astype(int)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), C=st.sampled_from([1e-3, 0.1, 1.0, 1e3]), off=st.booleans())
def test_the_gap_is_that_of_exact_arithmetic(seed, C, off):
    X, y = scaled(seed)
    if len(np.unique(y)) < 2:
        return
    fit = L1LinearSVC(C).fit(X, y)
    coef, intercept = fit.coef_[0], fit.intercept_[0]
    if off:
        coef = coef * (1 + 1e-7 * np.random.default_rng(seed).normal(size=len(coef)))
    exact = exact_gap(coef, intercept, C, X, y)
    said = relative_duality_gap(coef, intercept, C, X, y)
    assert exact <= said <= exact * 1.01 + 1e-15
    if not off:
        assert fit.duality_gap_ == said


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(0, 3))
def test_the_quick_bound_is_not_below(seed, decades):
    X, y = scaled(seed, decades=decades)
    rng = np.random.default_rng(seed)
    W, C = rng.normal(size=(3, 6)) * (rng.random((3, 6)) < 0.7), np.array([0.01, 1.0, 100.0])
    design, signs = Design(X, 1.0), np.where(y == 1, 1.0, -1.0)
    primal, exact, _ = certify(design, signs, np.ones(len(y)), C, W)
    same, quick, _ = certify(design, signs, np.ones(len(y)), C, W, tol=np.inf)
    np.testing.assert_array_equal(same, primal)
    assert (quick >= exact).all()
    np.testing.assert_allclose(quick, exact, rtol=1e-6)


def test_a_large_column_is_no_hindrance():
    """Unix times beside ordinary columns: half of the digits of a double are theirs."""
    X, y = timestamps()
    for C in (0.01, 1.0, 100.0):
        fit = L1LinearSVC(C).fit(X, y)
        assert fit.n_iter_ < 60
        assert fit.duality_gap_ < 1e-7
        assert exact_gap(fit.coef_[0], fit.intercept_[0], C, X, y) <= fit.duality_gap_
        assert fit.score(X, y) > 0.9
