"""Stage train: the model."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from stages.labels import signs
from stages.params import Train
from stages.train import NotConvergedError, fit, metrics, objective

PARAMS = Train(C=None, tol=1e-8, max_iter=100_000, random_state=0)


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


def test_the_objective_by_hand() -> None:
    model = LinearSVC(C=0.5)
    model.coef_, model.intercept_ = np.array([[2.0, -1.0]]), np.array([0.5])
    model.classes_ = np.array([-1, 1])
    X, s = np.array([[0.5, 0.0], [0.0, 1.0]]), np.array([1, 1])
    # decision values 1.5 and -0.5, slacks 0 and 1.5
    assert objective(model, X, s) == 2.0 + 1.0 + 0.5 + 0.5 * 1.5**2


def test_the_weights_are_optimal(digits) -> None:
    """No step along any axis makes the objective smaller."""
    X, y = digits(100)
    classes = np.array([5, 8])
    model = fit(X, y, classes, 0.3, PARAMS)
    s = signs(y, classes)
    best = objective(model, X, s)
    assert metrics(model, X, s)["objective"] == best
    assert np.count_nonzero(model.coef_) > 0
    for j in range(195, 245):
        for step in (-1e-3, 1e-3):
            model.coef_[0, j] += step
            assert objective(model, X, s) >= best - 1e-9
            model.coef_[0, j] -= step


def test_a_fit_that_does_not_converge_is_named(digits) -> None:
    X, y = digits(100)
    params = PARAMS.model_copy(update={"max_iter": 3})
    with pytest.raises(NotConvergedError, match=r"C=20\.0.*train\.max_iter=3"):
        fit(X, y, np.array([5, 8]), 20.0, params)
