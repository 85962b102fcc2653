"""Stage gridsearch: the regularisation C, by cross-validation.

Reads data/preprocessed.npz; writes data/gridsearch.joblib (the results and the winner),
metrics/gridsearch.json, and the validation curve as a table that DVC draws and as a picture.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold

from analysis.every_c import corners, every_C
from figures.style import png
from figures.validation_curve import validation_curve
from pipeline.artifacts import save_bytes, save_metrics, save_object, save_table
from pipeline.canonical import gap_bound, log10_gap_bound
from pipeline.labels import signs
from pipeline.params import GridSearch
from pipeline.progress import progress
from pipeline.schemas import PREPROCESSED, load
from pipeline.solvers import SOLVERS, Results
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
RESULT = Path("data/gridsearch.joblib")
METRICS = Path("metrics/gridsearch.json")
CURVE = Path("plots/validation_curve.png")
CURVE_TABLE = Path("plots/validation_curve.csv")

DIFFERENCE_DECIMALS = 5  # as many as DVC shows


def search(X: np.ndarray, y: np.ndarray, params: GridSearch) -> Results:
    """Cross-validate the L1-penalised squared-hinge SVM at every C.

    All cores are used; their number cannot change a result (LOKY_MAX_CPU_COUNT limits it).

    Parameters
    ----------
    X : (n, p) float64
    y : (n,) -1 or +1
    params : the section gridsearch of params.yaml

    Returns
    -------
    dict
        cv_results_ : as GridSearchCV gives it, less the times and numbers of iterations (they
        differ from run to run and from machine to machine), with each fit's number of non-zero
        weights, bias included (`split0_nonzero`, mean `nonzero`), and a bound on its relative
        duality gap (`split0_duality_gap`);
        fold_sizes : the number of test rows of each fold;
        best_index_, best_params_, best_score_ : the C of the highest mean test score;
        sparsest_index_, sparsest_params_ : the smallest C whose mean test score is at most one
        standard error below it: mean_C ≥ mean_best − std_best / √k, std with k − 1 for k folds
        (Breiman et al., 1984);
        every_C : what analysis.every_c found over `params.range`, or None;
        exact_params_ : its best C, or None.

    Raises
    ------
    NotConvergedError
        A fit did not reach tol within max_iter.
    """
    folds = StratifiedKFold(params.cv)
    solver = SOLVERS[params.solver](params.tol, params.max_iter, params.random_state)
    fits = params.cv * len(params.C)
    with warnings.catch_warnings(), progress("cross-validation", fits, "fits") as step:
        warnings.simplefilter("ignore", ConvergenceWarning)  # the solvers check, and say more
        results = solver.search(X, y, params.C, folds, params.scoring, step)
    for fold in range(params.cv):
        gaps = results[f"split{fold}_duality_gap"]
        results[f"split{fold}_duality_gap"] = np.array([gap_bound(gap) for gap in gaps])
    best = int(results["rank_test_score"].argmin())
    sparsest = sparsest_within_one_error(results, best, params.cv)
    every = None
    if params.range:
        low, high = params.range
        every = every_C(X, y, low, high, params.cv, params.scoring, solver)
    return {
        "cv_results_": results,
        "fold_sizes": [len(test) for _, test in folds.split(X, y)],
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": float(results["mean_test_score"][best]),
        "sparsest_index_": sparsest,
        "sparsest_params_": results["params"][sparsest],
        "every_C": every,
        "exact_params_": every and {"C": every["best_C"]},
    }


def metrics(found: Results) -> dict[str, Any]:
    """Score and number of weights, means over the folds, at the best C and at the sparsest within
    one standard error of it; what every C of the range gives beyond; and the largest duality gap
    of all fits, as a power of ten.
    """
    results = found["cv_results_"]

    def at(i: int) -> dict[str, float]:
        return {
            "C": results["params"][i]["C"],
            "mean_test_score": float(results["mean_test_score"][i]),
            "mean_nonzero": float(results["nonzero"][i]),
        }

    every = found["every_C"]
    folds = range(len(found["fold_sizes"]))
    gaps = [results[f"split{fold}_duality_gap"].max() for fold in folds]
    report: dict[str, Any] = {
        "best": at(found["best_index_"]),
        "sparsest_within_one_standard_error": at(found["sparsest_index_"]),
    }
    if every:
        above = every["best_score"] - report["best"]["mean_test_score"]
        report["every_C"] = {
            "mean_test_score": every["best_score"],
            "above_grid": round(above, DIFFERENCE_DECIMALS),
        }
        if every["exact"]:
            low, high = every["best_interval"]
            report["every_C"] |= {"lowest_C": low, "highest_C": high}
            gaps.append(every["duality_gap"])
        else:
            report["every_C"]["C"] = every["best_C"]
    return report | {"log10_duality_gap_at_most": log10_gap_bound(max(gaps))}


def curve(found: Results, scoring: str) -> list[dict[str, Any]]:
    """The validation curve, as rows of a table: one for each C of the grid, ascending, and the
    corners of the curve over every C.

    kind is "grid", or "every C", whose rows have C, mean_test_score and scoring alone.
    mean_test_score is the plain mean over folds (scikit-learn's of today);
    weighted_mean_test_score = sum_k n_k s_k / sum_k n_k weighs fold k by its n_k test rows
    (scikit-learn's default until 0.21, which the article used). best and sparsest are 1 in the
    rows of these C, else 0. scoring is the score's name, in every row.
    """
    results, sizes = found["cv_results_"], found["fold_sizes"]
    C = np.asarray(results["param_C"], dtype=float)
    splits = [results[f"split{fold}_test_score"] for fold in range(len(sizes))]
    at, order = np.arange(len(C)), np.argsort(C)
    scores = ("mean_train_score", "std_train_score", "mean_test_score", "std_test_score")
    columns = {
        "C": C,
        **{name: results[name] for name in scores},
        "weighted_mean_test_score": np.average(splits, axis=0, weights=sizes),
        "mean_nonzero": results["nonzero"],
        "best": (at == found["best_index_"]).astype(int),
        "sparsest": (at == found["sparsest_index_"]).astype(int),
    }
    grid = zip(*(column[order].tolist() for column in columns.values()), strict=True)
    rows = [dict(zip(columns, row, strict=True)) | {"kind": "grid"} for row in grid]
    if found["every_C"]:
        empty = dict.fromkeys(columns, "")
        for C_of_corner, score in zip(*corners(found["every_C"]), strict=True):
            corner = {"C": float(C_of_corner), "mean_test_score": float(score)}
            rows.append(empty | corner | {"kind": "every C"})
    return [row | {"scoring": scoring} for row in rows]


def sparsest_within_one_error(results: Results, best: int, folds: int) -> int:
    """The position of `sparsest_index_`, as `search` describes it."""
    error = results["std_test_score"][best] / np.sqrt(folds - 1)  # scikit-learn's std is with k
    means = results["mean_test_score"]
    near = np.flatnonzero(means >= means[best] - error)
    return int(near[np.argmin(np.asarray(results["param_C"], dtype=float)[near])])


def main(params: GridSearch) -> None:
    data = load(INPUT, PREPROCESSED, "X_train", "y_train", "classes")
    y = signs(data["y_train"], data["classes"])
    found = search(data["X_train"], y, params)
    save_object(RESULT, found)
    save_metrics(METRICS, metrics(found))
    rows = curve(found, params.scoring)
    save_table(CURVE_TABLE, list(rows[0]), (list(row.values()) for row in rows))
    figure = validation_curve(
        found["cv_results_"],
        params.cv,
        found["best_index_"],
        found["sparsest_index_"],
        params.scoring,
        found["every_C"],
    )
    save_bytes(CURVE, png(figure))


if __name__ == "__main__":
    run_stage(main, "gridsearch")
