"""What a caller may give, and what comes of it: arrays of any kind, and numbers out of bounds."""

import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier

from l1svc import (
    L1LinearSVC,
    L1LinearSVCSearchCV,
    bootstrap,
    objective,
    relative_duality_gap,
    svm_path,
)
from l1svc.tests.problems import small_problem

CS = [0.05, 0.5]


def share_right(estimator, X, y):
    """A scorer as one writes it: on a column y it would compare every row with every other."""
    return float(np.mean(estimator.predict(X) == y))


def results_of(X, y, **fitted):
    """What every public function makes of X and y, as one array."""
    search = L1LinearSVCSearchCV(CS, cv=3, scoring=share_right).fit(X, y, **fitted)
    fit = L1LinearSVC(0.5).fit(X, y, **fitted)
    coef, intercept = fit.coef_, fit.intercept_
    return np.concatenate(
        [
            search.cv_results_["mean_test_score"],
            [search.score(X, y), fit.score(X, y)],
            search.best_estimator_.coef_[0],
            coef[0],
            svm_path(X, y, CS).coef.ravel(),
            bootstrap(X, y, 0.5, 2).coef.ravel(),
            [objective(coef, intercept, 0.5, X, y, **fitted)],
            [objective(coef, intercept, 0.5, X, y, class_weight="balanced", **fitted)],
            [relative_duality_gap(coef * 1.01, intercept, 0.5, X, y, **fitted)],
        ]
    )


@pytest.fixture(scope="module")
def expected():
    """What comes of the small problem, given as arrays."""
    return results_of(*small_problem())


@pytest.mark.parametrize(
    "column",
    [
        lambda y: y[:, None],
        lambda y: y[:, None].tolist(),
        lambda y: pd.DataFrame({"digit": y}, index=np.arange(len(y))[::-1]),
        lambda y: pl.DataFrame({"digit": y}),
    ],
)
def test_y_may_be_a_column_with_scikit_learns_warning(problem, expected, column):
    X, y = problem
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        results = results_of(X, column(y))
    np.testing.assert_array_equal(results, expected)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        pd.Series,
        lambda y: pd.Series(y, index=np.arange(len(y))[::-1], dtype="Int64"),
        lambda y: pd.Series(np.where(y > 0, "b", "a")).astype("category"),
        lambda y: pd.Categorical(np.where(y > 0, "b", "a")),
        lambda y: pl.Series(y),
        lambda y: pl.Series(np.where(y > 0, "b", "a")),
        lambda y: pl.Series(np.where(y > 0, "b", "a")).cast(pl.Categorical),
    ],
)
def test_y_may_be_a_series_of_any_library(problem, expected, kind):
    X, y = problem
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = results_of(X, kind(y))
    np.testing.assert_array_equal(results, expected)


def test_scorers_see_the_index_of_a_series_as_from_grid_search_cv(problem):
    X, y = problem
    costs = pd.Series(np.arange(len(y)) % 5, index=pd.RangeIndex(len(y)) + 1000)

    def cost(estimator, X, y):
        return -float(costs[y.index] @ (estimator.predict(X) != y))

    y = pd.Series(y, index=costs.index)
    search = L1LinearSVCSearchCV(CS, cv=3, scoring=cost).fit(X, y)
    reference = GridSearchCV(L1LinearSVC(), {"C": CS}, cv=3, scoring=cost).fit(X, y)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(search.cv_results_[key], reference.cv_results_[key])


def unsorted(X):
    """A CSR matrix with the entries of each row in no order."""
    X = sparse.csr_matrix(X)
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[start:stop] = X.indices[start:stop][::-1]
        X.data[start:stop] = X.data[start:stop][::-1]
    X.has_sorted_indices = False
    return X


def halved(X):
    """A CSR matrix in which every entry stands twice, as two halves; and a few zeros."""
    rows, columns = np.nonzero(X)
    order = np.argsort(rows, kind="stable")
    data = np.repeat(X[rows, columns][order] / 2, 2)
    indices = np.repeat(columns[order], 2).astype(np.int32)
    counts = np.bincount(rows, minlength=len(X))
    indptr = np.concatenate([[0], np.cumsum(2 * counts)]).astype(np.int32)
    return sparse.csr_matrix((data, indices, indptr), shape=X.shape)


def with_int64(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def with_zeros(X):
    """A CSR matrix that holds all entries, zeros too."""
    n, p = X.shape
    return sparse.csr_matrix(
        (X.ravel(), np.tile(np.arange(p), n), np.arange(n + 1) * p), shape=X.shape
    )


def parts(X):
    names = ("data", "indices", "indptr", "row", "col")
    return {name: getattr(X, name) for name in names if hasattr(X, name)}


def read_only(X):
    for part in parts(X).values():
        part.flags.writeable = False
    return X


@pytest.fixture
def thin(problem):
    """The small problem with two thirds of the entries, and one column, zero."""
    X, y = problem
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    X[:, 3] = 0.0
    return X, y


@pytest.mark.parametrize(
    "kind",
    [unsorted, halved, with_int64, with_zeros, sparse.csc_matrix, sparse.coo_array],
)
def test_a_sparse_matrix_is_used_as_it_is_and_never_changed(thin, kind):
    X, y = thin
    expected = results_of(X, y)
    for given in (kind(X), read_only(kind(X))):
        before = {name: part.copy() for name, part in parts(given).items()}
        np.testing.assert_allclose(results_of(given, y), expected, rtol=1e-9, atol=1e-12)
        assert set(parts(given)) == set(before)
        for name, part in parts(given).items():
            np.testing.assert_array_equal(part, before[name])
            assert part.dtype == before[name].dtype


def test_joblibs_read_only_memmaps_of_unsorted_rows(thin, tmp_path):
    """What OneVsRestClassifier(n_jobs=2) gives to its workers."""
    X, y = thin
    joblib.dump(unsorted(X), tmp_path / "X")
    mapped = joblib.load(tmp_path / "X", mmap_mode="r")
    assert isinstance(mapped.data, np.memmap)
    assert not mapped.data.flags.writeable
    fit = OneVsRestClassifier(L1LinearSVC(0.1)).fit(mapped, y)
    expected = L1LinearSVC(0.1).fit(X, y)
    np.testing.assert_allclose(fit.estimators_[0].coef_, expected.coef_, atol=1e-12)


HUGE = 1e308


@pytest.mark.parametrize(
    "bad",
    [
        {"C": 0.0},
        {"C": -1.0},
        {"C": HUGE},
        {"C": 1e-320},
        {"C": np.inf},
        {"C": np.nan},
        {"C": "1"},
        {"tol": 0.0},
        {"tol": np.nan},
        {"max_iter": 0},
        {"max_iter": 1.5},
        {"intercept_scaling": 0.0},
        {"intercept_scaling": 1e155},
        {"intercept_scaling": np.nan},
        {"class_weight": 3.0},
        {"class_weight": "heavy"},
        {"n_samples": 0},
        {"random_state": -1},
        {"random_state": 1.5},
        {"n_jobs": 1.5},
        {"callback": 3},
    ],
)
def test_one_rule_for_a_parameter_wherever_it_is_given(problem, bad):
    X, y = problem
    (name,) = bad
    takers = {
        "L1LinearSVC": ["C", "tol", "max_iter", "intercept_scaling", "class_weight"],
        "L1LinearSVCSearchCV": ["tol", "max_iter", "intercept_scaling", "class_weight", "n_jobs"],
        "svm_path": ["tol", "max_iter", "n_jobs", "callback"],
        "bootstrap": ["C", "tol", "max_iter", "n_samples", "random_state", "n_jobs", "callback"],
        "objective": ["C", "intercept_scaling", "class_weight"],
        "relative_duality_gap": ["C", "intercept_scaling", "class_weight"],
    }
    calls = {
        "L1LinearSVC": lambda: L1LinearSVC(**bad).fit(X, y),
        "L1LinearSVCSearchCV": lambda: L1LinearSVCSearchCV(CS, **bad).fit(X, y),
        "svm_path": lambda: svm_path(X, y, CS, **bad),
        "bootstrap": lambda: bootstrap(X, y, **{"C": 0.5, "n_samples": 2, **bad}),
        "objective": lambda: objective(np.ones(12), 0.0, **{"C": 0.5, "X": X, "y": y, **bad}),
        "relative_duality_gap": lambda: relative_duality_gap(
            np.ones(12), 0.0, **{"C": 0.5, "X": X, "y": y, **bad}
        ),
    }
    for taker, call in calls.items():
        if name in takers[taker]:
            with pytest.raises(ValueError, match=f"The '{name}' parameter of {taker} must be"):
                call()


@pytest.mark.parametrize("C", [0.0, -1.0, HUGE, np.inf, np.nan])
def test_every_c_of_many_is_checked(problem, C):
    X, y = problem
    for call in (svm_path, lambda X, y, Cs: L1LinearSVCSearchCV(Cs).fit(X, y)):
        with pytest.raises(ValueError, match="Cs must be positive numbers, from 1e-100 to 1e"):
            call(X, y, [1.0, C])


def test_no_jobs_are_none(problem):
    for call in (
        lambda: L1LinearSVCSearchCV(CS, n_jobs=0).fit(*problem),
        lambda: svm_path(*problem, CS, n_jobs=0),
        lambda: bootstrap(*problem, 0.5, 2, n_jobs=0),
    ):
        with pytest.raises(ValueError, match="n_jobs == 0"):
            call()


def weighers(X, y):
    """What takes weights, as functions of these."""
    return [
        lambda **weights: L1LinearSVC(class_weight=weights.pop("class_weight", None)).fit(
            X, y, **weights
        ),
        lambda **weights: L1LinearSVCSearchCV(
            CS, cv=3, class_weight=weights.pop("class_weight", None)
        ).fit(X, y, **weights),
        lambda **weights: objective(np.ones(12), 0.0, 0.5, X, y, **weights),
        lambda **weights: relative_duality_gap(np.ones(12), 0.0, 0.5, X, y, **weights),
    ]


@pytest.mark.parametrize("weight", [-1.0, np.inf, -np.inf, np.nan])
def test_class_weights_must_be_numbers_not_below_zero(problem, weight):
    for call in weighers(*problem):
        with pytest.raises(ValueError, match="class_weight must not be negative, infinite or NaN"):
            call(class_weight={1: weight})


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1.0, "Negative values"),
        (np.inf, "infinity"),
        (np.nan, "NaN"),
        (HUGE, "must be finite numbers with"),
        (1e-320, "must be finite numbers with"),
    ],
)
def test_sample_weights_must_be_numbers_that_can_be_summed(problem, weight, message):
    X, y = problem
    one, all_ = np.ones(len(y)), np.full(len(y), weight)
    one[7] = weight
    for call in weighers(X, y):
        with pytest.raises(ValueError, match=message):
            call(sample_weight=all_ if weight == 1e-320 else one)
        if not np.isfinite(weight):
            with config_context(assume_finite=True), pytest.raises(ValueError, match=r"weight|NaN"):
                call(sample_weight=one)


def test_weights_that_overflow_together_are_refused(problem):
    X, y = problem
    for call in weighers(X, y):
        for class_weight in ({1: 1e200}, "balanced"):
            with pytest.raises(ValueError, match=r"must be finite numbers with|class_weight"):
                call(class_weight=class_weight, sample_weight=np.full(len(y), 1e307))


def test_without_any_weight_there_is_nothing_to_fit(problem):
    X, y = problem
    for call in weighers(X, y):
        with pytest.raises(ValueError, match=r"must be finite numbers with .* got 0\.0"):
            call(class_weight={-1: 0.0, 1: 0.0})


@pytest.mark.parametrize("value", [np.nan, np.inf, HUGE, 1e160])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_what_is_no_number_to_reckon_with_in_x_is_refused_wherever_it_is(problem, value, kind):
    X, y = problem
    X = X.copy()
    X[5, 3] = value
    for call in (
        lambda: L1LinearSVC().fit(kind(X), y),
        lambda: L1LinearSVC(fit_intercept=False).fit(kind(X), y),
        lambda: L1LinearSVCSearchCV(CS).fit(kind(X), y),
        lambda: svm_path(kind(X), y, CS),
        lambda: bootstrap(kind(X), y, 0.5, 2),
        lambda: objective(np.ones(12), 0.0, 0.5, kind(X), y),
        lambda: relative_duality_gap(np.ones(12), 0.0, 0.5, kind(X), y),
    ):
        with config_context(assume_finite=True), pytest.raises(ValueError, match="finite numbers"):
            call()
        with pytest.raises(ValueError, match=r"finite numbers|NaN|infinity"):
            call()


@pytest.mark.parametrize("function", [objective, relative_duality_gap])
def test_weights_to_be_judged_must_be_numbers(problem, function):
    X, y = problem
    coef = np.ones(12)
    for bad in (np.nan, np.inf):
        changed = np.where(np.arange(12) == 3, bad, coef)
        for assume_finite in (False, True):
            with config_context(assume_finite=assume_finite):
                with pytest.raises(ValueError, match="coef"):
                    function(changed, 0.0, 0.5, X, y)
                with pytest.raises(ValueError, match="coef and intercept must be finite"):
                    function(coef, bad, 0.5, X, y)
    with pytest.raises(ValueError, match="coef and intercept are too large"):
        function(1e200 * coef, 0.0, 0.5, X, y)


@pytest.mark.parametrize("C", [1e-100, 1e-20, 1e20, 1e90])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_at_the_bounds_a_fit_ends(problem, C):
    X, y = problem
    fit = L1LinearSVC(C, max_iter=30).fit(X, y)
    assert np.isfinite(fit.coef_).all()
    assert 0 <= fit.duality_gap_ <= 1


def test_a_seed_of_none_draws_other_samples_each_time(problem):
    one, two, zero, default = (
        bootstrap(*problem, 0.5, 3, **seed).coef
        for seed in ({"random_state": None}, {"random_state": None}, {"random_state": 0}, {})
    )
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(zero, default)
