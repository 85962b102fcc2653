"""min over v of ½ vᵀGv − rᵀv + λ‖v‖₁: the optimality conditions hold, wherever it starts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc import quadratic
from l1svc.quadratic import SupportSystem, _rise, _to_first_zero, minimise
from tests.rules import examples


def value(G, r, lam, v):
    return 0.5 * v @ G @ v - r @ v + lam * np.abs(v).sum()


def lower(G):
    """G with nonsense above its diagonal, which nobody may read."""
    return np.where(np.tri(len(G), dtype=bool), G, np.nan)


@pytest.fixture
def calls(monkeypatch):
    """The sizes of what was factored, solved with the factor, and solved for, in order."""
    seen = {"cholesky": [], "half_solve": [], "solve": [], "symmetric_dot": []}

    def watch(owner, name, size):
        inner = getattr(owner, name)

        def watched(*arguments):
            seen[name].append(size(*arguments))
            return inner(*arguments)

        monkeypatch.setattr(owner, name, watched)

    watch(quadratic, "cholesky", len)
    watch(quadratic, "half_solve", lambda L, rhs: 1 if rhs.ndim == 1 else len(rhs))
    watch(quadratic, "symmetric_dot", lambda G, v: len(v))
    watch(SupportSystem, "solve", lambda system, S, c: len(S))
    return seen


@examples(150)
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


def test_at_the_minimum_one_solve_tells_so(calls):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(60, 20))
    G, r = A.T @ A, A.T @ rng.normal(size=60)
    v, _, _ = minimise(G, r, 3.0, np.zeros(20))
    calls["solve"].clear(), calls["cholesky"].clear()
    again, change, residual = minimise(G, r, 3.0, v)
    np.testing.assert_allclose(again, v, rtol=1e-12)
    assert abs(change) < 1e-12
    assert residual < 1e-20
    assert calls["solve"] == calls["cholesky"] == [np.count_nonzero(v)]


def test_the_largest_violations_enter_first_and_as_many_as_there_are_already(monkeypatch):
    r = 2.0 + np.random.default_rng(0).permutation(200)
    entered = []
    inner = SupportSystem.solve

    def solve(system, S, c):
        entered.append(set(S))
        return inner(system, S, c)

    monkeypatch.setattr(SupportSystem, "solve", solve)
    v, _, _ = minimise(np.eye(200), -r, 1.0, np.zeros(200))
    np.testing.assert_allclose(v, 1.0 - r)
    assert [len(S) for S in entered] == [0, 32, 64, 128, 200]
    order = np.argsort(-r)
    for S in entered:
        assert set(order[: len(S)]) == S


@pytest.mark.parametrize(
    ("rank", "size", "correlation", "far", "solves", "factors", "half_solves", "products"),
    [
        (60, 40, 2.0, 1.0, 400, 127, 1060, 208),  # wrong signs leave all at once
        (60, 40, 10.0, 0.0, 790, 250, 2630, 356),  # where that raises the objective, some do
        (15, 10, 10.0, 0.0, 383, 41, 440, 246),
    ],
)
def test_few_solves_lead_to_the_minimum(
    calls, rank, size, correlation, far, solves, factors, half_solves, products
):
    """A slower path would be noticed."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        A = rng.normal(size=(rank, size)) + correlation * rng.normal(size=(rank, 1))
        minimise(A.T @ A, A.T @ rng.normal(size=rank), 2.0, far * rng.normal(size=size))
    assert len(calls["solve"]) <= solves
    assert len(calls["cholesky"]) <= factors
    assert sum(calls["half_solve"]) <= half_solves
    assert len(calls["symmetric_dot"]) <= products


def test_what_does_not_violate_the_conditions_does_not_enter(calls):
    v, _, _ = minimise(np.eye(3), np.array([2.0, -2.0, 2.0 * (1 + 1e-12)]), 2.0, np.zeros(3))
    assert not v.any()
    assert calls["solve"] == [0]


@examples(30)
@given(seed=st.integers(0, 2**32 - 1), damping=st.sampled_from([0.0, 0.5]))
def test_supports_are_solved_by_borders_of_one_factor(seed, damping):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(70, 60))
    G = A.T @ A
    system = SupportSystem(lower(G), damping * np.arange(1.0, len(G) + 1))
    S = np.flatnonzero(rng.random(60) < 0.6)
    c = rng.normal(size=60)
    for k in range(12):
        if k % 3 == 0:
            c = rng.normal(size=60)
        full = G[np.ix_(S, S)] + damping * np.diag(S + 1.0)
        np.testing.assert_allclose(system.solve(S, c), np.linalg.solve(full, c[S]), atol=1e-8)
        flipped = rng.choice(60, size=3, replace=False)
        S = np.setxor1d(S, flipped)


def test_a_factor_serves_until_too_many_border_it(calls):
    G = np.diag(np.arange(1.0, 121.0))
    system, c = SupportSystem(G, np.zeros(120)), np.ones(120)

    def factored(S):
        calls["cholesky"].clear()
        np.testing.assert_allclose(system.solve(S, c), 1.0 / (S + 1.0))
        assert system.bordered != bool(calls["cholesky"])
        return bool(calls["cholesky"])

    some = np.arange(12)
    assert factored(some)
    assert not system.bordered
    assert not factored(np.arange(28))  # 16 entered
    assert not factored(np.arange(4, 20))  # 8 entered, 4 left
    assert factored(np.arange(29))  # 17 entered
    assert factored(np.arange(60))
    assert not factored(np.arange(20, 60))  # a third of 60 left
    assert factored(np.arange(21, 60))
    system.forget()
    assert factored(np.arange(21, 60))
    assert len(system.solve(np.empty(0, dtype=int), c)) == 0
    assert not system.bordered


def test_what_a_border_has_cost_is_kept(calls):
    A = np.random.default_rng(0).normal(size=(40, 30))
    G = A.T @ A
    system, c = SupportSystem(G, np.zeros(30)), np.ones(30)
    for S, solves in [
        (np.arange(10), 1),  # the right-hand side
        (np.arange(12), 2),  # two entered
        (np.arange(1, 13), 2),  # one more entered, one left
        (np.arange(1, 12), 0),
        (np.arange(10), 0),
    ]:
        calls["half_solve"].clear()
        z = system.solve(S, c)
        np.testing.assert_allclose(z, np.linalg.solve(G[np.ix_(S, S)], c[S]), atol=1e-10)
        assert sum(calls["half_solve"]) == solves
    calls["half_solve"].clear()
    np.testing.assert_allclose(system.solve(np.arange(10), 2 * c), 2 * z)
    assert calls["half_solve"] == [1]


def test_damping_rises_until_there_is_a_factor():
    G = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-8]])  # indefinite by rounding, say
    system = SupportSystem(G, np.array([1e-13, 2e-13]))
    z = system.solve(np.arange(2), np.array([1.0, 2.0]))
    assert system.damping == pytest.approx([1e-7, 2e-7])  # 1e-9 is not enough
    np.testing.assert_allclose((G + np.diag(system.damping)) @ z, [1.0, 2.0], rtol=1e-6)


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


@given(seed=st.integers(0, 2**32 - 1))
def test_rise_is_the_difference_of_the_objective(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(5, 4))
    G, r, v, target = A.T @ A, rng.normal(size=4), rng.normal(size=4), rng.normal(size=4)
    rise = _rise(v, target, G @ v - r, G @ target - r, 0.7)
    assert rise == pytest.approx(value(G, r, 0.7, target) - value(G, r, 0.7, v), abs=1e-12)


def test_a_move_ends_at_the_first_zero():
    v, sign = np.array([1.0, 0.0, -2.0, 3.0]), np.array([1.0, 0.0, -1.0, 1.0])
    point, signs = _to_first_zero(v, sign, np.array([-3.0, 2.0, 4.0]))
    np.testing.assert_allclose(point, [0.0, 0.0, -1.0, 3.25])  # a quarter of the way
    assert point[0] == 0.0
    np.testing.assert_array_equal(signs, [0.0, 0.0, -1.0, 1.0])
    np.testing.assert_array_equal(v, [1.0, 0.0, -2.0, 3.0])
    np.testing.assert_array_equal(sign, [1.0, 0.0, -1.0, 1.0])


def test_coordinates_that_reach_zero_together_leave_together():
    v, sign = np.array([2.0, -1.0, 1.0]), np.array([1.0, -1.0, 1.0])
    point, signs = _to_first_zero(v, sign, np.array([-2.0, 1.0, 5.0]))
    np.testing.assert_array_equal(point, [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(signs, [0.0, 0.0, 1.0])
