"""The exact path against fits at single C, and the exact search against the search over a grid."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.svm import l1_min_c

from l1svc import (
    L1LinearSVC,
    L1LinearSVCSearchCV,
    exact_path,
    exact_search,
    objective,
    relative_duality_gap,
)
from l1svc.exact import SCORES
from l1svc.tests.cone import cone_optimum
from l1svc.tests.rules import examples

LOW, HIGH = 0.003, 30.0


def made(seed=0, n=150, p=12, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) / p
    return X, np.where(X[:, :4].sum(axis=1) + noise * rng.normal(size=n) > 0, "yes", "no")


@pytest.fixture(scope="module")
def problem():
    return made()


@pytest.fixture(scope="module")
def path(problem):
    return exact_path(*problem, LOW, HIGH)


@pytest.fixture(scope="module")
def search(problem):
    return exact_search(*problem, LOW, HIGH, return_train_score=True)


def inside(Cs):
    """A C in each piece, or interval."""
    return np.sqrt(Cs[:-1] * Cs[1:])[np.diff(np.log(Cs)) > 1e-9]


def test_between_events_the_weights_are_those_of_a_fit(problem, path):
    for C in inside(np.concatenate([[LOW], path.events["C"], [HIGH]]))[::7]:
        svc = L1LinearSVC(C).fit(*problem)
        np.testing.assert_allclose(path.coef(C), svc.coef_[0], atol=1e-12)
        assert path.intercept(C) == pytest.approx(svc.intercept_[0], abs=1e-12)
        assert path.nonzero(C) == np.count_nonzero(svc.coef_) + np.count_nonzero(svc.intercept_)


def test_the_events_are_those_that_a_dense_grid_finds(problem, path):
    X, y = problem
    y = np.where(y == "yes", 1.0, -1.0)
    seen = dict.fromkeys(["enters", "leaves", "row in", "row out"], 0)
    before = None
    for C in inside(np.concatenate([[LOW], path.events["C"], [HIGH]])):
        svc = L1LinearSVC(C).fit(X, y)
        now = np.append(svc.coef_ != 0, svc.intercept_ != 0), y * svc.decision_function(X) < 1
        if before is not None:
            seen["enters"] += (now[0] & ~before[0]).sum()
            seen["leaves"] += (before[0] & ~now[0]).sum()
            seen["row in"] += (now[1] & ~before[1]).sum()
            seen["row out"] += (before[1] & ~now[1]).sum()
        before = now
    kinds, counts = np.unique(path.events["kind"], return_counts=True)
    assert seen == dict(zip(kinds, counts, strict=True))
    assert min(seen.values()) > 0
    assert path.restarts == 0


def test_the_path_is_certified_and_keeps_events_alone(problem, path):
    assert path.duality_gap < 1e-10
    assert (np.diff(path.events["C"]) >= 0).all()
    assert path.events["C"][0] > LOW
    assert path.events["C"][-1] < HIGH
    first, last = (
        relative_duality_gap(path.coef(C), path.intercept(C), C, *problem) for C in (LOW, HIGH)
    )
    assert max(first, last) < 1e-12


def test_it_begins_where_every_weight_is_zero(problem):
    X, y = problem
    least = l1_min_c(X, y, loss="squared_hinge")
    path = exact_path(X, y, 0.5 * least, 2.0 * least)
    assert path.nonzero(0.9 * least) == 0
    assert not path.coef(0.9 * least).any()
    assert path.events[0]["kind"] == "enters"
    assert path.events[0]["C"] == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("as_given", [sp.csr_matrix, np.asfortranarray, np.float32])
def test_x_of_any_kind(problem, path, as_given):
    X, y = problem
    other = exact_path(as_given(X), y, LOW, HIGH)
    if as_given is np.float32:
        assert other.duality_gap < 1e-10
    else:
        np.testing.assert_array_equal(other.events["kind"], path.events["kind"])
        np.testing.assert_allclose(other.events["C"], path.events["C"], rtol=1e-9)


def test_what_rounding_gathers_in_the_state_is_set_right_in_time():
    """Columns that all but depend on one another: G, changed 500 times, was 1e-8 of λ off."""
    X, y = load_breast_cancer(return_X_y=True)
    search = exact_search(X / X.max(axis=0), y, 0.01, 100.0)
    assert search.duality_gap <= 2e-9
    assert search.restarts == 0


def test_of_more_margins_than_are_watched_none_is_missed():
    X, y = made(2, n=1500, p=6)
    path = exact_path(X, y, 0.003, 1.0)
    assert path.restarts == 0
    assert path.duality_gap < 1e-10
    for C in inside(path.events["C"])[::60]:
        svc = L1LinearSVC(C).fit(X, y)
        np.testing.assert_allclose(path.coef(C), svc.coef_[0], atol=1e-11)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_where_rounding_has_won_the_solver_begins_anew_or_says_that_it_is_lost():
    """Columns that are all but equal, at ever larger C."""
    anew, lost = 0, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(30, 5)), np.arange(30) % 2
        X = np.hstack([X, X + 10.0 ** rng.uniform(-9, -3) * rng.normal(size=X.shape)])
        try:
            path = exact_path(X, y, 1e-3, 1e4)
        except ArithmeticError as error:
            lost.append(str(error))
            continue
        anew += path.restarts > 0
        for C in (0.1, 10.0, 1000.0) if path.duality_gap <= 1e-8 else ():
            assert relative_duality_gap(path.coef(C), path.intercept(C), C, X, y) <= 1e-8
    assert anew > 0
    assert len(lost) > 0
    for text in lost:
        assert re.match(r"The path is lost at C = [\d.]+: rows or columns all but depend", text)


def test_a_row_of_weight_2_is_two_rows():
    """At every C: the same events of columns, and weights of rows far apart."""
    X, y = made(4, n=60, p=6)
    times = np.random.default_rng(0).choice([0, 1, 2, 40], size=60)
    weighted = exact_path(X, y, 0.001, 10.0, sample_weight=times)
    repeated = exact_path(np.repeat(X, times, axis=0), np.repeat(y, times), 0.001, 10.0)
    assert weighted.restarts == repeated.restarts == 0
    ours, theirs = (
        path.events[np.isin(path.events["kind"], ["enters", "leaves"])]
        for path in (weighted, repeated)
    )
    assert len(ours) > 6
    for name in ("kind", "index", "sign"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    np.testing.assert_allclose(ours["C"], theirs["C"], rtol=1e-10)
    for C in inside(weighted.events["C"]):
        np.testing.assert_allclose(weighted.coef(C), repeated.coef(C), atol=1e-11)


def awkward(seed):
    """Small problems with rows and columns that stand twice, whole numbers, weights, separable."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(4, 41), rng.integers(1, 13)
    whole = rng.random() < 0.5
    X = rng.integers(-3, 4, size=(n, p)).astype(float) if whole else rng.normal(size=(n, p))
    if rng.random() < 0.5:
        X = X[rng.integers(0, n, size=n)]
    if rng.random() < 0.5:
        X = X[:, rng.integers(0, p, size=p)]
    noise = rng.choice([0.0, 1.0, 10.0])
    y = (X[:, 0] + noise * rng.normal(size=n) > 0).astype(int)
    y[:2] = 0, 1
    weights = rng.integers(0, 4, size=n).astype(float) if rng.random() < 0.5 else np.ones(n)
    weights[:2] = 1.0
    return X, y, weights, bool(rng.random() < 0.5), float(rng.choice([0.1, 1.0, 10.0]))


# Here columns of the first support depend on one another, or do as rows leave.
@example(20)
@example(73)
@example(582)
@examples(8)
@given(st.integers(0, 10**6))
def test_awkward_problems_are_optimal_in_every_piece(seed):
    X, y, weights, fit_intercept, scaling = awkward(seed)
    options = {"fit_intercept": fit_intercept, "intercept_scaling": scaling}
    path = exact_path(X, y, 0.01, 100.0, sample_weight=weights, **options)
    assert path.duality_gap <= 1e-8
    assert path.restarts == 0
    Cs = inside(np.concatenate([[0.01], path.events["C"], [100.0]]))
    for C in Cs[:: max(1, len(Cs) // 6)]:
        given_intercept = path.intercept(C) if fit_intercept else None
        data = {"sample_weight": weights, "intercept_scaling": scaling}
        gap = relative_duality_gap(path.coef(C), given_intercept, C, X, y, **data)
        assert gap <= 1e-8
        bias = scaling if fit_intercept else 0.0
        best = cone_optimum(X, np.where(y == 1, 1.0, -1.0), C, weights, bias)
        assert objective(path.coef(C), given_intercept, C, X, y, **data) <= best * (1 + 1e-6)


def test_a_weighted_row_that_enters_as_a_dependent_support_slides_has_its_weight():
    X, y, weights, fit_intercept, scaling = awkward(551)
    options = {"fit_intercept": fit_intercept, "intercept_scaling": scaling}
    path = exact_path(X, y, 1.0, 100.0, sample_weight=weights, **options)
    assert path.duality_gap < 1e-10
    assert path.restarts == 0


def test_what_it_cannot_do_is_said(problem, path, search):
    X, y = problem
    with pytest.raises(ValueError, match=r"C_min must be below C_max, got 1\.0 and 0\.5"):
        exact_path(X, y, 1.0, 0.5)
    with pytest.raises(ValueError, match="Cs must be positive"):
        exact_path(X, y, 0.0, 0.5)
    with pytest.raises(ValueError, match="exact_path needs two classes, got 3"):
        exact_path(X, np.arange(len(X)) % 3, 0.1, 0.5)
    with pytest.raises(ValueError, match=r"exact_search takes at most 4096 columns .* got 4098"):
        exact_search(np.eye(4200, 4097) + 1.0, np.arange(4200) % 2, 0.1, 0.5)
    for ask in (path.coef, path.intercept, path.nonzero, search.score_at):
        with pytest.raises(ValueError, match=r"C must be from 0\.003 to 30\.0, got 31"):
            ask(31)
    with pytest.raises(ValueError, match=r"scoring must be one of .*'accuracy'.* got 'roc_auc'"):
        exact_search(X, y, 0.1, 0.5, scoring="roc_auc")
    with pytest.raises(ValueError, match="n_jobs"):
        exact_search(X, y, 0.1, 0.5, n_jobs="two")


def test_the_score_at_every_c_is_that_of_the_search_over_a_grid(problem, search):
    Cs = inside(search.Cs)
    grid = L1LinearSVCSearchCV(Cs, return_train_score=True, refit=False).fit(*problem)
    wide = np.diff(np.log(search.Cs)) > 1e-9
    for k in range(5):
        for part, ours in (("test", search.test_scores), ("train", search.train_scores)):
            theirs = grid.cv_results_[f"split{k}_{part}_score"]
            np.testing.assert_allclose(ours[k][wide], theirs, atol=1e-12)
    assert len(Cs) > 30
    assert search.best_score == pytest.approx(grid.cv_results_["mean_test_score"].max())
    np.testing.assert_allclose([search.score_at(C) for C in Cs], search.mean_test_score[wide])
    np.testing.assert_allclose(search.std_test_score[wide], grid.cv_results_["std_test_score"])


@pytest.mark.parametrize("scoring", sorted(SCORES))
def test_every_score_is_scikit_learns(scoring):
    X, y = made(3, n=60, p=4, noise=4.0)
    y = (y == "yes").astype(int)
    cv = KFold(3)
    search = exact_search(X, y, 0.003, 3.0, cv=cv, scoring=scoring)
    for k in np.linspace(0, len(search.Cs) - 2, 4).astype(int):
        C = np.sqrt(search.Cs[k] * search.Cs[k + 1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scores that are 0 / 0
            theirs = cross_validate(L1LinearSVC(C), X, y, cv=cv, scoring=scoring)["test_score"]
        np.testing.assert_allclose(search.test_scores[:, k], theirs, atol=1e-12)


def test_the_best_c_lies_in_the_widest_of_the_best_intervals(search):
    assert search.score_at(search.best_C) == search.best_score
    widths = [high / low for low, high in search.best_intervals]
    low, high = search.best_intervals[int(np.argmax(widths))]
    assert low < search.best_C < high
    best = search.mean_test_score > search.best_score - 1e-9
    covered = sum(np.log(high / low) for low, high in search.best_intervals)
    assert covered == pytest.approx(np.diff(np.log(search.Cs))[best].sum())
    assert float(f"{search.best_C:.2e}") == search.best_C


def test_the_widest_interval_is_that_of_the_largest_ratio():
    """Not of the largest difference, which favours large C."""
    search = exact_search(*made(33, n=24, p=3, noise=2.0), 0.003, 300.0, cv=3)
    ends = np.array(search.best_intervals)
    ratio, difference = (
        int(np.argmax(width)) for width in (ends[:, 1] / ends[:, 0], np.diff(ends))
    )
    assert ratio != difference
    assert ends[ratio][0] < search.best_C < ends[ratio][1]


def as_masks(X, y):
    """The folds of StratifiedKFold(5), their test rows as masks."""
    return [
        (train, np.isin(np.arange(len(y)), test)) for train, test in StratifiedKFold(5).split(X, y)
    ]


@pytest.mark.parametrize(
    "backend", ["threading", "sequential", pytest.param("loky", marks=pytest.mark.long)]
)
def test_jobs_and_masks_change_nothing(problem, search, backend):
    called = []
    with parallel_config(backend=backend):
        again = exact_search(
            *problem,
            LOW,
            HIGH,
            cv=as_masks(*problem),
            n_jobs=2,
            return_train_score=True,
            callback=lambda: called.append(1),
        )
    for name in ("Cs", "test_scores", "train_scores"):
        np.testing.assert_array_equal(getattr(again, name), getattr(search, name))
    assert len(called) == 5


def test_the_entries_of_a_fold_are_the_column_events_of_its_path(problem, search):
    X, y = problem
    for (train, _), entries in zip(StratifiedKFold(5).split(X, y), search.entries, strict=True):
        path = exact_path(X[train], y[train], LOW, HIGH)
        theirs = path.events[np.isin(path.events["kind"], ("enters", "leaves"))]
        at_once = path.nonzero(LOW)
        assert (entries["C"][:at_once] == LOW).all()
        np.testing.assert_allclose(entries["C"][at_once:], theirs["C"], rtol=1e-10)
        for name in ("kind", "index", "sign"):
            np.testing.assert_array_equal(entries[name][at_once:], theirs[name])
        enters = entries["kind"] == "enters"
        for C in inside(np.unique(entries["C"])):
            upto = entries["C"] <= C
            assert (upto & enters).sum() - (upto & ~enters).sum() == path.nonzero(C)


def test_class_weights_are_those_of_each_fold(problem):
    X, y = problem
    search = exact_search(X, y, 0.01, 1.0, class_weight="balanced")
    Cs = inside(search.Cs)[::10]
    grid = L1LinearSVCSearchCV(Cs, refit=False, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(
        [search.score_at(C) for C in Cs], grid.cv_results_["mean_test_score"], atol=1e-12
    )
