"""Stage train: the model."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from stages.canonical import DECIMALS
from stages.convergence import NotConvergedError
from stages.labels import signs
from stages.params import Train
from stages.train import fit, metrics

PARAMS = Train(C=None, solver="newton", tol=1e-8, max_iter=100_000, random_state=0)


@pytest.mark.parametrize("classes", [[5, 8], [8, 5]])
def test_it_predicts_digits_and_positive_means_the_second_class(digits, classes) -> None:
    X, y = digits(100)
    classes = np.array(classes, dtype=np.uint8)
    model = fit(X, y, classes, 1.0, PARAMS)
    assert type(model) is LinearSVC
    assert model.score(X, y) == 1.0
    np.testing.assert_array_equal(model.decision_function(X) > 0, y == classes[1])


def test_swapped_classes_mirror_the_weights(digits) -> None:
    X, y = digits(100)
    one = fit(X, y, np.array([5, 8]), 0.1, PARAMS)
    other = fit(X, y, np.array([8, 5]), 0.1, PARAMS)
    np.testing.assert_allclose(one.coef_, -other.coef_, atol=1e-4)


def test_both_solvers_find_the_same_weights(digits) -> None:
    X, y = digits(100)
    classes = np.array([5, 8])
    one = fit(X, y, classes, 0.3, PARAMS)
    other = fit(X, y, classes, 0.3, PARAMS.model_copy(update={"solver": "liblinear"}))
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-5)
    assert np.count_nonzero(one.coef_) > 0
    assert metrics(one, X, signs(y, classes))["relative_duality_gap_at_most"] <= 1e-8


def test_saved_weights_have_no_digit_beyond_the_rounding(digits) -> None:
    X, y = digits(100)
    model = fit(X, y, np.array([5, 8]), 0.3, PARAMS)
    np.testing.assert_array_equal(model.coef_, model.coef_.round(DECIMALS))
    np.testing.assert_array_equal(model.intercept_, model.intercept_.round(DECIMALS))


@pytest.mark.parametrize(("solver", "max_iter"), [("liblinear", 3), ("newton", 1)])
def test_a_fit_that_does_not_converge_is_named(digits, solver: str, max_iter: int) -> None:
    X, y = digits(100)
    params = PARAMS.model_copy(update={"max_iter": max_iter, "solver": solver})
    with pytest.raises(NotConvergedError, match=rf"C=20\.0: {solver} .*max_iter={max_iter}"):
        fit(X, y, np.array([5, 8]), 20.0, params)
