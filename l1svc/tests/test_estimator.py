import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_blobs
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from l1svc import (
    L1LinearSVC,
    L1LinearSVCSearchCV,
    bootstrap,
    objective,
    relative_duality_gap,
    to_linear_svc,
)
from l1svc.certificate import certify
from l1svc.tests.cone import cone_optimum
from l1svc.tests.rules import examples


def liblinear(X, y, C, sample_weight=None, **kwargs):
    """LIBLINEAR at a tolerance so tight that its weights are right to about 1e-7."""
    svc = LinearSVC(C=C, penalty="l1", dual=False, tol=1e-9, max_iter=10**4, random_state=0)
    svc.set_params(**kwargs).fit(X, y, sample_weight)
    gap = relative_duality_gap(
        svc.coef_,
        svc.intercept_ if svc.fit_intercept else None,
        C,
        X,
        y,
        intercept_scaling=svc.intercept_scaling,
        sample_weight=sample_weight,
        class_weight=svc.class_weight,
    )
    assert gap < 1e-7
    return svc


def certified(fit, X, y, **kwargs):
    """Whether the public certificate, computed afresh, holds at 1e-8."""
    return relative_duality_gap(fit.coef_, fit.intercept_, fit.C, X, y, **kwargs) <= 1e-8


@examples(30)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(4, 60),
    p=st.integers(1, 40),
    C=st.floats(1e-3, 1e3),
    share=st.floats(0.05, 0.95),
    weighted=st.booleans(),
)
def test_optimum_is_the_cone_solvers(seed, n, p, C, share, weighted):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, rng.random(p) < 0.1] = 0.0  # all-zero columns
    X[:, rng.random(p) < 0.1] = 2.0  # constant columns
    y = np.where(rng.random(n) < share, 1, -1)
    y[:2] = -1, 1
    sample_weight = rng.integers(1, 4, size=n).astype(float) if weighted else np.ones(n)
    fit = L1LinearSVC(C=C).fit(X, y, sample_weight)
    assert fit.duality_gap_ <= 1e-8
    assert certified(fit, X, y, sample_weight=sample_weight)
    value = objective(fit.coef_, fit.intercept_, C, X, y, sample_weight=sample_weight)
    assert value == pytest.approx(cone_optimum(X, y, C, sample_weight), rel=1e-6)


@pytest.mark.parametrize("C", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("class_weight", [None, "balanced", {1: 5.0}])
def test_weights_are_liblinears(problem, C, class_weight):
    X, y = problem
    fit = L1LinearSVC(C=C, class_weight=class_weight).fit(X, y)
    reference = liblinear(X, y, C, class_weight=class_weight)
    assert np.count_nonzero(fit.coef_) > 0
    np.testing.assert_allclose(fit.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_allclose(fit.intercept_, reference.intercept_, atol=1e-6)
    np.testing.assert_array_equal(fit.coef_ == 0, reference.coef_ == 0)


@pytest.mark.parametrize("intercept", [{"fit_intercept": False}, {"intercept_scaling": 10.0}])
def test_intercept_is_liblinears(problem, intercept):
    X, y = problem
    X = X + 1.0
    fit = L1LinearSVC(C=0.2, **intercept).fit(X, y)
    reference = liblinear(X, y, 0.2, **intercept)
    np.testing.assert_allclose(fit.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_allclose(fit.intercept_, np.ravel(reference.intercept_), atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "class_weight", [None, "balanced", {"a": 5.0, "c": 0.2}, {"a": 0.0, "b": 1, "c": 2, "d": 3}]
)
def test_several_classes_are_liblinears(class_weight, weighted):
    """Each class weighs where it is the positive one, and only there."""
    X, y = make_blobs(150, 5, centers=4, cluster_std=4.0, random_state=0)
    labels = np.array(["a", "b", "c", "d"])[y]
    labels[:20] = "a"  # or "balanced" would weigh all alike
    sample_weight = 0.5 + np.arange(150) % 3 if weighted else None
    fit = L1LinearSVC(C=0.05, class_weight=class_weight).fit(X, labels, sample_weight)
    reference = liblinear(X, labels, 0.05, sample_weight, class_weight=class_weight)
    assert fit.duality_gap_ <= 1e-8
    np.testing.assert_allclose(fit.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_allclose(fit.intercept_, reference.intercept_, atol=1e-6)
    np.testing.assert_array_equal(fit.predict(X), reference.predict(X))


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_a_class_without_weight_might_as_well_not_be_there(class_weight):
    X, y = make_blobs(90, 3, centers=3, cluster_std=3.0, random_state=1)
    for lacking in range(3):
        kept = y != lacking
        fit = L1LinearSVC(class_weight=class_weight).fit(X, y, sample_weight=kept.astype(float))
        left = class_weight
        if isinstance(left, dict):
            left = {label: factor for label, factor in left.items() if label != lacking}
        part = L1LinearSVC(class_weight=left).fit(X[kept], y[kept])
        np.testing.assert_array_equal(fit.classes_, part.classes_)
        np.testing.assert_allclose(fit.coef_, part.coef_, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced", {1: 2.0}])
def test_where_one_class_has_all_the_weight_it_is_the_answer(n_classes, class_weight):
    """LIBLINEAR goes on too (and answers with the last class, whichever has the weight)."""
    X, y = make_blobs(90, 3, centers=n_classes, cluster_std=3.0, random_state=1)
    for only in range(n_classes):
        sample_weight = (y == only).astype(float)
        fit = L1LinearSVC(class_weight=class_weight).fit(X, y, sample_weight)
        assert list(fit.classes_) == list(range(n_classes))
        assert fit.duality_gap_ <= 1e-8
        assert (fit.predict(X[y == only]) == only).all()


@pytest.mark.parametrize("estimator", [L1LinearSVC(0.1), L1LinearSVCSearchCV([0.1, 1.0], cv=2)])
def test_bagging_goes_on_where_a_sample_lacks_classes(estimator):
    """It draws rows by weights."""
    rng = np.random.default_rng(0)
    for counts in ([40, 18, 2], [58, 2]):
        X, y = rng.normal(size=(60, 3)), np.repeat(["a", "b", "c"][: len(counts)], counts)
        bags = BaggingClassifier(estimator, n_estimators=8, random_state=0).fit(X, y)
        assert set(y[:-2]) in [set(y[rows]) for rows in bags.estimators_samples_]
        assert np.mean(bags.predict(X) == y) > 0.6


def selected(estimator, X, y, **kwargs):
    return SelectFromModel(estimator, **kwargs).fit(X, y).get_support()


def test_select_from_model_picks_the_features_that_have_a_weight():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    for C, n in ((0.01, 7), (0.0001, 0)):
        picked = selected(L1LinearSVC(C), X, y)
        assert picked.sum() == n
        np.testing.assert_array_equal(picked, np.abs(L1LinearSVC(C).fit(X, y).coef_[0]) >= 1e-5)
        svc = LinearSVC(C=C, penalty="l1", dual=False, tol=1e-6, max_iter=10**4, random_state=0)
        np.testing.assert_array_equal(picked, selected(svc, X, y))
        search = L1LinearSVCSearchCV([C], cv=2)
        getter = {"importance_getter": "best_estimator_.coef_"}
        np.testing.assert_array_equal(picked, selected(search, X, y, **getter))
    assert clone(L1LinearSVC(C)).penalty == "l1"
    assert "penalty" not in L1LinearSVC().get_params()


def test_equal_columns_have_no_unique_optimum_but_a_certified_one(problem):
    X, y = problem
    single = L1LinearSVC(C=0.5).fit(X, y)
    doubled = L1LinearSVC(C=0.5).fit(np.hstack([X, X, X[:, :2]]), y)
    assert doubled.duality_gap_ <= 1e-8
    merged = doubled.coef_[:, :12] + doubled.coef_[:, 12:24]
    merged[:, :2] += doubled.coef_[:, 24:]
    np.testing.assert_allclose(merged, single.coef_, atol=1e-6)


def test_where_nothing_can_be_learned_all_weights_are_zero(capfd):
    X, y = np.zeros((3000, 4)), np.arange(3000) % 2
    for fit_intercept in (True, False):
        fit = L1LinearSVC(fit_intercept=fit_intercept).fit(X, y)
        assert not fit.coef_.any()
        assert fit.duality_gap_ == 0.0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array])
def test_sparse_input_gives_the_dense_weights(container):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(3200, 30)) * (rng.random((3200, 30)) < 0.2)
    y = np.where(X[:, :5].sum(axis=1) + rng.normal(size=3200) > 0, 1, -1)
    sample_weight = rng.random(3200)
    dense = L1LinearSVC(C=0.05).fit(X, y, sample_weight)
    fit = L1LinearSVC(C=0.05).fit(container(X), y, sample_weight)
    assert np.count_nonzero(dense.coef_) > 3
    np.testing.assert_allclose(fit.coef_, dense.coef_, atol=1e-12)


def test_float32_is_computed_in_float64(problem):
    X, y = problem
    X32 = X.astype(np.float32)
    fit = L1LinearSVC().fit(X32, y)
    assert fit.coef_.dtype == np.float64
    np.testing.assert_array_equal(fit.coef_, L1LinearSVC().fit(X32.astype(np.float64), y).coef_)


def test_rows_of_zero_weight_might_as_well_not_be_there(problem):
    X, y = problem
    kept = np.arange(len(y)) % 4 > 0
    full = L1LinearSVC(C=0.5).fit(X, y, sample_weight=kept.astype(float))
    part = L1LinearSVC(C=0.5).fit(X[kept], y[kept])
    np.testing.assert_allclose(full.coef_, part.coef_, atol=1e-13)


def changed_data(rng, like=None):
    """X of 40 rows, some columns all zero or on another scale, and y; ``like`` has its shape."""
    X = rng.normal(size=(40, rng.integers(2, 12)) if like is None else like.shape)
    X[:, rng.random(X.shape[1]) < 0.3] = 0.0
    X *= 10.0 ** rng.integers(-2, 3, size=X.shape[1])
    y = rng.integers(0, rng.integers(2, 4), size=40)
    y[:2] = 0, 1
    return X, y


@examples(12)
@given(seed=st.integers(0, 2**32 - 1), same_shape=st.booleans(), as_sparse=st.booleans())
def test_from_wherever_a_warm_start_comes_it_ends_at_the_optimum(seed, same_shape, as_sparse):
    """Columns become all zero and appear, rows, classes and the intercept's settings change."""
    rng = np.random.default_rng(seed)
    X = changed_data(rng)[0]
    warm = L1LinearSVC(warm_start=True)
    for _ in range(4):
        X, y = changed_data(rng, X if same_shape else None)
        warm.set_params(
            C=10.0 ** rng.integers(-2, 2),
            fit_intercept=bool(rng.random() < 0.7),
            intercept_scaling=rng.choice([1.0, 10.0]),
        )
        warm.fit(sparse.csr_matrix(X) if as_sparse else X, y)
        scaling = {"intercept_scaling": warm.intercept_scaling}
        intercept = warm.intercept_ if warm.fit_intercept else None
        assert relative_duality_gap(warm.coef_, intercept, warm.C, X, y, **scaling) <= 1e-8
        assert not warm.coef_[:, ~X.any(axis=0)].any()
        if rng.random() < 0.3:
            warm.sparsify()


@pytest.mark.parametrize("value", [np.nan, 1e300])
def test_a_warm_start_from_nonsense_is_a_cold_one(problem, value):
    X, y = problem
    fit = L1LinearSVC(warm_start=True).fit(X, y)
    expected = fit.coef_
    fit.coef_ = np.full_like(expected, value)
    np.testing.assert_allclose(fit.fit(X, y).coef_, expected, atol=1e-12)


def test_the_warning_says_what_helps(problem):
    X, y = problem
    few = r"in 1 of max_iter=1 Newton steps\. Raise max_iter"
    with pytest.warns(ConvergenceWarning, match=few):
        L1LinearSVC(C=10.0, max_iter=1).fit(X, y)
    for fits in (
        L1LinearSVC(tol=1e-300),
        L1LinearSVCSearchCV([1.0], cv=2, tol=1e-300),
    ):
        with pytest.warns(
            ConvergenceWarning, match="A larger max_iter does not help, .* one scale"
        ):
            fits.fit(X, y)
    with pytest.warns(ConvergenceWarning, match=r"in [2-9] of max_iter=1000 .* one scale"):
        bootstrap(X, y, 1.0, 2, tol=1e-300)


@pytest.mark.parametrize(
    "fits", [L1LinearSVC(0.3, max_iter=20), L1LinearSVCSearchCV([0.3], cv=2, max_iter=20)]
)
def test_a_gap_of_nan_never_passes(problem, fits, monkeypatch):
    """Whatever it came from: here the certificate itself says it."""

    def certify_nan(*problem):
        primal, gap, products = certify(*problem)
        return primal, np.full_like(gap, np.nan), products

    monkeypatch.setattr("l1svc.path.certify", certify_nan)
    with pytest.warns(ConvergenceWarning, match="relative duality gap of nan") as caught:
        fits.fit(*problem)
    assert caught[0].filename == __file__
    one = getattr(fits, "best_estimator_", fits)
    assert np.isnan(one.duality_gap_)


def test_linear_svc_of_the_same_weights(problem):
    X, y = problem
    fit = L1LinearSVC(C=0.3).fit(X, y)
    svc = pickle.loads(pickle.dumps(to_linear_svc(fit)))
    assert type(svc) is LinearSVC
    assert svc.C == 0.3
    assert svc.penalty == "l1"
    np.testing.assert_array_equal(svc.decision_function(X), fit.decision_function(X))
    svc.coef_[:] = 0.0
    assert fit.coef_.any()


def test_linear_svc_keeps_the_names_of_the_columns(problem, named_columns):
    fit = L1LinearSVC(C=0.3).fit(*problem)
    svc = to_linear_svc(fit)
    np.testing.assert_array_equal(svc.feature_names_in_, named_columns)
    assert svc.feature_names_in_ is not fit.feature_names_in_
    assert svc.n_features_in_ == 12


def test_linear_svc_of_unnamed_columns_has_no_names(problem):
    assert not hasattr(to_linear_svc(L1LinearSVC(C=0.3).fit(*problem)), "feature_names_in_")


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks():
    """No expected failures, where LinearSVC has three: our weights are exact, n_iter_ is ours."""
    check_estimator(L1LinearSVC())
