"""Stage gridsearch: the search over C."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from stages.gridsearch import NotConvergedError, metrics, search, validation_curve
from stages.params import GridSearch

PARAMS = GridSearch(
    C=[0.5, 0.01, 2],
    cv=3,
    scoring="accuracy",
    tol=1e-6,
    max_iter=100_000,
    random_state=0,
)


def test_it_is_grid_search_cv(digits) -> None:
    X, y = digits(90)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    peer = GridSearchCV(
        LinearSVC(penalty="l1", dual=False, tol=1e-6, max_iter=100_000, random_state=0),
        {"C": [0.5, 0.01, 2]},
        cv=3,
        return_train_score=True,
    ).fit(X, y)
    for key in ("mean_test_score", "mean_train_score", "std_test_score", "rank_test_score"):
        np.testing.assert_array_equal(found["cv_results_"][key], peer.cv_results_[key])
    assert found["best_params_"] == peer.best_params_
    assert found["best_score_"] == peer.best_score_
    assert found["best_index_"] == peer.best_index_


def test_no_time_is_kept(digits) -> None:
    X, y = digits(60)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    assert not [key for key in found["cv_results_"] if "time" in key]


def test_both_means() -> None:
    found = {
        "cv_results_": {
            "param_C": np.ma.array([0.1]),
            "split0_test_score": np.array([1.0]),
            "split1_test_score": np.array([0.5]),
            "mean_test_score": np.array([0.75]),
            "mean_train_score": np.array([0.9]),
            "std_test_score": np.array([0.25]),
            "mean_test_nonzero": np.array([3.0]),
        },
        "fold_sizes": [30, 10],
        "best_index_": 0,
        "best_params_": {"C": 0.1},
    }
    report = metrics(found)
    assert report["best"]["C"] == 0.1
    assert report["scores"]["C=0.1"]["mean_test_score"] == 0.75
    assert report["scores"]["C=0.1"]["weighted_mean_test_score"] == (30 * 1.0 + 10 * 0.5) / 40


def test_fold_sizes_are_the_test_rows(digits) -> None:
    X, y = digits(80)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    assert found["fold_sizes"] == [len(test) for _, test in StratifiedKFold(3).split(X, y)]


def test_a_fit_that_does_not_converge_is_named(digits) -> None:
    X, y = digits(90)
    params = PARAMS.model_copy(update={"C": [0.01, 50.0], "max_iter": 30})
    with pytest.raises(NotConvergedError) as caught:
        search(X, np.where(y == 8, 1, -1), params)
    assert "C=50.0, fold 1 of 3: not converged to tol=1e-06" in str(caught.value)
    assert "gridsearch.max_iter=30" in str(caught.value)


def test_the_curve_names_the_best_c_and_the_score(digits) -> None:
    X, y = digits(90)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    axes = validation_curve(found, "balanced_accuracy").axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "balanced accuracy"
    best = found["best_params_"]["C"]
    assert f"best C = {best:g}" in [text.get_text() for text in axes.texts]
    for line, kind in zip(axes.lines, ("train", "test"), strict=False):
        assert line.get_xdata().tolist() == [0.01, 0.5, 2]
        order = [1, 0, 2]
        expected = found["cv_results_"][f"mean_{kind}_score"][order]
        np.testing.assert_array_equal(line.get_ydata(), expected)
