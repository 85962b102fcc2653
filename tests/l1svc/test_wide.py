"""The solver for more columns than a Gram matrix holds, on problems small enough to check."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, bootstrap, objective, svm_path, wide
from l1svc.certificate import certify
from l1svc.design import MAX_GRAM_COLUMNS, Design
from l1svc.newton import NewtonSolver
from l1svc.path import solver_from, start
from l1svc.square import SquareSolver
from l1svc.wide import NewtonSystem, WideSolver
from tests.l1svc.problems import text_like
from tests.rules import examples

FORMS = [np.asarray, sp.csr_matrix]


def made(seed, n=80, p=40, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, np.where(X[:, :3].sum(axis=1) + noise * rng.normal(size=n) > 0, 1.0, -1.0)


def gap(solver, C):
    """Relative, by the certificate that knows nothing of the solver."""
    y, weights = solver.y, solver.weights
    primal, gap, _ = certify(solver.design, y, weights, np.array([C]), solver.w[None])
    return gap[0] / primal[0]


@pytest.fixture(scope="module")
def text():
    X, y = text_like(200, 1600, 7)
    return X, y


@examples(40)
@given(
    seed=st.integers(0, 2**32 - 1),
    C=st.floats(-2, 2.5).map(lambda power: 10.0**power),
    as_given=st.sampled_from(FORMS),
    share=st.sampled_from([0.1, 1.0]),
    bias=st.sampled_from([0.0, 1.0, 3.0]),
    weighted=st.booleans(),
)
def test_the_optimum_is_the_newton_solvers(seed, C, as_given, share, bias, weighted):
    X, y = made(seed)
    rng = np.random.default_rng(seed)
    X *= rng.random(X.shape) < share
    weights = rng.integers(0, 3, size=len(y)).astype(float) if weighted else np.ones(len(y))
    design = Design(as_given(X), bias)
    ours = WideSolver(design, y, weights)
    ours.solve(C, 1000)
    newton = start(design, y, weights, C, 1000)
    assert isinstance(newton, NewtonSolver)
    newton.solve(C, 1000)
    assert gap(ours, C) < 1e-9
    both = np.array([ours.w, newton.w])
    objectives, _, _ = certify(design, y, weights, np.array([C, C]), both)
    np.testing.assert_allclose(*objectives, rtol=1e-9)
    np.testing.assert_allclose(ours.margins, y * design.dot(ours.w), atol=1e-9)
    assert bias or ours.w[-1] == 0.0


def duplicate_columns(X, rng):
    return np.hstack([X, X])


def duplicate_rows(X, rng):
    return np.vstack([X[: len(X) // 2]] * 2)


def columns_of_zeros(X, rng):
    return X * (np.arange(X.shape[1]) % 3 > 0)


def whole_numbers(X, rng):
    return np.round(X)


def scales(X, rng):
    return X * 10.0 ** rng.uniform(-2, 2, size=X.shape[1])


@examples(40)
@given(
    seed=st.integers(0, 2**32 - 1),
    C=st.floats(-2, 3).map(lambda power: 10.0**power),
    changed=st.sampled_from(
        [duplicate_columns, duplicate_rows, columns_of_zeros, whole_numbers, scales]
    ),
    n=st.sampled_from([4, 30, 60]),
    noise=st.sampled_from([0.0, 1.0]),
)
def test_degenerate_data_end_with_a_certificate(seed, C, changed, n, noise):
    X, y = made(seed, n=n, p=50, noise=noise)
    solver = WideSolver(Design(changed(X, np.random.default_rng(seed)), 1.0), y, np.ones(n))
    solver.solve(C, 1000)
    assert gap(solver, C) < 1e-8
    assert solver.n_iter < 500


@pytest.mark.parametrize("seed", [204, 219, 244])
def test_text_on_which_newton_steps_of_length_0_were_repeated(seed):
    X, y = text_like(300, 1500, seed)
    Cs = [0.1, 1.0, 10.0]
    assert svm_path(X, y, Cs).duality_gap.max() < 1e-9
    for C in Cs:
        one = L1LinearSVC(C).fit(X, y)
        assert one.duality_gap_ < 1e-9
        assert one.n_iter_ < 100


@pytest.mark.parametrize("as_given", FORMS)
def test_rows_that_can_be_told_apart_at_very_large_c(as_given):
    X, y = made(0, n=60, p=1100)
    one = L1LinearSVC(1e5).fit(as_given(X), y)
    assert one.duality_gap_ < 1e-8
    assert one.n_iter_ < 500
    assert one.score(X, y) == 1.0


@pytest.mark.parametrize(
    ("p", "n", "kind"),
    [
        (MAX_GRAM_COLUMNS + 1, 2, WideSolver),
        (MAX_GRAM_COLUMNS, 2, SquareSolver),
        (150, 224, SquareSolver),
        (150, 225, NewtonSolver),
        (149, 2, NewtonSolver),
    ],
)
def test_columns_that_are_not_zero_and_rows_that_count_choose_the_solver(p, n, kind):
    y, weights = np.resize([1.0, -1.0], n + 9), np.append(np.ones(n), np.zeros(9))
    X = sp.csr_matrix(np.hstack([np.eye(n + 9, p) + 1.0, np.zeros((n + 9, 5))]))
    design = Design(X, 0.0)
    assert type(solver_from(design, y, weights, np.zeros(p + 6))) is kind
    assert type(start(design, y, weights, 1.0, 10)) is kind


def test_a_fit_that_misses_tol_by_rounding_is_refined(monkeypatch):
    refined = []
    monkeypatch.setattr(WideSolver, "refine", lambda solver, C, max_iter: refined.append(C))
    X, y = made(0, n=60, p=1100)
    L1LinearSVC(1.0).fit(X, y)
    assert not refined
    with pytest.warns(ConvergenceWarning):
        L1LinearSVC(1.0, tol=1e-30).fit(X, y)
    assert refined == [1.0]


def test_refined_weights_are_right_to_the_last_digits():
    X, y = made(6, n=80, p=40)
    solver = WideSolver(Design(X, 1.0), y, np.ones(len(y)))
    solver.solve(0.1, 1000)
    newton = NewtonSolver(solver.design, y, solver.weights)
    newton.solve(0.1, 1000)
    newton.polish(0.1, 1000)
    solver.refine(0.1, 0)
    np.testing.assert_array_max_ulp(solver.w, newton.w, maxulp=2)


def test_what_is_zero_up_to_the_least_c():
    X, y = made(1)
    design = Design(X, 1.0)
    least = 0.5 / np.abs(design.transpose_dot(y)).max()
    for ratio, any_weight in ((0.999, False), (1.001, True)):
        solver = WideSolver(design, y, np.ones(len(y)))
        solver.solve(ratio * least, 100)
        assert solver.w.any() == any_weight
        assert gap(solver, ratio * least) < 1e-9


def test_a_working_set_of_few_columns_leads_to_the_same_optimum(monkeypatch):
    X, y = made(2, p=200)
    whole, few = (WideSolver(Design(X, 1.0), y, np.ones(len(y))) for _ in range(2))
    whole.solve(1.0, 1000)
    monkeypatch.setattr(wide, "MIN_WORKING_SET", 4)
    few.solve(1.0, 1000)
    np.testing.assert_allclose(few.w, whole.w, atol=1e-7)
    assert gap(few, 1.0) < 1e-9


def test_the_working_set_takes_in_what_pulls_most(monkeypatch):
    monkeypatch.setattr(wide, "MIN_WORKING_SET", 4)
    X, y = made(2, p=7)
    solver = WideSolver(Design(X, 1.0), y, np.ones(len(y)))
    solver.w[2] = 1.0
    pull = np.array([3.0, 0.6, 0.1, 1.5, 5.0, 0.9, 1.2, 0.8])
    columns, outside = solver._working_set(1.0, pull.copy())
    np.testing.assert_array_equal(columns, [0, 2, 3, 4])
    assert outside == pytest.approx(0.2)
    columns, outside = solver._working_set(4.0, pull.copy())
    np.testing.assert_array_equal(columns, [0, 2, 4])  # from 0.7 λ on
    assert outside == 0.0


def test_a_copy_for_other_weights_leaves_the_first_alone():
    X, y = made(3)
    solver = WideSolver(Design(sp.csr_matrix(X), 1.0), y, np.ones(len(y)))
    solver.solve(0.5, 1000)
    w, margins = solver.w.copy(), solver.margins.copy()
    weights = np.where(np.arange(len(y)) % 4 == 0, 0.0, 2.0)
    other = solver.reweighted(weights)
    assert other.n_iter == 0
    other.solve(0.5, 1000)
    other.polish(0.5, 1000)
    np.testing.assert_array_equal(solver.w, w)
    np.testing.assert_array_equal(solver.margins, margins)
    np.testing.assert_array_equal(solver.weights, 1.0)
    assert gap(other, 0.5) < 1e-12
    kept = weights > 0
    one = WideSolver(Design(X[kept], 1.0), y[kept], weights[kept])
    one.solve(0.5, 1000)
    np.testing.assert_allclose(other.w, one.w, atol=1e-7)


def test_from_weights_that_are_given_c_does_not_rise_anew():
    X, y = made(4, n=200, p=150)
    design = Design(X, 1.0)
    first = WideSolver(design, y, np.ones(len(y)))
    first.solve(10.0, 1000)
    again = WideSolver(design, y, np.ones(len(y)), first.w)
    again.solve(10.0, 1000)
    assert again.n_iter == 0
    assert again.w is first.w
    again.restart(first.w + 1e-6 * (first.w != 0))
    again.solve(10.0, 1000)
    assert 0 < again.n_iter < 10 < first.n_iter


def test_steps_are_counted_and_bounded():
    X, y = made(5, n=200, p=150)
    solver = WideSolver(Design(X, 1.0), y, np.ones(len(y)))
    solver.solve(100.0, 7)
    assert 7 <= solver.n_iter <= 8  # a turn of coordinate descent and a Newton step go together
    before = solver.n_iter
    solver.approach(100.0, 0)
    solver.solve(100.0, 0)
    solver.polish(100.0, 0)
    assert solver.n_iter == before
    solver.approach(100.0, 1000)
    assert gap(solver, 100.0) <= wide.RUNG_GAP


def test_too_few_steps_warn_with_the_gap(text):
    with pytest.warns(ConvergenceWarning, match="relative duality gap of") as caught:
        fit = L1LinearSVC(10.0, max_iter=3).fit(*text)
    assert fit.duality_gap_ > 1e-3
    assert caught[0].filename == __file__


@pytest.mark.parametrize("as_given", FORMS)
@pytest.mark.parametrize(
    "costs",
    [
        {"SMALL_SUPPORT": 0, "CHOLESKY": 1e9},  # conjugate gradients
        {"SMALL_SUPPORT": 300, "DENSE_GRAM": 1e9},  # H by its entries
        {"SMALL_SUPPORT": 300, "SPARSE_GRAM": 1e9},  # by dense blocks of rows
    ],
)
def test_the_newton_system_is_solved_in_each_way(monkeypatch, as_given, costs):
    for name, value in costs.items():
        monkeypatch.setattr(wide, name, value)
    rng = np.random.default_rng(0)
    A = rng.normal(size=(700, 300)) * (rng.random((700, 300)) < 0.1)
    rows, s = np.flatnonzero(rng.random(700) < 0.8), rng.uniform(0.5, 2.0, 700)
    rhs, w = rng.normal(size=300), np.full(300, 1e9)
    given = sp.csc_matrix(A) if as_given is sp.csr_matrix else np.asfortranarray(A)
    d = NewtonSystem(given, rows, s, 0.1).solve(rhs, w, 0.0)
    H = (A[rows].T * s[rows]) @ A[rows]
    H += 0.1 * np.diag(H.diagonal())
    left = np.abs(H @ d - rhs).max()
    assert left <= wide.FORCING * np.abs(rhs).max()
    assert (left < 1e-9) == (costs["SMALL_SUPPORT"] == 300)


def test_what_would_change_its_sign_is_held_at_zero():
    rng = np.random.default_rng(1)
    A, s = rng.normal(size=(50, 6)), np.ones(50)
    rhs, w = 10.0 * rng.normal(size=6), 0.2 * np.ones(6)
    d = NewtonSystem(np.asfortranarray(A), np.arange(50), s, 1e-12).solve(rhs, w, 0.0)
    free = np.linalg.solve(A.T @ A, rhs)
    wrong = w + free < 0
    assert 0 < wrong.sum() < 6
    np.testing.assert_array_equal(d[wrong], -w[wrong])
    left = (A.T @ A @ d - rhs)[~wrong]
    np.testing.assert_allclose(left, 0.0, atol=1e-9)  # the best of those that remain


def test_dependent_columns_have_a_factor_all_the_same():
    A = np.asfortranarray(np.ones((5, 3)))
    d = NewtonSystem(A, np.arange(5), np.ones(5), 0.0).solve(np.full(3, 5.0), np.ones(3), 0.0)
    np.testing.assert_allclose(d.sum(), 1.0, rtol=1e-6)


def test_the_search_is_the_fits_of_each_fold(text):
    X, y = text
    Cs = [0.5, 5.0]
    search = L1LinearSVCSearchCV(Cs, cv=3).fit(X, y)
    each = GridSearchCV(L1LinearSVC(), {"C": Cs}, cv=3).fit(X, y)
    for k in range(3):
        key = f"split{k}_test_score"
        np.testing.assert_array_equal(search.cv_results_[key], each.cv_results_[key])
    assert search.cv_results_["max_duality_gap"].max() < 1e-9
    assert search.best_estimator_.duality_gap_ < 1e-9
    np.testing.assert_allclose(search.best_estimator_.coef_, each.best_estimator_.coef_, atol=1e-4)


@pytest.mark.parametrize("as_given", [sp.csr_matrix, lambda X: X.toarray() + 0.01])
def test_jobs_change_no_bit(text, as_given):
    X, y = as_given(text[0]), text[1]
    searches = [L1LinearSVCSearchCV([0.5, 5.0], cv=3, n_jobs=jobs).fit(X, y) for jobs in (1, 2)]
    for key in ("split0_n_iter", "split2_duality_gap", "nonzero", "mean_test_score"):
        np.testing.assert_array_equal(*[search.cv_results_[key] for search in searches])
    np.testing.assert_array_equal(*[search.best_estimator_.coef_ for search in searches])
    fits = [bootstrap(X, y, 1.0, 3, n_jobs=jobs) for jobs in (1, 2)]
    np.testing.assert_array_equal(fits[0].coef, fits[1].coef)
    assert fits[0].duality_gap.max() < 1e-9


def test_warm_starts_along_c_end_where_single_fits_do(text):
    X, y = text
    path = svm_path(X, y, np.geomspace(0.1, 10.0, 7))
    assert path.duality_gap.max() < 1e-9
    last = L1LinearSVC(10.0, warm_start=True).fit(X, y)
    values = [
        objective(*weights, 10.0, X, y)
        for weights in (
            (path.coef[-1], path.intercept[-1]),  # not the same weights: columns are equal
            (last.coef_, last.intercept_),
        )
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    before = last.n_iter_
    last.fit(X, y)
    assert last.n_iter_ <= 4 < before


def test_warnings_of_others_are_heard_and_the_filters_left_as_they_were(text):
    X, y = text
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as threads:
        fits = list(threads.map(lambda C: L1LinearSVC(C).fit(X, y), [0.5, 1.0, 2.0, 4.0] * 2))
    assert warnings.filters == before
    assert max(fit.duality_gap_ for fit in fits) < 1e-9
    with wide._quiet, pytest.raises(UserWarning):
        warnings.warn("another", stacklevel=1)


def test_of_very_large_supports_no_matrix_is_made(monkeypatch):
    monkeypatch.setattr(wide, "MAX_FACTOR", 150)
    monkeypatch.setattr(wide, "CHOLESKY", 1.0)  # seconds: conjugate gradients have time
    rng = np.random.default_rng(0)
    A, rhs = np.asfortranarray(rng.normal(size=(160, 151))), rng.normal(size=151)
    system = NewtonSystem(A, np.arange(160), np.ones(160), 1e-12)
    monkeypatch.setattr(wide, "MAX_CG_STEPS", 5)
    d = system.solve(rhs, np.ones(151), 0.0)
    assert rhs @ d > 0  # short of the solution, but downhill
    assert np.abs(A.T @ (A @ d) - rhs).max() > wide.FORCING * np.abs(rhs).max()
