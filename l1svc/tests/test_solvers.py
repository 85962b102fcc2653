"""Whatever a problem's shape, hence its solver: the optimum, in few steps, from wherever it starts.

Narrow: many rows for each column. Square: about as many rows as columns. Wide: more columns than a
Gram matrix holds.
"""

import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import l1_min_c

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, bootstrap, objective, svm_path
from l1svc.certificate import certify
from l1svc.design import MAX_GRAM_COLUMNS, Design
from l1svc.newton import NewtonSolver
from l1svc.path import solver_from, start
from l1svc.problem import Problem
from l1svc.square import SquareSolver
from l1svc.tests.problems import text_like
from l1svc.tests.random_problems import random_problem
from l1svc.tests.rules import examples
from l1svc.wide import WideSolver

SHAPES = {"narrow": (120, 12), "square": (160, 160), "wide": (50, 1100)}
FORMS = [np.asarray, sp.csr_matrix]


def made(seed=0, n=120, p=12, noise=1.0):
    """(X, y): rows of different lengths, of which the first columns tell the label."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.2, 3.0, size=(n, 1))
    return X, np.where(X[:, :4].sum(axis=1) + noise * rng.normal(size=n) > 0, 1, -1)


@pytest.fixture(params=SHAPES)
def shaped(request):
    return made(1, *SHAPES[request.param])


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
    problem = Problem(Design(X, 0.0), y, weights)
    assert type(solver_from(problem, np.zeros(p + 6))) is kind
    assert type(start(problem, 1.0, 10)) is kind


def gap(solver, C):
    """Relative, by the certificate that knows nothing of the solver."""
    primal, gap, _ = certify(solver.problem, np.array([C]), solver.w[None])
    return gap[0] / primal[0]


CHANGES = {  # by which data are degenerate
    "none": lambda X, rng: X,
    "columns twice": lambda X, rng: np.hstack([X, X]),
    "rows twice": lambda X, rng: np.vstack([X[: len(X) // 2]] * 2),
    "few entries": lambda X, rng: X * (rng.random(X.shape) < 0.1),
    "columns of zeros": lambda X, rng: X * (np.arange(X.shape[1]) % 3 > 0),
    "whole numbers": lambda X, rng: np.round(X),
    "scales": lambda X, rng: X * 10.0 ** rng.uniform(-2, 2, size=X.shape[1]),
}


@pytest.mark.parametrize("kind", [SquareSolver, WideSolver])
@examples(12)
@given(
    seed=st.integers(0, 2**32 - 1),
    C=st.floats(-2, 2.5).map(lambda power: 10.0**power),
    as_given=st.sampled_from(FORMS),
    changed=st.sampled_from(list(CHANGES)),
    n=st.sampled_from([4, 30, 80]),
    noise=st.sampled_from([0.0, 1.0]),
    bias=st.sampled_from([0.0, 1.0, 3.0]),
    weighted=st.booleans(),
)
def test_every_solver_comes_to_the_same_optimum(
    kind, seed, C, as_given, changed, n, noise, bias, weighted
):
    X, y = made(seed, n, 50, noise)
    y, rng = y.astype(float), np.random.default_rng(seed)
    weights = rng.integers(0, 3, size=n).astype(float) if weighted else np.ones(n)
    problem = Problem(Design(as_given(CHANGES[changed](X, rng)), bias), y, weights)
    ours, newton = kind(problem), start(problem, C, 1000)
    assert isinstance(newton, NewtonSolver)
    for solver in (ours, newton):
        solver.solve(C, 1000)
        assert gap(solver, C) < 1e-8
        assert solver.n_iter < 600
    both = np.array([ours.w, newton.w])
    objectives, _, _ = certify(problem, np.array([C, C]), both)
    np.testing.assert_allclose(*objectives, rtol=1e-8)
    assert bias or ours.w[-1] == 0.0


def test_polished_weights_of_every_solver_are_the_same_to_the_last_digits():
    X, y = made(6, 80, 40)
    polished = []
    for kind in (NewtonSolver, SquareSolver, WideSolver):
        solver = kind(Problem(Design(X, 1.0), y.astype(float), np.ones(len(y))))
        solver.solve(0.1, 1000)
        solver.polish(0.1, 1000, thorough=True)
        polished.append(solver.w)
    for w in polished[1:]:
        np.testing.assert_array_max_ulp(w, polished[0], maxulp=2)


@pytest.mark.parametrize("kind", [NewtonSolver, SquareSolver, WideSolver])
def test_a_copy_for_other_weights_leaves_the_first_alone(kind):
    X, y = made(3)
    weights = np.where(np.arange(len(y)) % 3, 2.0, 0.0)
    problem = Problem(Design(X, 1.0), y.astype(float), np.ones(len(y)))
    first, alone = kind(problem), kind(problem)
    for solver in (first, alone):
        solver.solve(0.3, 1000)
    w = first.w.copy()
    other = first.reweighted(weights)
    assert other.n_iter == 0
    np.testing.assert_array_equal(other.w, w)
    other.solve(0.5, 1000)
    other.polish(0.5, 1000)
    one = L1LinearSVC(0.5).fit(X, y, weights)
    np.testing.assert_allclose(other.w, np.append(one.coef_, one.intercept_), atol=1e-7)
    np.testing.assert_array_equal(first.w, w)
    for solver in (first, alone):
        solver.solve(2.0, 1000)
    np.testing.assert_array_equal(first.w, alone.w)


def test_up_to_the_least_c_all_weights_are_zero(shaped):
    X, y = shaped
    least = l1_min_c(X, y, loss="squared_hinge")
    below, above = (L1LinearSVC(f * least).fit(X, y) for f in (1 - 1e-6, 1 + 1e-3))
    assert not below.coef_.any()
    assert not below.intercept_.any()
    assert below.duality_gap_ <= 1e-8
    assert above.coef_.any() or above.intercept_.any()


def test_paths_samples_and_folds_come_to_the_single_fits(shaped):
    X, y = shaped
    Cs, atol = [0.03, 0.3, 3.0], 1e-9 if X.shape[1] == 12 else 1e-5
    path = svm_path(X, y, Cs)
    assert path.duality_gap.max() < 1e-9
    for C, coef, intercept in zip(Cs, path.coef, path.intercept, strict=True):
        one = L1LinearSVC(C).fit(X, y)
        # the objective: weights are not unique where columns are many
        np.testing.assert_allclose(coef, one.coef_[0], atol=atol)
        best = objective(one.coef_, one.intercept_, C, X, y)
        assert objective(coef, intercept, C, X, y) == pytest.approx(best, rel=1e-9)
    samples = bootstrap(X, y, 0.3, 3, random_state=7)
    assert samples.duality_gap.max() < 1e-8
    for k in range(3):
        drawn = np.random.default_rng([7, k]).integers(len(y), size=len(y), dtype=np.int32)
        one = L1LinearSVC(0.3).fit(X[drawn], y[drawn])
        np.testing.assert_allclose(samples.coef[k], one.coef_[0], atol=atol)
    folds = [(np.flatnonzero(np.arange(len(y)) % 3 != k),) * 2 for k in range(3)]
    search = L1LinearSVCSearchCV(Cs, cv=folds).fit(X, y)
    assert search.cv_results_["max_duality_gap"].max() < 1e-9
    assert search.best_estimator_.duality_gap_ < 1e-9
    for k, (rows, _) in enumerate(folds):
        for j, C in enumerate(Cs):
            right = L1LinearSVC(C).fit(X[rows], y[rows]).score(X[rows], y[rows])
            assert search.cv_results_[f"split{k}_test_score"][j] == right


def test_jobs_change_no_bit(shaped):
    X, y = shaped
    searches, samples, paths = [], [], []
    for jobs in (1, 2):
        searches.append(L1LinearSVCSearchCV([0.3, 3.0], cv=3, n_jobs=jobs).fit(X, y))
        samples.append(bootstrap(X, y, 0.3, 3, n_jobs=jobs).coef)
        paths.append(svm_path(X, y, [0.3, 3.0], n_jobs=jobs).coef)
    for key in ("split0_n_iter", "split2_duality_gap", "nonzero", "mean_test_score"):
        np.testing.assert_array_equal(*[search.cv_results_[key] for search in searches])
    np.testing.assert_array_equal(*[search.best_estimator_.coef_ for search in searches])
    np.testing.assert_array_equal(*samples)
    np.testing.assert_array_equal(*paths)


@pytest.mark.parametrize("max_iter", [1, 3, 8])
def test_max_iter_bounds_the_steps_and_what_is_left_is_told(shaped, max_iter):
    with pytest.warns(ConvergenceWarning, match=f"in {max_iter} of max_iter={max_iter} ") as caught:
        fit = L1LinearSVC(50.0, max_iter=max_iter).fit(*shaped)
    assert caught[0].filename == __file__
    assert fit.n_iter_ == max_iter
    assert fit.duality_gap_ > 1e-8


def test_a_fit_from_its_own_optimum_takes_next_to_no_steps(shaped):
    X, y = shaped
    fit = L1LinearSVC(3.0, warm_start=True).fit(X, y)
    cold, coef = fit.n_iter_, fit.coef_
    assert fit.fit(X, y).n_iter_ <= 4 < cold
    np.testing.assert_allclose(fit.coef_, coef, atol=1e-9)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_step_raises_the_objective(seed):
    """From far off, with nearly as many columns as rows, plain Newton steps would."""
    X, y = made(seed, 60, 40)
    far = 3.0 * np.random.default_rng(seed).normal(size=41)
    values = [objective(far[:-1], far[-1], 30.0, X, y)]
    for max_iter in range(1, 9):
        fit = L1LinearSVC(30.0, warm_start=True, max_iter=max_iter)
        fit.coef_, fit.intercept_ = far[None, :-1].copy(), far[-1:].copy()
        fit.fit(X, y)
        values.append(objective(fit.coef_, fit.intercept_, 30.0, X, y))
    assert (np.diff(values) <= 1e-12 * values[-1]).all()
    assert values[-1] < 0.1 * values[0]


@pytest.mark.parametrize(
    ("shape", "C", "steps"),
    [
        ((120, 12), 0.3, 45),
        ((120, 12), 100.0, 65),
        ((200, 200), 0.3, 175),
        ((200, 200), 5.0, 710),
        ((100, 1100), 0.3, 190),
        ((100, 1100), 5.0, 870),
    ],
)
def test_few_steps_lead_from_zero(shape, C, steps):
    """What five problems take in all, and a fifth more."""
    assert sum(L1LinearSVC(C).fit(*made(seed, *shape)).n_iter_ for seed in range(5)) <= steps


def test_few_steps_lead_from_c_to_c():
    """Along a fine path the next optimum is foreseen most of the time: a step each."""
    X, y = made(5, 400)
    everything = np.arange(400)
    Cs = np.geomspace(0.02, 1.0, 100)
    search = L1LinearSVCSearchCV(Cs, cv=[(everything, everything)], refit=False).fit(X, y)
    assert search.cv_results_["max_duality_gap"].max() < 1e-11
    assert search.cv_results_["split0_n_iter"].sum() <= 135


@pytest.mark.parametrize(
    ("n", "p", "share", "as_given"),
    [(600, 30, 1.0, np.asarray), (3000, 12, 0.2, np.asarray), (400, 60, 0.3, sp.csr_matrix)],
)
def test_a_fine_path_is_right_at_every_c(n, p, share, as_given):
    """Most margins of most steps are bounds alone: a row on the wrong side of 1 would be seen."""
    rng = np.random.default_rng(p)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < share)
    y = np.where(X @ rng.normal(size=p) + rng.normal(size=n) > 0, 1, -1)
    path = svm_path(as_given(X), y, np.geomspace(1e-3, 10.0, 40))
    assert path.duality_gap.max() < 1e-10


def test_more_columns_than_enter_at_a_time_come_to_the_optimum():
    X, y = made(2, 620, 400, noise=9.0)
    fit = L1LinearSVC(0.2).fit(X, y)
    assert np.count_nonzero(fit.coef_) > 300
    assert fit.duality_gap_ < 1e-10
    assert fit.n_iter_ < 30


def test_one_fit_at_small_c_makes_no_gram_matrix_of_all_columns():
    X, y = made(0, 1400, 900)
    C = 1.5 * l1_min_c(X, y, loss="squared_hinge")
    tracemalloc.start()
    fit = L1LinearSVC(C).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fit.duality_gap_ < 1e-12
    assert fit.coef_.any()
    assert peak < 0.7 * 8 * 900**2


def test_where_columns_depend_on_one_another_steps_are_made_longer():
    """A column of unix times beside others: damping made each step as short as the one before."""
    problem = random_problem(220)
    svc = L1LinearSVC(problem.Cs[-1], **problem.parameters).fit(problem.X, problem.y)
    assert svc.duality_gap_ <= 1e-8
    assert svc.n_iter_ < 100


@pytest.mark.parametrize(("p", "seed"), [(900, 213), (1500, 219), (1500, 244)])
def test_text_on_which_steps_of_length_0_were_repeated(p, seed):
    """More columns than rows: steps drift in G's null space, which may cross rows."""
    X, y = text_like(300, p, seed)
    assert svm_path(X, y, [0.1, 1.0, 10.0]).duality_gap.max() < 1e-8
    fit = L1LinearSVC(10.0).fit(X, y)
    assert fit.duality_gap_ < 1e-9
    assert fit.n_iter_ < 100


@pytest.mark.parametrize("as_given", FORMS)
def test_rows_that_can_be_told_apart_at_very_large_c(as_given):
    X, y = made(0, 60, 1100)
    one = L1LinearSVC(1e5).fit(as_given(X), y)
    assert one.duality_gap_ < 1e-8
    assert one.n_iter_ < 800  # 470 or 512, by the versions of NumPy and SciPy
    assert one.score(X, y) == 1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@examples(15)
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


def test_fits_side_by_side_leave_the_filters_of_warnings_as_they_were():
    X, y = text_like(200, 1600, 7)
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as threads:
        fits = list(threads.map(lambda C: L1LinearSVC(C).fit(X, y), [0.5, 1.0, 2.0, 4.0]))
    assert warnings.filters == before
    assert max(fit.duality_gap_ for fit in fits) < 1e-9


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python's, from 3.12 on
@pytest.mark.parametrize(
    "backend",
    [
        "threading",
        "sequential",
        pytest.param("loky", marks=pytest.mark.long),
        pytest.param("multiprocessing", marks=pytest.mark.long),
    ],
)
def test_no_backend_changes_a_bit_of_a_sample(problem, backend):
    one = bootstrap(*problem, 0.3, 6)
    with parallel_config(backend=backend):
        two = bootstrap(*problem, 0.3, 6, n_jobs=2)
    for name, values in vars(one).items():
        np.testing.assert_array_equal(getattr(two, name), values)
