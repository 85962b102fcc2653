"""Stage gridsearch: the regularisation C, by cross-validation.

Reads data/preprocessed.npz; writes data/gridsearch.joblib (the results and the winner),
metrics/gridsearch.json and plots/validation_curve.png.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from stages.artifacts import load_arrays, save_figure, save_metrics, save_object
from stages.errors import PipelineError, run
from stages.labels import signs
from stages.params import GridSearch, load_params
from stages.style import BLUE, GREY, ORANGE, new_figure

INPUT = Path("data/preprocessed.npz")
RESULT = Path("data/gridsearch.joblib")
METRICS = Path("metrics/gridsearch.json")
CURVE = Path("plots/validation_curve.png")

Results = dict[str, Any]


class NotConvergedError(PipelineError):
    """A fit used up its iterations; the message names C and fold."""


def search(X: np.ndarray, y: np.ndarray, params: GridSearch, *, verbose: int = 0) -> Results:
    """Cross-validate LinearSVC(penalty="l1", loss="squared_hinge") at every C.

    All cores are used; their number cannot change a result (LOKY_MAX_CPU_COUNT limits it).

    Parameters
    ----------
    X : (n, 784) float64
    y : (n,) -1 or +1
    params : the section gridsearch of params.yaml
    verbose : GridSearchCV's

    Returns
    -------
    dict
        cv_results_ : as GridSearchCV gives it, less the times (they differ from run to run),
        with each fit's number of iterations (`split0_test_n_iter`) and of non-zero weights,
        bias included (`split0_test_nonzero`);
        fold_sizes : the number of test rows of each fold;
        best_index_, best_params_, best_score_ : the C of the highest mean test score.

    Raises
    ------
    NotConvergedError
        A fit used up max_iter.
    """
    folds = StratifiedKFold(params.cv)
    grid = GridSearchCV(
        LinearSVC(
            penalty="l1",
            loss="squared_hinge",
            dual=False,
            tol=params.tol,
            max_iter=params.max_iter,
            random_state=params.random_state,
        ),
        {"C": params.C},
        scoring={
            "score": get_scorer(params.scoring),
            "n_iter": _n_iter,
            "nonzero": _nonzero,
        },
        cv=folds,
        refit=False,
        return_train_score=True,
        error_score="raise",
        n_jobs=-1,
        verbose=verbose,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # _check_converged says more
        grid.fit(X, y)
    results = {
        key: value
        for key, value in grid.cv_results_.items()
        if not key.endswith(("_time", "_train_n_iter", "_train_nonzero"))
    }
    _check_converged(results, params)
    best = int(results["rank_test_score"].argmin())
    return {
        "cv_results_": results,
        "fold_sizes": [len(test) for _, test in folds.split(X, y)],
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": float(results["mean_test_score"][best]),
    }


def _n_iter(estimator: LinearSVC, X: np.ndarray, y: np.ndarray) -> int:
    return int(estimator.n_iter_)


def _nonzero(estimator: BaseEstimator, X: np.ndarray, y: np.ndarray) -> int:
    return int(np.count_nonzero(estimator.coef_) + np.count_nonzero(estimator.intercept_))


def _check_converged(results: Results, params: GridSearch) -> None:
    for fold in range(params.cv):
        for C, n_iter in zip(params.C, results[f"split{fold}_test_n_iter"], strict=True):
            if n_iter >= params.max_iter:
                raise NotConvergedError(
                    f"gridsearch: C={C}, fold {fold + 1} of {params.cv}: not converged to "
                    f"tol={params.tol} in gridsearch.max_iter={params.max_iter}; "
                    "allowed: enough iterations to converge"
                )


def metrics(found: Results) -> dict[str, Any]:
    """The winner and each C's scores as nested dicts of scalars.

    mean_test_score is the plain mean over folds (scikit-learn's of today);
    weighted_mean_test_score = sum_k n_k s_k / sum_k n_k weighs fold k by its n_k test rows
    (scikit-learn's default until 0.21, which the article used).
    """
    results = found["cv_results_"]
    splits = [results[f"split{fold}_test_score"] for fold in range(len(found["fold_sizes"]))]
    weighted = np.average(splits, axis=0, weights=found["fold_sizes"])
    scores = {
        f"C={C}": {
            "mean_train_score": float(results["mean_train_score"][i]),
            "mean_test_score": float(results["mean_test_score"][i]),
            "weighted_mean_test_score": float(weighted[i]),
            "std_test_score": float(results["std_test_score"][i]),
            "mean_nonzero": float(results["mean_test_nonzero"][i]),
        }
        for i, C in enumerate(results["param_C"])
    }
    best = found["best_index_"]
    C = found["best_params_"]["C"]
    return {
        "best": {"C": C, **scores[f"C={results['param_C'][best]}"]},
        "scores": scores,
    }


def validation_curve(found: Results, scoring: str) -> Figure:
    """Mean and spread over folds of train and test score, over C on a log axis."""
    results, best = found["cv_results_"], found["best_index_"]
    C = np.asarray(results["param_C"], dtype=float)
    order = np.argsort(C)
    figure = new_figure(7, 4.5)
    axes = figure.add_subplot()
    for kind, label, colour, marker in (
        ("train", "train folds", ORANGE, "s"),
        ("test", "held-out fold", BLUE, "o"),
    ):
        mean = results[f"mean_{kind}_score"][order]
        spread = results[f"std_{kind}_score"][order]
        axes.fill_between(C[order], mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)
        axes.plot(C[order], mean, color=colour, marker=marker, label=f"{label} (mean ± 1 std)")
    axes.axvline(C[best], color=GREY, linestyle="--", linewidth=1)
    axes.annotate(
        f"best C = {C[best]:g}",
        (C[best], 0),
        xycoords=("data", "axes fraction"),
        xytext=(5, 6),
        textcoords="offset points",
        color=GREY,
    )
    axes.set_xscale("log")
    axes.set_xticks(C, [f"{c:g}" for c in C]) if len(C) <= 8 else None
    axes.minorticks_off()
    axes.set_xlabel("C  (left: stronger L1 penalty, fewer weights)")
    axes.set_ylabel(scoring.replace("_", " "))
    axes.set_title("Validation curve", loc="left")
    axes.legend(frameon=False, loc="upper left")
    return figure


def main() -> None:
    params = load_params().gridsearch
    data = load_arrays(INPUT, "X_train", "y_train", "classes")
    y = signs(data["y_train"], data["classes"])
    found = search(data["X_train"], y, params, verbose=2 if sys.stdout.isatty() else 0)
    save_object(RESULT, found)
    save_metrics(METRICS, metrics(found))
    save_figure(CURVE, validation_curve(found, params.scoring))


if __name__ == "__main__":
    run(main)
