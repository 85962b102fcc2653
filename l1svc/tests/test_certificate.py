"""The certificate is never below the gap in exact arithmetic, and hardly above."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc import L1LinearSVC, relative_duality_gap
from l1svc.certificate import certify
from l1svc.design import Design
from l1svc.problem import Problem
from l1svc.tests.problems import timestamps
from l1svc.tests.rules import examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def exact_gap(coef, intercept, C, X, y):
    """(P(w) − D(α)) / P(w) for α = t·2C·b, in fractions."""
    rows = exact_rows(X, y)
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


@examples(20)
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
    assert said <= exact * 1.01 + 1e-15
    if off:
        assert exact <= said
    else:  # α may be those of weights next to these, that are no doubles
        assert fit.duality_gap_ == said
        best = exact_optimum(coef, intercept, C, X, y)
        assert best is None or said >= 1 - float(best / exact_objective(coef, intercept, C, X, y))


def exact_rows(X, y):
    signs = np.where(y == np.unique(y)[1], 1, -1).tolist()
    return [
        [s * Fraction(x) for x in [*row, 1.0]] for s, row in zip(signs, X.tolist(), strict=True)
    ]


def exact_objective(coef, intercept, C, X, y):
    """P(w), in fractions."""
    w = [Fraction(x) for x in [*coef, intercept]]
    short = [1 - sum(map(Fraction.__mul__, row, w)) for row in exact_rows(X, y)]
    return sum(map(abs, w)) + Fraction(C) * sum(b * b for b in short if b > 0)


def exact_optimum(coef, intercept, C, X, y):
    """P at the point where v_j = sign w_j on the support, in fractions; None if there is none."""
    w = np.append(coef, intercept)
    support, rows = np.flatnonzero(w).tolist(), exact_rows(X, y)
    given = [Fraction(x) for x in w.tolist()]
    rows = [row for row in rows if sum(map(Fraction.__mul__, row, given)) < 1]
    table = [
        [sum(row[j] * row[k] for row in rows) for k in support]
        + [sum(row[j] for row in rows) - Fraction(np.sign(w[j])) / (2 * Fraction(C))]
        for j in support
    ]
    for k in range(len(table)):  # Gauss and Jordan
        pivot = next((i for i in range(k, len(table)) if table[i][k]), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        table[k] = [x / table[k][k] for x in table[k]]
        for i in range(len(table)):
            if i != k:
                factor = table[i][k]
                table[i] = [x - factor * z for x, z in zip(table[i], table[k], strict=True)]
    best = [Fraction(0)] * len(w)
    for j, row in zip(support, table, strict=True):
        best[j] = row[-1]
    return exact_objective(best[:-1], best[-1], C, X, y)


@pytest.mark.parametrize("C", [1.0, 100.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_rounding_of_the_weights_at_a_large_column_is_no_gap(seed, C):
    X, y = timestamps(seed, 100, 120)
    fit = L1LinearSVC(C, intercept_scaling=0.01).fit(X, y)
    assert fit.duality_gap_ < 1e-10


@examples(20)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(0, 3))
def test_the_quick_bound_is_not_below(seed, decades):
    X, y = scaled(seed, decades=decades)
    rng = np.random.default_rng(seed)
    W, C = rng.normal(size=(3, 6)) * (rng.random((3, 6)) < 0.7), np.array([0.01, 1.0, 100.0])
    problem = Problem(Design(X, 1.0), np.where(y == 1, 1.0, -1.0), np.ones(len(y)))
    primal, exact, _ = certify(problem, C, W)
    same, quick, _ = certify(problem, C, W, tol=np.inf)
    np.testing.assert_array_equal(same, primal)
    assert (quick >= exact).all()
    np.testing.assert_allclose(quick, exact, rtol=1e-6)


def test_a_large_column_is_no_hindrance():
    """Unix times beside ordinary columns: half of the digits of a double are theirs."""
    X, y = timestamps()
    for C in (0.01, 100.0):
        fit = L1LinearSVC(C).fit(X, y)
        assert fit.n_iter_ < 60
        assert fit.duality_gap_ < 1e-10
        weights = fit.coef_[0].tolist(), float(fit.intercept_[0])
        best = exact_optimum(*weights, C, X, y) / exact_objective(*weights, C, X, y)
        assert 1 - best <= fit.duality_gap_
        assert fit.score(X, y) > 0.9


def test_weights_a_little_off_where_large_columns_cancel_are_not_taken_for_the_optimum():
    """The α are those of the optimum next to them: by how much b differs there, counts."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=60)
    X = np.column_stack([rng.normal(size=(60, 2)), 1e6 + t, np.full(60, 1e6)])
    y = (X[:, 0] + t + 0.5 * rng.normal(size=60) > 0).astype(int)
    fit = L1LinearSVC(100.0).fit(X, y)
    coef, intercept = fit.coef_[0], fit.intercept_[0]
    best = exact_optimum(coef, intercept, 100.0, X, y)
    for power in (-41, -44):
        off = coef * np.array([1.0, 1.0, 1.0 + 2.0**power, 1.0])
        excess = 1 - best / exact_objective(off, intercept, 100.0, X, y)
        assert excess > 1e-14
        assert excess <= relative_duality_gap(off, intercept, 100.0, X, y) < 2 * excess


def test_a_row_that_only_rounding_puts_beyond_its_margin_counts():
    """Its entries are large and cancel: computed, m is 1 or more, exactly it is less."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    y = (X[:, 0] + rng.normal(size=40) > 0).astype(int)
    fit = L1LinearSVC(1.0).fit(X, y)
    w, b = fit.coef_[0], fit.intercept_[0]
    seen = 0
    for across in rng.normal(size=(300, 4)):
        across -= w * (across @ w) / (w @ w)
        row = 1e12 * across
        row += w * ((1.0 - b - row @ w) / (w @ w))
        margin = sum(map(Fraction.__mul__, map(Fraction, row), map(Fraction, w))) + Fraction(b)
        if not 1e-5 < 1 - margin < 1e-4:  # what is to be noticed is above the gap's own rounding
            continue
        with_it = np.vstack([X, row]), np.append(y, 1)
        better = w + 2e-12 * float(1 - margin) * across / (across @ across)
        excess = 1 - exact_objective(better, b, 1.0, *with_it) / exact_objective(
            w, b, 1.0, *with_it
        )
        assert 1e-13 < excess <= relative_duality_gap(w, b, 1.0, *with_it)
        seen += 1
    assert seen > 30


def test_the_quick_bound_has_the_rounding_of_the_margins():
    """A row of large entries that cancel: computed, m is 1 or more and the row has no α."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    X[:, 0] += np.where(X[:, 0] > 0, 1.0, -1.0)
    y = (X[:, 0] > 0).astype(int)
    C = 1e9
    fit = L1LinearSVC(C).fit(X, y)
    w, b = fit.coef_[0], fit.intercept_[0]
    seen = 0
    for across in rng.normal(size=(1000, 4)):
        across -= w * (across @ w) / (w @ w)
        row = 1e12 * across
        row += w * ((1.0 - b - row @ w) / (w @ w))
        margin = sum(map(Fraction.__mul__, map(Fraction, row), map(Fraction, w))) + Fraction(b)
        if margin > 1 or row @ w + b < 1:
            continue
        with_it = np.vstack([X, row]), np.append(y, 1)
        better = w + 1e-12 * float(1 - margin) * across / (across @ across)
        excess = exact_objective(w, b, C, *with_it) - exact_objective(better, b, C, *with_it)
        signs = np.where(with_it[1] == 1, 1.0, -1.0)
        problem = Problem(Design(with_it[0], 1.0), signs, np.ones(len(signs)))
        (primal,), (gap,), _ = certify(problem, np.array([C]), np.append(w, b)[None], tol=np.inf)
        assert excess <= gap
        seen += excess > 0.005 * primal
    assert seen > 0  # how many, the processor decides
