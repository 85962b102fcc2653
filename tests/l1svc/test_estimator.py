import pickle
import warnings

import clarabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC, l1_min_c
from sklearn.utils.estimator_checks import check_estimator

from l1svc import L1LinearSVC, objective, relative_duality_gap, to_linear_svc


def cone_optimum(X, y, C, sample_weight):
    """min P(w), by an interior-point cone solver: variables w, u ≥ |w|, b ≥ 1 − y·X̃w, b ≥ 0."""
    X = np.column_stack([X, np.ones(len(y))])
    n, q = X.shape
    P = sparse.block_diag(
        [sparse.csc_matrix((2 * q, 2 * q)), sparse.diags(2 * C * sample_weight)], format="csc"
    )
    cost = np.concatenate([np.zeros(q), np.ones(q), np.zeros(n)])
    eye, none = sparse.eye(q), sparse.csc_matrix((q, n))
    constraints = sparse.bmat(
        [
            [eye, -eye, none],
            [-eye, -eye, none],
            [sparse.csc_matrix(-y[:, None] * X), sparse.csc_matrix((n, q)), -sparse.eye(n)],
            [sparse.csc_matrix((n, q)), sparse.csc_matrix((n, q)), -sparse.eye(n)],
        ],
        format="csc",
    )
    bounds = np.concatenate([np.zeros(2 * q), -np.ones(n), np.zeros(n)])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    cones = [clarabel.NonnegativeConeT(len(bounds))]
    return clarabel.DefaultSolver(P, cost, constraints, bounds, cones, settings).solve().obj_val


def liblinear(X, y, C, **kwargs):
    """LIBLINEAR at a tolerance so tight that its weights are right to about 1e-7."""
    svc = LinearSVC(C=C, penalty="l1", dual=False, tol=1e-9, max_iter=10**4, random_state=0)
    svc.set_params(**kwargs).fit(X, y)
    intercept = svc.intercept_ if svc.fit_intercept else None
    if svc.class_weight is None:
        scaling = svc.intercept_scaling
        gap = relative_duality_gap(svc.coef_, intercept, C, X, y, intercept_scaling=scaling)
        assert gap < 1e-7
    return svc


def certified(fit, X, y, **kwargs):
    """Whether the public certificate, computed afresh, holds at 1e-8."""
    return relative_duality_gap(fit.coef_, fit.intercept_, fit.C, X, y, **kwargs) <= 1e-8


@settings(max_examples=40, deadline=None)
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


def test_several_classes_are_liblinears():
    X, y = make_blobs(150, 5, centers=4, cluster_std=4.0, random_state=0)
    labels = np.array(["a", "b", "c", "d"])[y]
    fit = L1LinearSVC(C=0.05).fit(X, labels)
    reference = liblinear(X, labels, 0.05)
    np.testing.assert_allclose(fit.coef_, reference.coef_, atol=1e-6)
    np.testing.assert_array_equal(fit.predict(X), reference.predict(X))


def test_more_columns_than_rows_and_than_the_gram_matrix_holds():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(80, 1500))
    y = np.where(X[:, :3].sum(axis=1) > 0, 1, -1)
    for C in (0.01, 1.0, 100.0):
        fit = L1LinearSVC(C=C).fit(X, y)
        assert certified(fit, X, y)
    assert 0 < np.count_nonzero(fit.coef_) < 80


def test_equal_columns_have_no_unique_optimum_but_a_certified_one(problem):
    X, y = problem
    single = L1LinearSVC(C=0.5).fit(X, y)
    doubled = L1LinearSVC(C=0.5).fit(np.hstack([X, X, X[:, :2]]), y)
    assert doubled.duality_gap_ <= 1e-8
    merged = doubled.coef_[:, :12] + doubled.coef_[:, 12:24]
    merged[:, :2] += doubled.coef_[:, 24:]
    np.testing.assert_allclose(merged, single.coef_, atol=1e-6)


def test_separable_at_large_c():
    X, y = make_blobs(300, 10, centers=2, cluster_std=1.0, random_state=1)
    fit = L1LinearSVC(C=1e4).fit(X, y)
    assert fit.duality_gap_ <= 1e-8
    assert certified(fit, X, y)
    assert fit.score(X, y) == 1.0


def test_smallest_c_that_leaves_zero_is_l1_min_c(problem):
    X, y = problem
    bound = l1_min_c(X, y, loss="squared_hinge")
    below, above = (L1LinearSVC(C=f * bound).fit(X, y) for f in (1 - 1e-6, 1 + 1e-3))
    assert not below.coef_.any()
    assert not below.intercept_.any()
    assert below.duality_gap_ <= 1e-8
    assert above.coef_.any() or above.intercept_.any()


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


def test_unbalanced_classes():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(5000, 8))
    y = np.where(np.arange(5000) < 7, 1, -1)
    X[y == 1] += 1.0
    for class_weight in (None, "balanced"):
        fit = L1LinearSVC(C=1.0, class_weight=class_weight).fit(X, y)
        assert fit.duality_gap_ <= 1e-8
        assert fit.coef_.any()


def test_rows_of_zero_weight_might_as_well_not_be_there(problem):
    X, y = problem
    kept = np.arange(len(y)) % 4 > 0
    full = L1LinearSVC(C=0.5).fit(X, y, sample_weight=kept.astype(float))
    part = L1LinearSVC(C=0.5).fit(X[kept], y[kept])
    np.testing.assert_allclose(full.coef_, part.coef_, atol=1e-13)


def test_warm_start_at_the_optimum_costs_next_to_nothing(problem):
    X, y = problem
    fit = L1LinearSVC(C=0.5, warm_start=True).fit(X, y)
    cold, coef = fit.n_iter_, fit.coef_
    assert fit.fit(X, y).n_iter_ <= 2 < cold
    np.testing.assert_allclose(fit.coef_, coef, atol=1e-14)
    assert fit.fit(X[:, :5], y).coef_.shape == (1, 5)


def test_repeated_fits_give_the_same_bits(problem):
    X, y = problem
    fits = [L1LinearSVC().fit(X, y) for _ in range(2)]
    assert fits[0].coef_.tobytes() == fits[1].coef_.tobytes()


def test_unreached_tolerance_warns_with_the_gap(problem):
    X, y = problem
    message = r"relative duality gap of \d\.\de.*max_iter=1"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        fit = L1LinearSVC(C=10.0, max_iter=1).fit(X, y)
    assert caught[0].filename == __file__
    assert fit.duality_gap_ > fit.tol
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        L1LinearSVC(C=10.0).fit(X, y)


@pytest.mark.parametrize(
    "bad", [{"C": 0.0}, {"tol": -1.0}, {"max_iter": 0}, {"class_weight": "even"}]
)
def test_parameters_are_checked(problem, bad):
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter"):
        L1LinearSVC(**bad).fit(*problem)


def test_negative_class_weight_is_refused(problem):
    with pytest.raises(ValueError, match="class_weight must not be negative"):
        L1LinearSVC(class_weight={1: -1.0}).fit(*problem)


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
