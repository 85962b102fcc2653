"""The Newton solver, step by step: each part against what it stands for, and few of them."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from l1svc import L1LinearSVC, newton, refine, svm_path
from l1svc.certificate import certify
from l1svc.design import Design
from l1svc.newton import NewtonSolver
from tests.l1svc.problems import text_like
from tests.l1svc.random_problems import random_problem
from tests.rules import examples

ROUNDING = 1e-9


def made(seed=0, n=120, p=12, weighted=True):
    """A solver at w = 0 and its X̃."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.2, 3.0, size=(n, 1))
    y = np.where(X[:, :4].sum(axis=1) + rng.normal(size=n) > 0, 1.0, -1.0)
    s = rng.integers(0, 3, size=n).astype(float) if weighted else np.ones(n)
    return NewtonSolver(Design(X, 0.5), y, s), np.column_stack([X, np.full(n, 0.5)])


def half_objective(solver, full, lam, w):
    """P(w)/(2C), in full."""
    b = np.maximum(0.0, 1.0 - solver.y * (full @ w))
    return lam * np.abs(w).sum() + 0.5 * solver.weights @ b**2


def assert_gram(solver, full):
    """G and r are the sums over I that they should be."""
    part, s = full[:, solver.columns], np.where(solver.active, solver.weights, 0.0)
    np.testing.assert_allclose(np.tril(solver.G), np.tril((part.T * s) @ part), atol=1e-9)
    np.testing.assert_allclose(solver.r, part.T @ (s * solver.y), atol=1e-9)
    np.testing.assert_array_equal(solver.summed, s)


def gap(solver, C):
    weights = solver.weights
    primal, gap, _ = certify(solver.design, solver.y, weights, np.array([C]), solver.w[None])
    return gap[0] / primal[0]


@pytest.mark.parametrize(
    ("n", "p", "share", "as_given"),
    [(600, 30, 1.0, np.asarray), (3000, 12, 0.2, np.asarray), (400, 60, 0.3, sp.csr_matrix)],
)
def test_every_margin_is_on_its_side_of_1(monkeypatch, n, p, share, as_given):
    """Margins that are mostly not computed: each is on its side of 1 all the same."""
    rng = np.random.default_rng(p)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < share)
    y = np.where(X @ rng.normal(size=p) + rng.normal(size=n) > 0, 1, -1)
    quick = NewtonSolver._margins_at
    computed = []

    def checked(solver, w):
        margins, blur = quick(solver, w)
        exact = solver.y * solver.design.dot(w)
        clear = np.abs(exact - 1.0) > ROUNDING
        np.testing.assert_array_equal((margins < 1.0)[clear], (exact < 1.0)[clear])
        assert (np.abs(margins - exact) <= blur * solver.design.row_norms + ROUNDING).all()
        computed.append((blur == 0.0).mean())
        return margins, blur

    monkeypatch.setattr(NewtonSolver, "_margins_at", checked)
    svm_path(as_given(X), y, np.geomspace(1e-3, 10.0, 40))
    assert np.median(computed) < 0.5
    assert min(computed) < 0.1


@pytest.fixture
def computed(monkeypatch):
    """How many rows' margins each product with X̃ computes: all of them is None."""
    seen = []
    inner = Design.dot

    def dot(design, w, rows=None):
        seen.append(None if rows is None else len(rows))
        return inner(design, w, rows)

    monkeypatch.setattr(Design, "dot", dot)
    return seen


def near_1(n, few):
    """A solver at e_0 whose margins there are far from 1, but for a few at 1.05."""
    rng = np.random.default_rng(0)
    X, y = np.zeros((n, 3)), np.ones(n)
    X[:, 0] = np.where(np.arange(n) < few, 1.05, 4.0)
    X[:, 1] = rng.uniform(-1.0, 1.0, size=n)
    return NewtonSolver(Design(X, 0.0), y, np.ones(n), np.array([1.0, 0.0, 0.0, 0.0]))


def test_on_the_hull_of_the_references_nothing_is_computed(computed):
    solver, full = made()
    rng = np.random.default_rng(1)
    points = rng.normal(size=(3, 13))
    for point in points:
        solver._reference(point)
    computed.clear()
    for shares in ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, -1.0, 2.0]):
        w = np.array(shares) @ points  # the fourth reference is 0
        margins, blur = solver._margins_at(w)
        np.testing.assert_allclose(margins, solver.y * (full @ w), atol=1e-9)
        assert (blur < 1e-10).all()
        assert (blur > 5e-13).all()  # room for rounding
    assert all(rows == 0 for rows in computed)


def test_only_rows_that_may_have_crossed_are_computed(computed):
    solver = near_1(100, 25)
    computed.clear()
    w = np.array([1.0, 0.2, 0.0, 0.0])
    margins, blur = solver._margins_at(w)
    assert computed == [25]
    exact = solver.design.dot(w)
    np.testing.assert_allclose(margins[:25], exact[:25], rtol=1e-14)
    np.testing.assert_array_equal(blur[:25], 0.0)
    np.testing.assert_allclose(margins[25:], 4.0)  # as at the reference
    np.testing.assert_allclose(blur[25:], 0.2, rtol=1e-9)
    assert solver.n_references == 1


def test_once_a_quarter_may_have_crossed_all_are_computed(computed):
    solver = near_1(100, 26)
    computed.clear()
    w = np.array([1.0, 0.2, 0.0, 0.0])
    margins, blur = solver._margins_at(w)
    assert computed == [None]
    np.testing.assert_array_equal(margins, solver.design.dot(w))
    np.testing.assert_array_equal(blur, 0.0)
    assert solver.n_references == 2


def test_of_very_many_rows_all_are_computed_earlier(computed, monkeypatch):
    monkeypatch.setattr(newton, "ALL_MARGINS_ROWS", 10)
    for few, expected in ((10, [10]), (11, [None])):
        solver = near_1(100, few)
        computed.clear()
        solver._margins_at(np.array([1.0, 0.2, 0.0, 0.0]))
        assert computed == expected


def test_what_was_computed_at_the_last_step_still_tells_the_side(computed):
    solver = near_1(100, 20)
    w = np.array([1.0, 0.2, 0.0, 0.0])
    solver.margins, solver.blur = solver._margins_at(w)
    solver.w = w
    exact = solver.design.dot(w)
    computed.clear()
    moved = np.array([1.0, 0.2, 0.003, 0.0])  # off the references' hull
    margins, blur = solver._margins_at(moved)
    unclear = np.flatnonzero(np.abs(exact[:20] - 1.0) <= 0.003 * solver.design.row_norms[:20])
    assert computed == [len(unclear)]
    told = np.setdiff1d(np.arange(20), unclear)
    np.testing.assert_array_equal(margins[told], exact[told])
    np.testing.assert_allclose(blur[told], 0.003, rtol=1e-6)
    assert (blur[told] > 0.003).all()  # room for rounding
    # and once more: what is off adds up
    solver.margins, solver.blur, solver.w = margins, blur, moved
    further = np.array([1.0, 0.2, 0.003, 0.004])
    _, blur = solver._margins_at(further)
    still = told[np.abs(exact[told] - 1.0) > 0.0071 * solver.design.row_norms[told]]
    assert len(still) > 5
    np.testing.assert_allclose(blur[still], 0.007, rtol=1e-6)


def test_the_last_four_references_are_kept():
    solver, full = made()
    points = np.random.default_rng(1).normal(size=(6, 13))
    for point in points:
        np.testing.assert_allclose(solver._reference(point), solver.y * (full @ point))
    assert {tuple(point) for point in solver.points} == {tuple(point) for point in points[2:]}
    np.testing.assert_allclose(solver.known, solver.y * (solver.points @ full.T))
    w = np.array([0.2, 0.3, 0.4, 0.1]) @ solver.points
    margins, blur = solver._margins_at(w)
    np.testing.assert_allclose(margins, solver.y * (full @ w), atol=1e-9)
    assert (blur < 1e-10).all()
    solver.restart(w)
    assert solver.n_references == 1
    np.testing.assert_array_equal(solver.w, w)
    np.testing.assert_allclose(solver.margins, solver.y * (full @ w))
    np.testing.assert_array_equal(solver.blur, 0.0)
    assert solver.history == []


@examples(25)
@given(seed=st.integers(0, 2**32 - 1), monotone=st.booleans(), size=st.floats(0.01, 2.0))
def test_a_step_is_taken_where_the_objective_falls(seed, monotone, size):
    solver, full = made(seed)
    rng = np.random.default_rng(seed)
    lam, w, v = 0.3, 0.3 * rng.normal(size=13), None
    solver.restart(w)
    solver._keep(np.arange(13))
    solver._update_gram(solver._active())
    v = w + size * rng.normal(size=13) - 0.1 * w
    G, r = np.tril(solver.G) + np.tril(solver.G, -1).T, solver.r
    change = 0.5 * v @ G @ v - 0.5 * w @ G @ w - r @ (v - w)
    change += lam * (np.abs(v).sum() - np.abs(w).sum())
    inside = full @ v * solver.y < 1.0
    crossed = np.count_nonzero(solver.train & (inside != solver.active))
    rise = half_objective(solver, full, lam, v) - half_objective(solver, full, lam, w)
    moves = solver._move(v, change, lam, monotone)
    assert moves == (crossed if (solver.w != w).any() else 0)
    if not monotone or rise < 0 or not crossed:
        np.testing.assert_array_equal(solver.w, v)
    else:
        between = (solver.w - w) @ (v - w) / ((v - w) @ (v - w))
        assert 0.0 <= between < 1.0
        best = min(
            half_objective(solver, full, lam, w + t * (v - w)) for t in np.linspace(0.0, 1.0, 201)
        )
        assert half_objective(solver, full, lam, solver.w) <= best * (1 + 1e-9)
        np.testing.assert_array_equal(solver.blur, 0.0)
    exact = solver.y * (full @ solver.w)
    assert (np.abs(solver.margins - exact) <= solver.blur * solver.design.row_norms + 1e-9).all()


def slightly(sign, solver, full, lam, direction):
    """v along ``direction`` from w, where the objective has risen, or fallen, by very little."""
    w, low, high = solver.w, 1e-3, 1e3
    start = half_objective(solver, full, lam, w)
    for _ in range(100):
        t = np.sqrt(low * high)
        rises = half_objective(solver, full, lam, w + t * direction) > start
        low, high = (low, t) if rises else (t, high)
    return w + low * (1 + sign * 1e-6) * direction


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_small_rise_is_told_from_a_small_fall(seed, sign):
    """The change in the quadratic is corrected for the rows that cross 1, both ways."""
    solver, full = made(seed)
    rng = np.random.default_rng(seed)
    lam, w = 0.3, 0.1 * rng.normal(size=13)
    solver.restart(w)
    solver._keep(np.arange(13))
    solver._update_gram(solver._active())
    G, r = np.tril(solver.G) + np.tril(solver.G, -1).T, solver.r
    direction = r - G @ w + 30.0 * rng.normal(size=13)
    v = slightly(sign, solver, full, lam, direction / np.linalg.norm(direction))
    change = 0.5 * v @ G @ v - 0.5 * w @ G @ w - r @ (v - w)
    change += lam * (np.abs(v).sum() - np.abs(w).sum())
    inside = full @ v * solver.y < 1.0
    crossed = solver.train & (inside != solver.active)
    assert (crossed & inside).any()
    assert (crossed & ~inside).any()
    solver._move(v, change, lam, monotone=True)
    assert (solver.w == v).all() == (sign < 0)


def test_a_line_search_ends_at_the_minimum_to_many_digits():
    solver, full = made(3)
    lam, w = 0.3, np.zeros(13)
    v = np.random.default_rng(4).normal(size=13)
    v = v if v @ full.T @ (solver.weights * solver.y) > 0 else -v
    solver._line_search(v - w, lam)
    t = solver.w @ v / (v @ v)
    assert 0.01 < t < 0.99
    values = [half_objective(solver, full, lam, w + (t + d) * v) for d in (-1e-5, 0.0, 1e-5)]
    assert values[1] < min(values[0], values[2])
    b = np.maximum(0.0, 1.0 - t * solver.y * (full @ v))
    slope = lam * np.abs(v).sum() - (solver.weights * b * solver.y) @ full @ v
    assert abs(slope) < 1e-8
    np.testing.assert_allclose(solver.margins, solver.y * (full @ solver.w), atol=1e-12)
    assert solver.n_references == 2


@pytest.mark.parametrize("share", [2.0**-30, 0.01, 1.0])
def test_a_line_search_further_ends_at_the_minimum_beyond_the_step(share):
    solver, full = made(3)
    lam, v = 0.3, np.random.default_rng(4).normal(size=13)
    v = v if v @ full.T @ (solver.weights * solver.y) > 0 else -v
    solver._line_search(v, lam)
    nearest = solver.w
    solver.restart(np.zeros(13))
    solver._line_search(share * nearest, lam, further=True)
    np.testing.assert_allclose(solver.w, nearest, rtol=1e-6)


def test_where_columns_depend_on_one_another_steps_are_made_longer():
    """A column of unix times beside others: damping made each step as short as the one before."""
    problem = random_problem(220)
    svc = L1LinearSVC(problem.Cs[-1], **problem.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        svc.fit(problem.X, problem.y)
    assert svc.n_iter_ < 100


def test_g_is_updated_by_the_rows_that_change_or_begun_anew_where_they_are_most(monkeypatch):
    solver, full = made(1)
    added = []
    inner = Design.add_gram

    def add_gram(design, G, r, rows, columns, weights, y):
        added.append(len(rows))
        assert len(np.unique(np.sign(weights[rows]))) <= 1
        inner(design, G, r, rows, columns, weights, y)

    monkeypatch.setattr(Design, "add_gram", add_gram)
    solver._keep(np.array([0, 2, 3, 7, 12]))
    counted = np.flatnonzero(solver.train)
    for chosen, expected in [
        (counted[:40], 40),
        (counted[:45], 5),
        (counted[10:50], 15),  # 5 enter, 10 leave
        (counted[10:50], 0),
        (counted[40:60], 20),  # 10 would enter and 30 leave: 20 anew
        (counted[40:59], 1),
        (counted[50:60], 10),  # 1 would enter and 10 leave
        (counted[55:65], 10),  # as many change as there are
    ]:
        active = np.zeros(len(solver.y), dtype=bool)
        active[chosen] = True
        added.clear()
        solver._update_gram(active)
        assert sum(added) == expected
        assert_gram(solver, full)
    # other weights change what is summed
    other = solver.reweighted(np.where(np.arange(120) == counted[55], 5.0, solver.weights))
    added.clear()
    other._update_gram(active)
    assert sum(added) == 1
    assert_gram(other, full)
    assert_gram(solver, full)


def test_a_copy_for_other_weights_leaves_the_first_alone():
    solver, full = made(2)
    solver.solve(0.3, 100)
    solver.widen()
    solver.solve(0.5, 100)
    kept = solver.w.copy(), solver.G.copy(), solver.r.copy(), solver.summed.copy()
    known, points = solver.known.copy(), solver.points.copy()
    weights = np.where(np.arange(120) % 3 == 0, 0.0, 2.0)
    other = solver.reweighted(weights)
    assert other.n_iter == 0
    assert other.history == []
    np.testing.assert_array_equal(other.w, solver.w)
    np.testing.assert_array_equal(other.train, weights > 0)
    other.solve(0.5, 100)
    other.polish(0.5, 100)
    for before, now in zip(kept, (solver.w, solver.G, solver.r, solver.summed), strict=True):
        np.testing.assert_array_equal(np.tril(now) if now.ndim == 2 else now, before)
    np.testing.assert_array_equal(solver.known, known)
    np.testing.assert_array_equal(solver.points, points)
    one = L1LinearSVC(0.5, intercept_scaling=0.5).fit(full[:, :12], solver.y, weights)
    np.testing.assert_allclose(other.w[:12], one.coef_[0], atol=1e-13)
    assert gap(other, 0.5) < 1e-14


def test_margins_at_the_next_c_are_extrapolated():
    solver, _ = made()
    m0, m1 = np.linspace(-3, 3, 120), np.linspace(2, -1, 120) ** 2
    solver.history = [(4.0, None, m0), (2.0, None, m1)]
    expected = solver.train & (m1 + 0.5 * (m1 - m0) < 1.0)  # λ from 4 to 2 to 1
    np.testing.assert_array_equal(solver._predicted_active(1.0), expected)
    solver.history = [(2.0, None, m0), (2.0, None, m1)]
    assert solver._predicted_active(1.0) is None
    solver.history = [(2.0, None, m0)]
    assert solver._predicted_active(1.0) is None


def test_the_last_two_optima_are_remembered():
    solver, _ = made(weighted=False)
    for C in (0.1, 0.2, 0.3):
        solver.solve(C, 100)
    assert [lam for lam, _, _ in solver.history] == [0.5 / 0.2, 0.5 / 0.3]
    _, w, margins = solver.history[-1]
    np.testing.assert_array_equal(w, solver.w)
    np.testing.assert_array_equal(margins, solver.margins)


def test_few_steps_lead_from_c_to_c():
    """Along a fine path the extrapolation is right most of the time: a step each."""
    solver, _ = made(5, n=400, weighted=False)
    solver.approach(0.02, 100)
    solver.widen()
    solver.n_iter = 0
    for C in np.geomspace(0.02, 1.0, 100):
        solver.solve(C, 100)
        assert gap(solver, C) < 1e-11
    assert solver.n_iter <= 135
    solver.n_iter = 0
    solver.history = []
    solver.solve(1.0, 100)
    assert solver.n_iter == 1


def test_few_steps_lead_from_zero():
    taken = []
    for seed in range(10):
        solver, _ = made(seed)
        solver.solve(0.3, 100)
        assert gap(solver, 0.3) < 1e-12
        taken.append(solver.n_iter)
    assert sum(taken) <= 66


def test_steps_are_counted_and_bounded():
    solver, _ = made()
    solver.solve(10.0, 3)
    assert solver.n_iter == 3
    solver.solve(10.0, 2)
    assert solver.n_iter == 5
    solver.approach(100.0, 1)
    assert solver.n_iter == 6
    solver.solve(10.0, 0)
    solver.approach(10.0, 0)
    assert solver.n_iter == 6


def test_an_approach_ends_when_few_rows_cross(monkeypatch):
    solver, _ = made(weighted=False)
    solver.w[0] = 1e-3
    solver.restart(solver.w)  # every row is active
    crossed = iter([50, 13, 12, 3, 0, 0])
    monkeypatch.setattr(NewtonSolver, "_move", lambda solver, *_, monotone: next(crossed))
    solver.approach(0.1, 100)
    assert solver.n_iter == 3  # 12 are a tenth of 120
    assert next(crossed) == 3


@pytest.mark.parametrize("C", [0.02, 0.3, 5.0])
def test_an_approach_ends_near_the_optimum(C):
    solver, full = made(3)
    solver.approach(C, 100)
    near = half_objective(solver, full, 0.5 / C, solver.w)
    solver.n_iter = 0
    solver.solve(C, 100)
    assert solver.n_iter <= 4
    assert near < 1.03 * half_objective(solver, full, 0.5 / C, solver.w)


@pytest.mark.parametrize("seed", range(4))
def test_an_approach_never_raises_the_objective(seed):
    """From far off, with nearly as many columns as rows, plain Newton steps would."""
    solver, full = made(seed, n=60, p=40)
    C = 30.0
    solver.restart(3.0 * np.random.default_rng(seed).normal(size=41))
    before = half_objective(solver, full, 0.5 / C, solver.w)
    solver._keep(np.arange(41))
    for _ in range(20):
        solver.approach(C, 1)
        now = half_objective(solver, full, 0.5 / C, solver.w)
        assert now <= before * (1 + 1e-12)
        before = now


def test_a_step_far_from_its_start_is_repeated_for_the_proximal_term(monkeypatch):
    """minimise's residual is δ‖v − start‖: above the slack it is worth another step."""
    residuals = iter([1.01e-9, 0.99e-9])
    solver, _ = made(weighted=False)
    solver.solve(0.05, 100)
    inner = newton.minimise
    monkeypatch.setattr(
        newton, "minimise", lambda *arguments: (*inner(*arguments)[:2], next(residuals))
    )
    solver.n_iter = 0
    solver.solve(0.05, 100)  # λ = 10
    assert solver.n_iter == 2


def test_widening_keeps_g_for_all_columns_that_are_not_too_many(monkeypatch):
    solver, _ = made()
    assert len(solver.columns) == 0
    solver.widen()
    np.testing.assert_array_equal(solver.columns, np.arange(13))
    assert solver.G.shape == (13, 13)
    solver._update_gram(solver._active())
    G = solver.G
    solver.widen()
    assert solver.G is G  # not begun anew
    monkeypatch.setattr(newton, "MAX_GRAM_COLUMNS", 12)
    solver, _ = made()
    solver.widen()
    assert len(solver.columns) == 0
    monkeypatch.setattr(newton, "MAX_GRAM_COLUMNS", 13)
    solver.widen()
    assert len(solver.columns) == 13


def test_columns_of_zeros_are_never_kept():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6))
    X[:, [1, 4]] = 0.0
    y = np.where(X[:, 0] > 0, 1.0, -1.0)
    solver = NewtonSolver(Design(X, 0.0), y, np.ones(40))
    solver.widen()
    np.testing.assert_array_equal(solver.columns, [0, 2, 3, 5])


@examples(12)
@given(seed=st.integers(0, 2**32 - 1), C=st.floats(0.01, 10.0))
def test_a_working_set_of_few_columns_leads_to_the_same_optimum(seed, C):
    solver, _ = made(seed, p=30)
    everything, _ = made(seed, p=30)
    everything.widen()
    everything.solve(C, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newton, "MAX_ENTERING", 3)
        solver.solve(C, 1000)
    np.testing.assert_allclose(solver.w, everything.w, atol=1e-8)
    assert gap(solver, C) < 1e-9
    assert set(np.flatnonzero(solver.w)) <= set(solver.columns)


def test_the_working_set_takes_in_what_pulls_most(monkeypatch):
    monkeypatch.setattr(newton, "MAX_ENTERING", 3)
    pull = np.array([5.0, 0.79, 0.81, 1.5, 0.0, 1.19, 3.0, 0.9, 2.0, 0.1, 0.2, 0.3, 0.0])
    solver, _ = made()
    monkeypatch.setattr(
        NewtonSolver, "_pull", lambda solver: np.where([True, False] * 6 + [True], pull, -pull)
    )
    assert solver._choose(1.0)
    np.testing.assert_array_equal(solver.columns, [0, 6, 8])
    assert solver.G.shape == (3, 3)
    w = np.zeros(13)
    w[[0, 1, 6, 8]] = 1.0
    solver.restart(w)
    assert solver._choose(1.0)  # the support, and as many as it has, from 0.8 on
    np.testing.assert_array_equal(solver.columns, [0, 1, 2, 3, 5, 6, 7, 8])
    assert not solver._choose(1.0)
    assert not solver._choose(0.8)
    monkeypatch.setattr(newton, "MAX_ENTERING", 100)
    solver._keep(np.array([0, 1, 6, 8]))
    assert not solver._choose(1.5)  # not above λ but for rounding
    assert not solver._choose(1.5 * (1 - 0.9e-10))
    assert solver._choose(1.5 * (1 - 1.1e-10))
    np.testing.assert_array_equal(solver.columns, [0, 1, 3, 6, 8])  # 1.19 is less than 0.8 of it
    solver._keep(np.arange(13))
    assert not solver._choose(1e-3)


def test_a_working_set_is_chosen_by_margins_computed_afresh(monkeypatch):
    solver, full = made(4, p=30)
    solver.solve(0.05, 1000)
    solver.margins = solver.margins + 1e-3
    solver._choose(0.5 / 0.05)
    np.testing.assert_allclose(solver.margins, solver.y * (full @ solver.w), atol=1e-13)


def test_pull_is_minus_the_gradient_of_the_loss():
    solver, full = made(6)
    w = 0.3 * np.random.default_rng(0).normal(size=13)
    solver.restart(w)
    b = np.maximum(0.0, 1.0 - solver.y * (full @ w))
    np.testing.assert_allclose(solver._pull(), full.T @ (solver.weights * solver.y * b), atol=1e-11)


@pytest.mark.parametrize("C", [0.05, 0.5, 20.0])
def test_polishing_removes_what_rounding_g_and_margins_carry(C):
    solver, full = made(8)
    solver.solve(C, 100)
    right = solver.reweighted(solver.weights)
    right.polish(C, 100)
    assert gap(right, C) < 1e-14
    spoilt = solver.reweighted(solver.weights)
    spoilt.r = spoilt.r * (1 + 1e-7)
    spoilt.G = spoilt.G * (1 + 1e-7)
    spoilt.margins = spoilt.margins + 1e-9
    spoilt.history = [(1.0, spoilt.w, 5 * spoilt.margins), (2.0, spoilt.w, spoilt.margins)]
    spoilt.solve(C, 1)
    spoilt.polish(C, 100)
    np.testing.assert_array_max_ulp(spoilt.w, right.w, maxulp=1)
    np.testing.assert_allclose(right.margins, solver.y * (full @ right.w), atol=1e-14)
    assert right.n_references == 1
    assert right.n_iter <= 2


def test_rows_just_below_1_are_refined_too():
    """One feature, two rows: the optimum is w = 0.8, and m = (0.8, 1 − 1e-7)."""
    x = np.array([1.0, (1.0 - 1e-7) / 0.8])
    C = 0.5 / (0.2 + 1e-7 * x[1])
    solver = NewtonSolver(Design(x[:, None], 0.0), np.ones(2), np.ones(2))
    solver.solve(C, 100)
    solver.polish(C, 100)
    np.testing.assert_allclose(solver.w, [0.8, 0.0], rtol=2e-16)


def test_refinement_is_given_the_sum_that_is_known(monkeypatch):
    solver, full = made(8)
    seen = []
    inner = refine.refine
    monkeypatch.setattr(refine, "refine", lambda *given: seen.append(given) or inner(*given))
    solver.solve(0.5, 100)
    solver.polish(0.5, 100)
    ((A, weights, lam, w, gram, inside),) = seen
    S, rows = np.flatnonzero(solver.w), np.flatnonzero(solver._active())
    np.testing.assert_array_equal(A, (solver.y[:, None] * full)[rows][:, S])
    np.testing.assert_array_equal(weights, solver.weights[rows])
    np.testing.assert_allclose(w, solver.w[S])
    assert lam == 1.0
    assert inside.all()
    np.testing.assert_allclose(np.tril(gram), np.tril((A.T * weights) @ A), atol=1e-9)


def test_polishing_counts_its_steps_and_takes_no_more_than_it_may():
    solver, _ = made(9)
    solver.solve(0.5, 2)
    solver.polish(0.5, 1)
    assert solver.n_iter == 3


def test_what_cannot_be_refined_is_left_at_the_newton_point():
    """Equal columns have no single optimum: the weights stay what the steps gave."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    y = np.where(X[:, 0] + rng.normal(size=50) > 0, 1.0, -1.0)
    w = np.array([0.1, 0.2, 0.1, 0.0, 0.1, 0.2, 0.1, 0.0, 0.0])
    solver = NewtonSolver(Design(np.hstack([X, X]), 1.0), y, np.ones(50), w)
    solver.solve(0.5, 100)
    solver.polish(0.5, 100)
    assert gap(solver, 0.5) < 1e-10


def test_where_to_start_is_what_was_given():
    solver, full = made()
    w = np.where(np.arange(13) % 3, 0.0, 0.1)
    other = NewtonSolver(solver.design, solver.y, solver.weights, w)
    np.testing.assert_array_equal(other.w, w)
    np.testing.assert_array_equal(other.columns, np.flatnonzero(w))
    np.testing.assert_allclose(other.margins, solver.y * (full @ w))
    assert other.n_iter == 0
    np.testing.assert_array_equal(solver.w, np.zeros(13))
    np.testing.assert_array_equal(other.train, solver.weights > 0)


@pytest.mark.parametrize(("p", "seed"), [(900, 202), (900, 213), (1500, 204), (1500, 244)])
def test_steps_end_where_the_objective_falls_no_more(p, seed):
    """More columns than rows: v differs from w by drift in G's null space, which may cross rows."""
    fit = L1LinearSVC(10.0).fit(*text_like(300, p, seed))
    assert fit.duality_gap_ < 1e-8
    assert fit.n_iter_ < 100


def test_a_path_goes_on_where_a_step_has_no_length():
    assert svm_path(*text_like(300, 1500, 219), [0.1, 1.0, 10.0]).duality_gap.max() < 1e-8


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@examples(30)
@given(seed=st.integers(0, 2**32 - 1), C=st.sampled_from([0.01, 1.0, 100.0]))
def test_columns_of_any_scale_are_solved(seed, C):
    """As well as doubles can say: far from 1, the last bit of a weight moves the gap."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(60, 8)), np.arange(60) % 2
    X[:, :3] += 0.5 * y[:, None]
    X *= 10.0 ** rng.integers(-8, 9, size=8)
    fit = L1LinearSVC(C).fit(X, y)
    assert fit.duality_gap_ < 1e-6
    assert fit.n_iter_ < 100
