"""Stage train: the model."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from l1svc import objective
from pipeline.artifacts import load_metrics, load_object, save_object
from pipeline.errors import NotConvergedError
from pipeline.params import Train
from pipeline.rounding import round_weights
from pipeline.solvers import SOLVERS
from stages.preprocess import signs
from stages.train import fit, main, metrics

PARAMS = Train(C=None, choose="grid", solver="newton", tol=1e-8, max_iter=100_000, random_state=0)


@pytest.mark.parametrize("classes", [[5, 8], [8, 5]])
def test_it_predicts_digits_and_positive_means_the_second_class(digits, classes) -> None:
    X, y = digits(100)
    classes = np.array(classes, dtype=np.uint8)
    model = fit(X, signs(y, classes), classes, 1.0, PARAMS)
    assert type(model) is LinearSVC
    assert model.C == 1.0
    assert model.score(X, y) == 1.0
    assert model.classes_.dtype == np.int64
    np.testing.assert_array_equal(model.decision_function(X) > 0, y == classes[1])


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_same_weights(digits, solver: str) -> None:
    X, y = digits(100)
    classes = np.array([5, 8])
    one = fit(X, signs(y, classes), classes, 0.3, PARAMS)
    other = fit(X, signs(y, classes), classes, 0.3, PARAMS.model_copy(update={"solver": solver}))
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(one.intercept_, other.intercept_, atol=1e-5)
    assert np.count_nonzero(one.coef_) > 0


def test_metrics_say_c_objective_and_certificate_of_the_weights_as_saved(digits) -> None:
    X, y = digits(100)
    classes = np.array([5, 8])
    model = fit(X, signs(y, classes), classes, 0.3, PARAMS)
    s = signs(y, classes)
    exact = objective(model.coef_, model.intercept_, 0.3, X, s)
    got = metrics(model, X, s)
    assert got["C"] == 0.3
    assert got["objective"] == round(exact, 9) != exact
    assert -10 <= got["log10_duality_gap_at_most"] <= -8
    model.coef_ = model.coef_ * 1.5
    assert metrics(model, X, s)["log10_duality_gap_at_most"] > -3
    assert list(got) == ["C", "objective", "log10_duality_gap_at_most"]


def test_saved_weights_have_no_digit_beyond_the_rounding(digits) -> None:
    X, y = digits(100)
    model = fit(X, signs(y, np.array([5, 8])), np.array([5, 8]), 0.3, PARAMS)
    np.testing.assert_array_equal(model.coef_, round_weights(model.coef_))
    np.testing.assert_array_equal(model.intercept_, round_weights(model.intercept_))
    assert not hasattr(model, "n_iter_")


@pytest.mark.parametrize(("solver", "max_iter"), [("liblinear", 3), ("newton", 1)])
def test_a_fit_that_does_not_converge_is_named(digits, solver: str, max_iter: int) -> None:
    X, y = digits(100)
    params = PARAMS.model_copy(update={"max_iter": max_iter, "solver": solver})
    expected = (
        rf"train: C=20\.0: {solver} did not .* tol=1e-08 in train\.max_iter={max_iter}; allowed"
    )
    with pytest.raises(NotConvergedError, match=expected):
        fit(X, signs(y, np.array([5, 8])), np.array([5, 8]), 20.0, params)


@pytest.mark.parametrize(
    ("given", "choose", "used"),
    [(None, "grid", 0.3), (None, "sparsest", 0.1), (None, "exact", 0.23), (0.05, "exact", 0.05)],
)
def test_the_stage_fits_at_the_chosen_c_unless_one_is_given(
    project, preprocessed, given: float | None, choose: str, used: float
) -> None:
    found = {"best_params_": 0.3, "sparsest_params_": 0.1, "exact_params_": 0.23}
    save_object(Path("data/gridsearch.joblib"), {name: {"C": C} for name, C in found.items()})
    params = project("train", C=given, choose=choose)
    main(params)
    X, y, classes = (preprocessed[name] for name in ("X_train", "y_train", "classes"))
    expected = fit(
        X, signs(y, classes), classes, used, PARAMS.model_copy(update={"max_iter": 10_000})
    )
    saved = load_object(Path("data/model.joblib"))
    assert type(saved) is LinearSVC
    assert used == saved.C
    np.testing.assert_array_equal(saved.coef_, expected.coef_)
    np.testing.assert_array_equal(saved.intercept_, expected.intercept_)
    assert saved.classes_.tolist() == [8, 5]
    s = np.where(y == 5, 1, -1)
    assert load_metrics(Path("metrics/train.json")) == metrics(expected, X, s)
