import sys
import threading
import time
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import accuracy_score, f1_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, ShuffleSplit, StratifiedKFold
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, to_linear_svc
from l1svc.search import best_index

CS = [0.3, 0.02, 0.1]  # in no order
PARTS = ["test", "train"]
VARYING = ("fit_time", "score_time", "duality_gap", "n_iter", "params")


def exhaustive(**kwargs):
    """GridSearchCV over single fits: what the search must come to."""
    names = ("fit_intercept", "class_weight")
    estimator = L1LinearSVC(**{name: kwargs.pop(name) for name in names if name in kwargs})
    return GridSearchCV(estimator, {"C": CS}, **kwargs)


def assert_same_results(search, reference):
    ours, theirs = search.cv_results_, reference.cv_results_
    assert set(theirs) <= set(ours)
    for key, values in theirs.items():
        if not key.endswith(VARYING):
            np.testing.assert_allclose(np.asarray(ours[key]), np.asarray(values), rtol=1e-12)
            assert np.asarray(ours[key]).dtype == np.asarray(values).dtype, key
    assert ours["params"] == theirs["params"]
    assert ours["max_duality_gap"].max() <= 1e-8
    if reference.refit:
        assert search.best_params_ == reference.best_params_
        assert search.best_index_ == reference.best_index_
        np.testing.assert_allclose(
            search.best_estimator_.coef_, reference.best_estimator_.coef_, atol=1e-10
        )


@pytest.mark.parametrize(
    "kwargs",
    [
        {"cv": 5, "return_train_score": True},
        {"cv": ShuffleSplit(3, random_state=0), "scoring": "roc_auc"},
        {"cv": StratifiedKFold(4, shuffle=True, random_state=0), "class_weight": "balanced"},
        {"cv": 3, "scoring": ["accuracy", "f1"], "refit": "f1", "return_train_score": True},
        {"cv": 3, "scoring": {"a": "accuracy", "b": get_scorer("roc_auc")}, "refit": False},
        {"cv": 3, "scoring": lambda est, X, y: -np.abs(est.coef_).sum(), "fit_intercept": False},
        {"cv": 3, "scoring": None, "refit": lambda results: 1},
        {"cv": [(np.repeat(np.arange(80), 2), np.arange(80, 120)), (np.arange(40, 120),) * 2]},
    ],
)
def test_results_are_grid_search_cvs(problem, kwargs):
    X, y = problem
    kwargs.setdefault("scoring", "accuracy")
    assert_same_results(L1LinearSVCSearchCV(CS, **kwargs).fit(X, y), exhaustive(**kwargs).fit(X, y))


def test_groups_and_sample_weights_reach_splitter_and_fits(problem):
    X, y = problem
    given = {"groups": np.arange(len(y)) // 7, "sample_weight": 0.5 + np.arange(len(y)) % 2}
    kwargs = {"cv": GroupKFold(3), "scoring": "accuracy"}
    search = L1LinearSVCSearchCV(CS, **kwargs).fit(X, y, **given)
    assert_same_results(search, exhaustive(**kwargs).fit(X, y, **given))


def test_scorers_without_weights_warn(problem):
    X, y = problem
    search = L1LinearSVCSearchCV(CS, cv=3, scoring=lambda estimator, X, y: 0.5)
    with pytest.warns(UserWarning, match="takes no sample_weight") as caught:
        search.fit(X, y, sample_weight=np.ones(len(y)))
    assert caught[0].filename == __file__


def test_classes_that_a_fold_lacks():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(90, 5))
    y = np.array(list("abc"))[np.argmax(X[:, :3], axis=1)]
    c = np.flatnonzero(y == "c")
    rest = np.flatnonzero(y != "c")
    cv = [(rest, c), (np.arange(90), rest), (np.arange(0, 90, 2), np.arange(1, 90, 2))]
    search = L1LinearSVCSearchCV(CS, cv=cv).fit(X, y)
    assert_same_results(search, exhaustive(cv=cv, scoring="accuracy").fit(X, y))
    assert search.cv_results_["split0_test_score"].max() == 0.0
    assert list(search.classes_) == ["a", "b", "c"]


def test_sparse_input(problem):
    X, y = problem
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    search = L1LinearSVCSearchCV(CS, cv=3).fit(sparse.csr_matrix(X), y)
    assert_same_results(search, exhaustive(cv=3, scoring="accuracy").fit(X, y))


@pytest.mark.parametrize(
    ("backend", "jobs", "options"),
    [
        ("threading", 2, {}),
        ("threading", 16, {}),
        ("sequential", 2, {}),
        ("loky", 2, {"max_nbytes": 100}),  # the data are read from a memory map
        pytest.param("loky", 3, {}, marks=pytest.mark.long),
        pytest.param("loky", 16, {}, marks=pytest.mark.long),
    ],
)
def test_any_number_of_jobs_and_backend_give_the_same_bits(problem, backend, jobs, options):
    X, y = problem

    def configured(estimator, X, y):  # the caller's configuration holds wherever folds run
        return get_config()["working_memory"]

    called = []
    scoring = {"right": "accuracy", "auc": "roc_auc", "configured": configured}
    alone = L1LinearSVCSearchCV(CS, cv=5, scoring=scoring, refit="right")
    many = clone(alone).set_params(n_jobs=jobs)
    plain = L1LinearSVCSearchCV(CS, cv=5, n_jobs=jobs)
    with config_context(working_memory=77):
        alone.fit(X, y)
        with parallel_config(backend=backend, **options):
            many.fit(X, y, callback=lambda: called.append(1))
            plain.fit(X, y)
    assert len(called) == 5 * len(CS)
    assert (many.cv_results_["mean_test_configured"] == 77).all()
    for key, values in alone.cv_results_.items():
        if not key.endswith("_time"):
            np.testing.assert_array_equal(many.cv_results_[key], values)
    np.testing.assert_array_equal(
        plain.cv_results_["mean_test_score"], alone.cv_results_["mean_test_right"]
    )
    for search in (many, plain):
        np.testing.assert_array_equal(search.best_estimator_.coef_, alone.best_estimator_.coef_)


@pytest.mark.parametrize(
    ("class_weight", "weighted"), [("balanced", True), ({"a": 5.0, "b": 1.0, "c": 0.2}, False)]
)
def test_several_weighed_classes_are_as_from_linear_svc(class_weight, weighted):
    X, y = make_blobs(120, 4, centers=3, cluster_std=4.0, random_state=0)
    y = np.array(["a", "b", "c"])[y]
    y[:20] = "a"
    given = {"sample_weight": 0.5 + np.arange(120) % 3} if weighted else {}
    kwargs = {"cv": StratifiedKFold(4), "scoring": ["accuracy", "f1_macro"], "refit": "accuracy"}
    search = L1LinearSVCSearchCV(CS, class_weight=class_weight, **kwargs).fit(X, y, **given)
    svc = LinearSVC(penalty="l1", dual=False, tol=1e-9, max_iter=10**4, class_weight=class_weight)
    reference = GridSearchCV(svc, {"C": CS}, **kwargs).fit(X, y, **given)
    for key in ("accuracy", "f1_macro"):
        for k in range(4):
            name = f"split{k}_test_{key}"
            np.testing.assert_allclose(search.cv_results_[name], reference.cv_results_[name])
    assert search.best_params_ == reference.best_params_
    ours, theirs = search.best_estimator_.coef_, reference.best_estimator_.coef_
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("score", [None, [0.5], "0.5", np.ones(3), {"a": 0.5, "b": None}])
def test_a_score_that_is_no_number_is_an_error(problem, score, jobs):
    search = L1LinearSVCSearchCV(CS, cv=3, n_jobs=jobs, refit=False, scoring=lambda *_: score)
    with pytest.raises(ValueError, match="scoring must return a number, got"):
        search.fit(*problem)


@pytest.mark.parametrize("score", [np.float32(0.5), np.array(0.5), np.array([0.5]), 1, True])
def test_a_score_may_be_a_number_of_any_kind(problem, score):
    search = L1LinearSVCSearchCV(CS, cv=3, scoring=lambda *_: score).fit(*problem)
    assert (search.cv_results_["mean_test_score"] == float(np.sum(score))).all()


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "scores",
    [
        {0.02: np.nan, 0.1: 0.5, 0.3: 0.4},
        {0.02: np.nan, 0.1: np.nan, 0.3: np.nan},
        {0.02: -np.inf, 0.1: np.nan, 0.3: 0.1},
        {0.02: -np.inf, 0.1: np.nan, 0.3: -np.inf},
        {0.02: np.inf, 0.1: 0.5, 0.3: np.nan},
    ],
)
def test_scores_that_are_not_finite_are_warned_about_and_ranked_as_by_grid_search_cv(
    problem, scores, jobs
):
    kwargs = {"cv": 3, "scoring": lambda est, X, y: scores[est.C], "return_train_score": True}
    search = L1LinearSVCSearchCV(CS, n_jobs=jobs, **kwargs)
    with pytest.warns(UserWarning, match="One or more of the") as caught:
        search.fit(*problem)
    messages = [str(warning.message).split(":")[0] for warning in caught]
    assert messages == [f"One or more of the {part} scores are non-finite" for part in PARTS]
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = exhaustive(**kwargs).fit(*problem)
    assert_same_results(search, reference)


def test_scorers_of_several_metrics_are_kept_by_name(problem):
    X, y = problem
    scoring = {"a": "accuracy", "b": make_scorer(f1_score)}
    for given in (scoring, ["accuracy", "f1"]):
        name = next(iter(given))
        search = L1LinearSVCSearchCV(CS, cv=3, scoring=given, refit=name).fit(X, y)
        reference = exhaustive(cv=3, scoring=given, refit=name).fit(X, y)
        assert set(search.scorer_) == set(reference.scorer_)
        assert search.score(X, y) == accuracy_score(y, search.predict(X))


def test_of_several_scorers_each_that_takes_no_weights_warns(problem):
    X, y = problem
    deaf = make_scorer(lambda y, predicted: 0.5)
    kwargs = {"cv": 3, "scoring": {"a": "accuracy", "b": deaf}, "refit": "a"}
    weights = {"sample_weight": 0.5 + np.arange(len(y)) % 3}
    with pytest.warns(UserWarning, match="scoring b takes no sample_weight") as caught:
        search = L1LinearSVCSearchCV(CS, **kwargs).fit(X, y, **weights)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match="does not support sample_weight"):
        reference = exhaustive(**kwargs).fit(X, y, **weights)
    assert_same_results(search, reference)


def test_no_folds_are_none(problem):
    with pytest.raises(ValueError, match="cv must give at least one split"):
        L1LinearSVCSearchCV(CS, cv=[]).fit(*problem)


def test_training_rows_without_weight_are_refused(problem):
    X, y = problem
    half = np.arange(len(y)) % 2
    cv = [(np.flatnonzero(half == k), np.flatnonzero(half != k)) for k in range(2)]
    with pytest.raises(ValueError, match="No sample of these classes has a positive sample_weight"):
        L1LinearSVCSearchCV(CS, cv=cv).fit(X, y, sample_weight=half)


def test_a_refit_that_began_at_another_c_is_done_again(problem):
    X, y = problem
    last = X[list(StratifiedKFold(5).split(X, y))[-1][1]]

    def contrary(estimator, X, y):
        return 100.0 * estimator.C if np.array_equal(X, last) else -estimator.C

    many = L1LinearSVCSearchCV(CS, cv=5, scoring=contrary, n_jobs=2).fit(X, y)
    assert many.best_params_ == {"C": max(CS)}
    alone = L1LinearSVC(max(CS)).fit(X, y)
    np.testing.assert_allclose(many.best_estimator_.coef_, alone.coef_, atol=1e-12)


def wait_until_it_joins(thread):
    """Until this thread waits for others to end."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        frame = sys._current_frames()[thread.ident]
        while frame is not None:
            if frame.f_code is threading.Thread.join.__code__:
                return
            frame = frame.f_back
    raise TimeoutError("the caller does not wait for the folds that have begun")


@pytest.mark.parametrize("failing", [0, 1])
def test_after_an_error_no_fold_begins(problem, failing):
    X, y = problem
    tests = [X[test] for _, test in StratifiedKFold(10).split(X, y)]
    begun, caller = [], threading.current_thread()

    def score(estimator, X, y):
        begun.append(estimator.C)
        if not np.array_equal(X, tests[failing]):
            wait_until_it_joins(caller)  # it has heard of the error then
        raise ArithmeticError("no score")

    with pytest.raises(ArithmeticError, match="no score"):
        L1LinearSVCSearchCV(CS, cv=10, scoring=score, n_jobs=2).fit(X, y)
    assert len(begun) <= 3


def test_steps_are_counted_and_seconds_are_those_of_the_clock(problem):
    """Those of the refit are the search's; without one, the most of any fit are."""
    began = time.perf_counter()
    search = L1LinearSVCSearchCV([0.02, 2.0, 50.0], cv=3, refit=lambda results: 0).fit(*problem)
    took = time.perf_counter() - began
    seconds = sum(search.cv_results_[f"mean_{part}_time"].sum() for part in ("fit", "score"))
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert 3 * seconds + search.refit_time_ <= took
    most = max(search.cv_results_[f"split{k}_n_iter"].max() for k in range(3))
    assert search.n_iter_ == search.best_estimator_.n_iter_ < most
    assert search.set_params(refit=False).fit(*problem).n_iter_ == most


def test_verbose_says_each_fit(problem, capsys):
    L1LinearSVCSearchCV(CS, cv=3, verbose=1).fit(*problem)
    out = capsys.readouterr().out
    assert "3 folds, 3 values of C" in out
    assert out.count("non-zero, gap") == 9
    assert "[fold 3/3] C=0.02: score 0." in out


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("classes", "problems"), [(2, 1), (3, 3)])
def test_the_callback_is_called_after_each_fit_of_a_fold(problem, jobs, classes, problems):
    X, _ = problem
    called = []
    search = L1LinearSVCSearchCV(CS, cv=4, n_jobs=jobs)
    search.fit(X, np.arange(len(X)) % classes, callback=lambda: called.append(1))
    assert len(called) == 4 * len(CS) * problems


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"Cs": [0.1, -1.0]}, "Cs must be positive numbers"),
        ({"Cs": []}, "Cs must be positive numbers"),
        ({"scoring": "beauty"}, "The 'scoring' parameter"),
        ({"scoring": ["accuracy", "f1"], "refit": True}, "refit must be False, a callable"),
    ],
)
def test_parameters_are_checked(problem, bad, message):
    with pytest.raises(ValueError, match=message):
        L1LinearSVCSearchCV(**bad).fit(*problem)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_refit_keeps_the_names_of_the_columns(problem, named_columns, jobs):
    search = L1LinearSVCSearchCV(CS, cv=3, n_jobs=jobs).fit(*problem)
    for estimator in (search, search.best_estimator_, to_linear_svc(search)):
        np.testing.assert_array_equal(estimator.feature_names_in_, named_columns)
        assert estimator.n_features_in_ == 12


RESULTS = {
    "params": [{}, {}, {}],
    "mean_test_a": np.array([0.5, 0.9, 0.9]),
    "rank_test_a": np.array([3, 1, 1]),
    "mean_test_b": np.array([0.9, 0.1, 0.2]),
    "rank_test_b": np.array([1, 3, 2]),
}


@pytest.mark.parametrize(
    ("refit", "error", "message"),
    [
        (True, ValueError, r"refit must be False, .* one of \['a', 'b'\], got True"),
        ("c", ValueError, "got 'c'"),
        (lambda results: 1.0, TypeError, "not an integer"),
        (lambda results: 3, IndexError, "out of range"),
        (lambda results: -1, IndexError, "out of range"),
    ],
)
def test_what_names_no_best_is_refused(refit, error, message):
    with pytest.raises(error, match=message):
        best_index(RESULTS, refit, multimetric=True)


def test_a_callable_refit_is_asked_once(problem):
    asked = []
    search = L1LinearSVCSearchCV(CS, cv=3, refit=lambda results: asked.append(results) or 2)
    search.fit(*problem)
    assert len(asked) == 1
    assert search.best_params_ == {"C": CS[2]} == {"C": search.best_estimator_.C}
    assert not hasattr(search, "best_score_")


def test_without_refit_there_is_nothing_to_predict_with(problem):
    search = L1LinearSVCSearchCV(CS, refit=False).fit(*problem)
    assert not hasattr(search, "predict")
    assert not hasattr(search, "best_estimator_")
    assert search.best_params_["C"] in CS


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks():
    """No expected failures, where GridSearchCV has two: y is checked here."""
    check_estimator(L1LinearSVCSearchCV([0.01, 0.1, 1.0], cv=2))
