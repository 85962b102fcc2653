"""min over v of ½ vᵀGv − rᵀv + λ‖v‖₁: the optimality conditions hold, wherever it starts."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc import L1LinearSVC, quadratic
from l1svc.quadratic import minimise
from l1svc.tests.rules import examples


def value(G, r, lam, v):
    return 0.5 * v @ G @ v - r @ v + lam * np.abs(v).sum()


def lower(G):
    """G with nonsense above its diagonal, which nobody may read."""
    return np.where(np.tri(len(G), dtype=bool), G, np.nan)


@examples(80)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40),
    rank=st.integers(1, 60),
    correlation=st.floats(0, 30),
    share=st.floats(0.001, 1.2),
    distance=st.sampled_from([0.0, 0.1, 1.0, 100.0]),
)
def test_optimality_conditions(seed, size, rank, correlation, share, distance):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rank, size)) + correlation * rng.normal(size=(rank, 1))
    G, r = A.T @ A, A.T @ rng.normal(size=rank)
    lam = share * max(np.abs(r).max(), 1e-3)
    start = distance * rng.normal(size=size) * (rng.random(size) < 0.7)
    v, change, residual = minimise(lower(G), r, lam, start)
    violation = np.abs(G @ v - r + lam * np.sign(v))
    violation[v == 0] = np.maximum(np.abs(G @ v - r)[v == 0] - lam, 0)
    scale = lam + np.abs(G).max() * np.abs(start).max(initial=0.0)
    assert violation.max() <= residual + 1e-9 * scale
    before = value(G, r, lam, start)
    assert change <= 1e-9 * abs(before)
    assert value(G, r, lam, v) == pytest.approx(before + change, abs=1e-8 * (abs(before) + lam))


def by_enumeration(G, r, lam):
    """The minimum, every sign pattern tried."""
    best = np.zeros(len(r))
    for signs in itertools.product([-1.0, 0.0, 1.0], repeat=len(r)):
        sign = np.array(signs)
        S = np.flatnonzero(sign)
        v = np.zeros(len(r))
        v[S] = np.linalg.solve(G[np.ix_(S, S)], (r - lam * sign)[S])
        if value(G, r, lam, v) < value(G, r, lam, best):
            best = v
    return best


@examples(40)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 5), far=st.sampled_from([0, 1, 30]))
def test_the_minimum_is_that_of_all_sign_patterns(seed, size, far):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(size + 2, size)) + 2 * rng.normal(size=(size + 2, 1))
    G, r = A.T @ A, 3 * rng.normal(size=size)
    v, _, _ = minimise(lower(G), r, 0.5, far * rng.normal(size=size))
    expected = by_enumeration(G, r, 0.5)
    np.testing.assert_allclose(v, expected, atol=1e-8)
    np.testing.assert_array_equal(v == 0, expected == 0)


def test_a_border_of_a_nearly_singular_factor_does_not_send_it_round_in_circles():
    """14 columns of rank 2 are factored first; the one that ends up in the support borders them."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(2, 17))
    rng.normal(size=(2, 1))
    G, r = A.T @ A, A.T @ rng.normal(size=2)
    lam = 0.99609375 * np.abs(r).max()
    v, _, _ = minimise(G, r, lam, 0.1 * rng.normal(size=17) * (rng.random(17) < 0.7))
    (j,) = np.flatnonzero(np.abs(r) > lam)
    np.testing.assert_array_equal(np.flatnonzero(v), [j])
    assert v[j] == pytest.approx((np.abs(r[j]) - lam) * np.sign(r[j]) / G[j, j], rel=1e-9)


@pytest.mark.parametrize("start", [[0.0] * 4, [3.0, -3.0, 1.0, -1.0], [-3.0, 3.0, 0.0, 2.0]])
def test_a_diagonal_matrix_shrinks_each_coordinate(start):
    d, r, start = np.array([2.0, 4.0, 1.0, 5.0]), np.array([5.0, -3.0, 0.9, 0.0]), np.array(start)
    v, change, residual = minimise(lower(np.diag(d)), r, 1.0, start)
    np.testing.assert_allclose(v, [2.0, -0.5, 0.0, 0.0], rtol=1e-12)
    assert v[2] == v[3] == 0.0
    rise = value(np.diag(d), r, 1.0, v) - value(np.diag(d), r, 1.0, start)
    assert change == pytest.approx(rise, rel=1e-12)
    assert residual == pytest.approx(1e-13 * (d * np.abs(v - start)).max(), rel=1e-6, abs=0)


def test_where_nothing_has_a_slope_zero_is_the_minimum():
    v, change, residual = minimise(np.zeros((2, 2)), np.array([0.5, -0.5]), 1.0, np.ones(2))
    np.testing.assert_array_equal(v, [0.0, 0.0])
    assert change == pytest.approx(-2.0)  # of λ‖v‖₁ 2, of −rᵀv nothing
    assert residual < 1e-300
    v, change, residual = minimise(np.zeros((0, 0)), np.zeros(0), 1.0, np.zeros(0))
    assert (len(v), change, residual) == (0, 0.0, 0.0)


def test_nearly_singular_borders_are_solved_anew():
    """Columns equal but for their last digits enter beside one another."""
    rng = np.random.default_rng(3)
    for eps in 10.0 ** np.arange(-9, -3):
        A = rng.normal(size=(50, 15))
        A = np.hstack([A, A + eps * rng.normal(size=A.shape)])
        G, r = A.T @ A, A.T @ rng.normal(size=50)
        v, _, residual = minimise(G, r, 1.0, rng.normal(size=30))
        slope = G @ v - r
        assert np.abs(slope + np.sign(v))[v != 0].max() <= residual + 1e-9
        assert np.abs(slope[v == 0]).max(initial=0.0) <= 1.0 + residual + 1e-9


def test_from_the_minimum_nothing_changes_and_rounding_makes_no_coordinate_enter():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(60, 20))
    G, r = A.T @ A, A.T @ rng.normal(size=60)
    v, _, _ = minimise(G, r, 3.0, np.zeros(20))
    again, change, residual = minimise(G, r, 3.0, v)
    np.testing.assert_allclose(again, v, rtol=1e-12)
    assert abs(change) < 1e-12
    assert residual < 1e-20
    v, _, _ = minimise(np.eye(3), np.array([2.0, -2.0, 2.0 * (1 + 1e-12)]), 2.0, np.zeros(3))
    assert not v.any()


def test_all_of_many_coordinates_enter():
    r = 2.0 + np.random.default_rng(0).permutation(200)
    v, _, _ = minimise(np.eye(200), -r, 1.0, np.zeros(200))
    np.testing.assert_allclose(v, 1.0 - r)


def test_a_matrix_that_rounding_made_indefinite_has_a_minimum_all_the_same():
    G = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-8]])
    v, _, residual = minimise(G, np.array([2.0, 2.0]), 1.0, np.zeros(2))
    slope = G @ v - 2.0
    assert np.abs(slope + np.sign(v))[v != 0].max() <= residual + 1e-7
    assert v.sum() == pytest.approx(1.0, rel=1e-6)


def calls(work):
    """How many functions of l1svc ``work`` calls, inner ones too: what it takes, but for time."""
    package, number = str(Path(quadratic.__file__).parent), 0

    def count(frame, event, argument):
        nonlocal number
        number += event == "call" and frame.f_code.co_filename.startswith(package)

    sys.setprofile(count)
    work()
    sys.setprofile(None)
    return number


@pytest.mark.parametrize(
    ("rank", "size", "correlation", "far", "most"),
    [
        (60, 40, 2.0, 1.0, 15_100),  # wrong signs leave all at once
        (60, 40, 10.0, 0.0, 28_000),  # where that raises the objective, some do
        (15, 10, 10.0, 0.0, 12_400),
    ],
)
def test_few_solves_lead_to_the_minimum(rank, size, correlation, far, most):
    """Forty problems take so many calls, and may take half as many again."""

    def work():
        for seed in range(40):
            rng = np.random.default_rng(seed)
            A = rng.normal(size=(rank, size)) + correlation * rng.normal(size=(rank, 1))
            minimise(A.T @ A, A.T @ rng.normal(size=rank), 2.0, far * rng.normal(size=size))

    assert calls(work) < 1.5 * most


def test_large_c_with_about_as_many_rows_as_columns_takes_few_solves():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 300))
    y = (X[:, :10].sum(axis=1) > 0) ^ (rng.random(300) < 0.2)
    assert calls(lambda: L1LinearSVC(3.0).fit(X, y)) < 15_000  # Newton's steps alone: 113,000
