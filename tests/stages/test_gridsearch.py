"""Stage gridsearch: the search over C."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from analysis.search import Search, curve, load_search, metrics, sparsest_within_one_error
from l1svc import L1LinearSVC
from pipeline.artifacts import (
    ArtifactError,
    load_arrays,
    load_metrics,
    load_object,
    save_arrays,
    save_object,
)
from pipeline.errors import NotConvergedError
from pipeline.params import GridSearch
from pipeline.schemas import FOLLOWED, POINTS, load_path
from pipeline.solvers import SOLVERS
from stages.gridsearch import main, search

PARAMS = GridSearch(
    C=[0.5, 0.01, 2],
    range=None,
    path=12,
    follow_path=True,
    cv=3,
    scoring="accuracy",
    solver="liblinear",
    tol=1e-6,
    max_iter=100_000,
    random_state=0,
)


@pytest.mark.parametrize("solver", SOLVERS)
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
    assert found["fold_sizes"] == [len(test) for _, test in StratifiedKFold(3).split(X, y)]


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


FOUND = {
    "scoring": "recall",
    "cv_results_": {
        "param_C": np.ma.array([0.4, 0.1, 0.2]),
        "params": [{"C": 0.4}, {"C": 0.1}, {"C": 0.2}],
        "split0_test_score": np.array([0.5, 0.75, 1.0]),
        "split1_test_score": np.array([0.5, 0.5, 0.5]),
        "split0_train_score": np.array([1.0, 0.75, 0.875]),
        "split1_train_score": np.array([0.75, 0.75, 0.625]),
        "split0_nonzero": np.array([8, 3, 5]),
        "split1_nonzero": np.array([10, 4, 5]),
        "split0_duality_gap": np.array([1e-10, 1e-10, 1e-9]),
        "split1_duality_gap": np.array([1e-10, 1e-8, 1e-10]),
    },
    "fold_sizes": [30, 10],
    "best_index_": 2,
    "best_params_": {"C": 0.2},
    "sparsest_index_": 1,
    "every_C": None,
}
EVERY = {
    "exact": True,
    "C": np.array([0.05, 0.15, 0.3]),
    "mean_test_score": np.array([0.6, 0.875]),
    "best_score": 0.875,
    "best_C": 0.2,
    "best_interval": (0.15, 0.3),
    "duality_gap": 1e-7,
}


def test_the_metrics_are_of_the_best_the_sparsest_and_the_worst_certificate() -> None:
    sparsest = {"C": 0.1, "mean_test_score": 0.625, "mean_nonzero": 3.5}
    assert metrics(Search.of(FOUND)) == {
        "best": {"C": 0.2, "mean_test_score": 0.75, "mean_nonzero": 5.0},
        "sparsest_within_one_standard_error": sparsest,
        "log10_duality_gap_at_most": -8,
    }


def test_the_metrics_of_every_c_say_how_much_the_grid_leaves() -> None:
    told = metrics(Search.of(FOUND | {"every_C": EVERY}))
    best = {"mean_test_score": 0.875, "above_grid": 0.125}
    assert told["every_C"] == {**best, "lowest_C": 0.15, "highest_C": 0.3}
    assert told["log10_duality_gap_at_most"] == -7
    tried = EVERY | {"exact": False, "best_interval": None, "duality_gap": None}
    told = metrics(Search.of(FOUND | {"every_C": tried}))
    assert told["every_C"] == {"C": 0.2, **best}
    assert told["log10_duality_gap_at_most"] == -8


def test_the_curve_ascends_and_has_both_means_and_both_marks() -> None:
    rows = curve(Search.of(FOUND))
    assert {name: [row[name] for row in rows] for name in rows[0]} == {
        "C": [0.1, 0.2, 0.4],
        "mean_train_score": [0.75, 0.75, 0.875],
        "std_train_score": [0.0, 0.125, 0.125],
        "mean_test_score": [0.625, 0.75, 0.5],
        "std_test_score": [0.125, 0.25, 0.0],
        "weighted_mean_test_score": [(30 * a + 10 * 0.5) / 40 for a in (0.75, 1.0, 0.5)],
        "mean_nonzero": [3.5, 5.0, 9.0],
        "best": [0, 1, 0],
        "sparsest": [1, 0, 0],
        "kind": ["grid"] * 3,
        "scoring": ["recall"] * 3,
    }


def test_the_corners_of_every_c_follow_in_the_table() -> None:
    rows = curve(Search.of(FOUND | {"every_C": EVERY}))
    assert rows[:3] == curve(Search.of(FOUND))
    given = ("C", "mean_test_score", "kind", "scoring")
    corners = [(0.05, 0.6), (0.15, 0.6), (0.15, 0.875), (0.3, 0.875)]
    assert [tuple(row[name] for name in given) for row in rows[3:]] == [
        (*corner, "every C", "recall") for corner in corners
    ]
    assert {value for row in rows[3:] for name, value in row.items() if name not in given} == {""}
    tried = EVERY | {"exact": False, "mean_test_score": np.array([0.6, 0.875, 0.7])}
    found = [
        (row["C"], row["mean_test_score"]) for row in curve(Search.of(FOUND | {"every_C": tried}))
    ]
    assert found[3:] == [(0.05, 0.6), (0.15, 0.875), (0.3, 0.7)]


def test_the_sparsest_c_within_one_standard_error() -> None:
    C, means = np.array([0.4, 0.2, 0.1, 0.05]), np.array([0.95, 0.96, 0.949, 0.947])
    scores = np.tile(means, (4, 1))
    scores[:, 1] += [-0.02, 0.02, -0.02, 0.02]  # std 0.02, standard error 0.02 / sqrt(4 - 1)
    assert sparsest_within_one_error(C, scores, 1) == 2
    scores[:, 1] = means[1] + np.array([-1, 1, -1, 1]) * 0.001
    assert sparsest_within_one_error(C, scores, 1) == 1


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


@pytest.mark.parametrize(
    ("solver", "processors"),
    [
        *((solver, 1) for solver in SOLVERS),
        ("newton", 2),
        pytest.param("liblinear", 2, marks=pytest.mark.long),  # in processes, which take seconds
    ],
)
def test_a_terminal_sees_the_fits_go_by(
    digits, terminal, monkeypatch, solver: str, processors: int
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(processors))
    X, y = digits(60)
    screen = terminal()
    search(X, np.where(y == 8, 1, -1), PARAMS.model_copy(update={"solver": solver}))
    (*_, last) = screen.getvalue().splitlines()
    assert last.startswith("cross-validation: 100%")
    assert " 9/9 " in last


def test_the_stage_searches_and_saves(project, preprocessed, capfd) -> None:
    params = project("gridsearch", C=[0.5, 0.02, 2.0], cv=3, scoring="recall", path=12)
    main(params)
    assert capfd.readouterr() == ("", "")  # quiet in a pipe
    s = np.where(preprocessed["y_train"] == 5, 1, -1)  # recall is of the positive class, the 5
    update = {"C": [0.5, 0.02, 2.0], "range": [0.025, 0.4], "scoring": "recall"}
    update |= {"solver": "newton", "tol": 1e-8}
    expected = search(preprocessed["X_train"], s, PARAMS.model_copy(update=update))
    found = load_object(Path("data/gridsearch.joblib"))
    np.testing.assert_equal(found, expected)
    told = load_search(Path("data/gridsearch.joblib"))
    assert load_metrics(Path("metrics/gridsearch.json")) == metrics(told)
    results = found["cv_results_"]
    np.testing.assert_array_equal(told.test_scores.mean(axis=0), results["mean_test_score"])
    with Path("plots/validation_curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: str(value) for name, value in row.items()} for row in curve(told)]
    path = load_path(Path("data/path.npz"), 784)
    X, s_train = preprocessed["X_train"], preprocessed["s_train"]
    for C, w, b in zip(path["C"][::5], path["coef"][::5], path["intercept"][::5], strict=True):
        svc = L1LinearSVC(C).fit(X, s_train)
        np.testing.assert_allclose(w, svc.coef_[0], atol=1e-6)
        assert b == pytest.approx(svc.intercept_[0], abs=1e-6)
    assert path["corner_C"][[0, -1]].tolist() == path["C"][[0, -1]].tolist()


def test_the_path_may_be_left_between_its_points(searched) -> None:
    searched(follow_path=False)
    path = load_path(Path("data/path.npz"), 784)
    assert len(path["C"]) == 12
    assert not any(path[name].size for name in FOLLOWED)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"C": "descending"}, "C does not ascend"),
        ({"corner_start": np.array([0, 7], np.int32)}, "its corners do not fit each other"),
        ({"corner_column": "beyond"}, "its corners do not fit each other"),
        ({"train_C": "NaN"}, "train_C is not all from 0 to"),
    ],
)
def test_a_path_that_is_no_path_is_refused(searched, change: dict, said: str) -> None:
    searched()
    file = Path("data/path.npz")
    arrays = load_arrays(file, *POINTS, *FOLLOWED)
    ((name, how),) = change.items()
    changes = {
        "descending": lambda array: array[::-1],
        "beyond": lambda array: array + 785,
        "NaN": lambda array: array * np.nan,
    }
    arrays[name] = changes[how](arrays[name]) if isinstance(how, str) else how
    save_arrays(file, **arrays)
    with pytest.raises(ArtifactError) as caught:
        load_path(file, 784)
    assert str(caught.value).startswith(f"data/path.npz: not of this pipeline: {said}")


@pytest.mark.parametrize(
    "change",
    [
        {"best_index_": 2},
        {"best_index_": "0"},
        {"scoring": "recall\x1b[31m"},
        {"fold_sizes": [30, 10, 20]},
        {"cv_results_": {}},
        {"every_C": {"exact": True}},
    ],
)
def test_a_search_that_is_no_search_is_refused(searched, change: dict) -> None:
    searched()
    file = Path("data/gridsearch.joblib")
    save_object(file, load_object(file) | change)
    with pytest.raises(ArtifactError, match=r"gridsearch\.joblib: not of this pipeline: no search"):
        load_search(file)
