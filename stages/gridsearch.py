"""Stage gridsearch: the regularisation C, by cross-validation.

Reads data/preprocessed.npz; writes data/gridsearch.joblib (the results and the winner),
metrics/gridsearch.json, the validation curve as a table, and data/path.npz: the path over C on all
training images, which no later param changes.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold

from analysis.every_c import every_C
from analysis.follow import follow_path, path_grid, solve_path
from analysis.search import Search, curve, metrics, sparsest_within_one_error
from pipeline.artifacts import save_arrays, save_metrics, save_object, save_table
from pipeline.params import GridSearch, ParamsError
from pipeline.progress import progress
from pipeline.rounding import gap_bound
from pipeline.schemas import FOLLOWED, PREPROCESSED, load
from pipeline.solvers import SOLVERS, Results
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
RESULT = Path("data/gridsearch.joblib")
METRICS = Path("metrics/gridsearch.json")
PATH = Path("data/path.npz")
CURVE_TABLE = Path("plots/validation_curve.csv")


def search(X: np.ndarray, s: np.ndarray, params: GridSearch) -> Results:
    """Cross-validate the L1-penalised squared-hinge SVM at every C.

    All cores are used; their number cannot change a result (LOKY_MAX_CPU_COUNT limits it).

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1
    params : the section gridsearch of params.yaml

    Returns
    -------
    dict
        scoring : params.scoring;
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
        # A solver looks at each fit itself, and names C and fold in its NotConvergedError.
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = solver.search(X, s, params.C, folds, params.scoring, step)
    # The exact gap differs between machines, but its power of ten does not: only that is kept.
    for fold in range(params.cv):
        gaps = results[f"split{fold}_duality_gap"]
        results[f"split{fold}_duality_gap"] = np.array([gap_bound(gap) for gap in gaps])
    best = int(results["rank_test_score"].argmin())
    test_scores = np.array([results[f"split{fold}_test_score"] for fold in range(params.cv)])
    sparsest = sparsest_within_one_error(np.array(params.C), test_scores, best)
    every = None
    if params.range:
        low, high = params.range

        def mean_scores(Cs: list[float], step: Callable[[], None]) -> Sequence[float]:
            results = solver.search(X, s, Cs, folds, params.scoring, step)
            return list(results["mean_test_score"])

        every = every_C(X, s, low, high, params.cv, params.scoring, mean_scores)
    return {
        "scoring": params.scoring,
        "cv_results_": results,
        "fold_sizes": [len(test) for _, test in folds.split(X, s)],
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": float(results["mean_test_score"][best]),
        "sparsest_index_": sparsest,
        "sparsest_params_": results["params"][sparsest],
        "every_C": every,
        "exact_params_": every and {"C": every["best_C"]},
    }


def main(params: GridSearch) -> None:
    X, s = load(INPUT, PREPROCESSED, "X_train", "s_train").values()
    fewest = int(min(np.sum(s < 0), np.sum(s > 0)))
    if params.cv > fewest:
        raise ParamsError(
            f"params.yaml: gridsearch.cv: got {params.cv}; allowed: no more folds than each class "
            f"has training images, {fewest}"
        )
    found = search(X, s, params)
    save_object(RESULT, found)
    summary = Search.of(found)
    save_metrics(METRICS, metrics(summary))
    rows = curve(summary)
    save_table(CURVE_TABLE, list(rows[0]), (list(row.values()) for row in rows))

    Cs = path_grid(X, s, params.path)
    # data/path.npz always has the same arrays. Those of FOLLOWED are empty if it is not followed.
    followed = {name: np.empty(0, wanted.dtype) for name, wanted in FOLLOWED.items()}
    if params.follow_path:
        followed = follow_path(X, s, Cs[0], Cs[-1])
    save_arrays(PATH, **solve_path(X, s, Cs), **followed)


if __name__ == "__main__":
    run_stage(main, "gridsearch")
