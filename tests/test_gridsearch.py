"""Stage gridsearch: the search over C."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from stages.convergence import NotConvergedError
from stages.gridsearch import (
    metrics,
    score_steps,
    search,
    sparsest_within_one_error,
    validation_curve,
)
from stages.params import GridSearch, Scoring

PARAMS = GridSearch(
    C=[0.5, 0.01, 2],
    cv=3,
    scoring="accuracy",
    solver="liblinear",
    tol=1e-6,
    max_iter=100_000,
    random_state=0,
)


@pytest.mark.parametrize("solver", ["newton", "liblinear"])
def test_it_is_grid_search_cv(digits, solver: str) -> None:
    X, y = digits(90)
    params = PARAMS.model_copy(update={"solver": solver})
    found = search(X, np.where(y == 8, 1, -1), params)
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


def test_both_solvers_give_the_same_keys_and_none_that_differs_from_run_to_run(digits) -> None:
    X, y = digits(60)
    s = np.where(y == 8, 1, -1)
    one, other = (
        search(X, s, PARAMS.model_copy(update={"solver": solver}))["cv_results_"]
        for solver in ("newton", "liblinear")
    )
    assert sorted(one) == sorted(other)
    assert not [key for key in one if "time" in key or "n_iter" in key]
    np.testing.assert_array_equal(one["nonzero"], other["nonzero"])
    assert max(one[f"split{fold}_duality_gap"].max() for fold in range(3)) <= 1e-6


def test_both_means() -> None:
    found = {
        "cv_results_": {
            "param_C": np.ma.array([0.1]),
            "split0_test_score": np.array([1.0]),
            "split1_test_score": np.array([0.5]),
            "mean_test_score": np.array([0.75]),
            "mean_train_score": np.array([0.9]),
            "std_test_score": np.array([0.25]),
            "nonzero": np.array([3.0]),
            "split0_duality_gap": np.array([1e-12]),
            "split1_duality_gap": np.array([1e-9]),
        },
        "fold_sizes": [30, 10],
        "best_index_": 0,
        "best_params_": {"C": 0.1},
    }
    found["cv_results_"]["params"] = [{"C": 0.1}]
    report = metrics(found)
    assert report["best"]["C"] == 0.1
    assert report["relative_duality_gap_at_most"] == 1e-9
    assert report["scores"]["C=0.1"]["mean_test_score"] == 0.75
    assert report["scores"]["C=0.1"]["weighted_mean_test_score"] == (30 * 1.0 + 10 * 0.5) / 40


def test_the_sparsest_c_within_one_standard_error() -> None:
    results = {
        "param_C": np.ma.array([0.4, 0.2, 0.1, 0.05]),
        "mean_test_score": np.array([0.95, 0.96, 0.949, 0.947]),
        "std_test_score": np.array([0.5, 0.02, 0.5, 0.5]),  # of the best: 0.02 / sqrt(4 - 1)
    }
    found = {"cv_results_": results, "fold_sizes": [9] * 4, "best_index_": 1}
    assert sparsest_within_one_error(found) == 2
    results["std_test_score"][1] = 0.001
    assert sparsest_within_one_error(found) == 1


def test_fold_sizes_are_the_test_rows(digits) -> None:
    X, y = digits(80)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    assert found["fold_sizes"] == [len(test) for _, test in StratifiedKFold(3).split(X, y)]


@pytest.mark.parametrize(
    ("solver", "max_iter", "reached"),
    [("liblinear", 30, "iterations used up"), ("newton", 1, "relative duality gap ")],
)
def test_a_fit_that_does_not_converge_is_named(digits, solver, max_iter, reached) -> None:
    X, y = digits(90)
    params = PARAMS.model_copy(
        update={"C": [0.01, 50.0], "max_iter": max_iter, "tol": 1e-9, "solver": solver}
    )
    with pytest.raises(NotConvergedError) as caught:
        search(X, np.where(y == 8, 1, -1), params)
    message = str(caught.value)
    assert re.match(r"gridsearch: C=(0\.01|50\.0), fold [123] of 3: ", message)
    assert f"{solver} did not converge to tol=1e-09 in gridsearch.max_iter={max_iter}" in message
    assert reached in message


def test_the_curve_names_the_best_c_and_the_score(digits) -> None:
    X, y = digits(90)
    found = search(X, np.where(y == 8, 1, -1), PARAMS)
    figure = validation_curve(found, "balanced_accuracy")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "balanced accuracy"
    best = found["best_params_"]["C"]
    assert any(text.startswith(f"best C = {best:g}") for text in legend(figure))
    for line, kind in zip(axes.lines, ("train", "test"), strict=False):
        assert line.get_xdata().tolist() == [0.01, 0.5, 2]
        order = [1, 0, 2]
        expected = found["cv_results_"][f"mean_{kind}_score"][order]
        np.testing.assert_array_equal(line.get_ydata(), expected)


def results(C: list[float], scores: list[float]) -> dict:
    """Results of four folds that differ by nothing but a std of 0.002."""
    means, std = np.array(scores), np.full(len(C), 0.002)
    found = {
        "param_C": np.ma.array(C),
        "mean_test_score": means,
        "std_test_score": std,
        "mean_train_score": np.minimum(1, means + 0.01),
        "std_train_score": std,
    } | {f"split{fold}_nonzero": np.full(len(C), 100.0 + fold) for fold in range(4)}
    return {"cv_results_": found, "fold_sizes": [9] * 4, "best_index_": int(means.argmax())}


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_two_curves_have_the_same_scales() -> None:
    for scores in ([0.95, 0.96], [0.99, 1.0], [0.9421, 0.9422]):
        axes, counts = validation_curve(results([0.1, 0.2], scores), "accuracy").axes
        assert axes.get_ylim() == pytest.approx((0.94, 1))
        assert axes.get_title("right") == ""
        assert counts.get_ylim() == (0, 785)


def test_the_scale_reaches_lower_where_scores_do_and_says_so() -> None:
    axes, _ = validation_curve(results([0.1, 0.2], [0.70, 0.96]), "accuracy").axes
    assert axes.get_ylim() == pytest.approx((0.64, 1))
    assert axes.get_title("right") == "low scores: scale from 0.64, not 0.94"
    axes, _ = validation_curve(results([0.1], [0.9]), "jaccard").axes
    assert axes.get_ylim() == pytest.approx((0.88, 1))
    assert axes.get_title("right") == ""


@given(st.floats(-1, 1), st.sampled_from(Scoring.__args__))
def test_no_score_is_below_the_scale(lowest: float, scoring: str) -> None:
    steps = score_steps(lowest, scoring)
    assert 1 - 0.06 * steps <= lowest + 1e-9
    assert steps == score_steps(1, scoring) or 1 - 0.06 * (steps - 1) > lowest


@pytest.mark.parametrize(
    ("C", "scores", "marks"),
    [
        ([0.2], [0.96], ["best C = 0.2, and the smallest within 1 std. error"]),
        (
            [0.1, 0.101, 3],
            [0.9600, 0.9601, 0.95],
            ["best C = 0.101", "smallest C within 1 std. error: 0.1"],
        ),
        (
            np.geomspace(1e-4, 10, 100).tolist(),
            [0.95] * 99 + [0.96],
            ["best C = 10, and the smallest within 1 std. error"],
        ),
    ],
)
def test_both_marks_are_named_and_no_label_touches_another(C, scores, marks) -> None:
    figure = validation_curve(results(C, scores), "accuracy")
    assert legend(figure)[2:] == marks
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.legends[0].get_texts()]
    labels = [text.get_window_extent() for text in figure.axes[1].get_xticklabels()]
    for inside in (*boxes, *labels):
        assert figure.bbox.x0 <= inside.x0 < inside.x1 <= figure.bbox.x1
    for one, other in (*combinations(boxes, 2), *combinations(labels, 2)):
        assert not one.overlaps(other)
