"""Stage gridsearch: the regularisation C, by cross-validation.

Reads data/preprocessed.npz; writes data/gridsearch.joblib (the results and the winner),
metrics/gridsearch.json and plots/validation_curve.png.
"""

import math
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from l1svc import L1LinearSVCSearchCV, relative_duality_gap
from stages.artifacts import load_arrays, save_figure, save_metrics, save_object
from stages.canonical import gap_bound
from stages.convergence import NotConvergedError
from stages.errors import run
from stages.labels import signs
from stages.params import GridSearch, load_params
from stages.style import BLUE, GREY, ORANGE, new_figure

INPUT = Path("data/preprocessed.npz")
RESULT = Path("data/gridsearch.joblib")
METRICS = Path("metrics/gridsearch.json")
CURVE = Path("plots/validation_curve.png")

SCORE_STEP = 0.06  # of the validation curve's scale, which begins a whole number below 1
USUAL_STEPS = {"jaccard": 2, "matthews_corrcoef": 2}  # an accuracy of 0.96 is a 0.92 of theirs
WEIGHTS = 785  # the pixels and the bias

Results = dict[str, Any]


def search(X: np.ndarray, y: np.ndarray, params: GridSearch, *, verbose: int = 0) -> Results:
    """Cross-validate the L1-penalised squared-hinge SVM at every C.

    All cores are used; their number cannot change a result (LOKY_MAX_CPU_COUNT limits it).

    Parameters
    ----------
    X : (n, 784) float64
    y : (n,) -1 or +1
    params : the section gridsearch of params.yaml
    verbose : above 0, lines about the fits

    Returns
    -------
    dict
        cv_results_ : as GridSearchCV gives it, less the times and numbers of iterations (they
        differ from run to run and from machine to machine), with each fit's number of non-zero
        weights, bias included (`split0_nonzero`, mean `nonzero`), and a bound on its relative
        duality gap (`split0_duality_gap`);
        fold_sizes : the number of test rows of each fold;
        best_index_, best_params_, best_score_ : the C of the highest mean test score.

    Raises
    ------
    NotConvergedError
        A fit did not reach tol within max_iter.
    """
    folds = StratifiedKFold(params.cv)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the solvers check, and say more
        results = SOLVERS[params.solver](X, y, folds, params, verbose)
    for fold in range(params.cv):
        results[f"split{fold}_duality_gap"] = gap_bound(results[f"split{fold}_duality_gap"])
    best = int(results["rank_test_score"].argmin())
    return {
        "cv_results_": results,
        "fold_sizes": [len(test) for _, test in folds.split(X, y)],
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": float(results["mean_test_score"][best]),
    }


def newton(
    X: np.ndarray, y: np.ndarray, folds: StratifiedKFold, params: GridSearch, verbose: int
) -> Results:
    """The results by l1svc: the exact optimum of every fit, each from the one before it."""
    found = L1LinearSVCSearchCV(
        params.C,
        cv=folds,
        scoring=params.scoring,
        return_train_score=True,
        n_jobs=-1,
        refit=False,
        tol=params.tol,
        max_iter=params.max_iter,
        verbose=verbose,
    ).fit(X, y)
    results = found.cv_results_
    for fold, i, C in _fits(params):
        gap = results[f"split{fold}_duality_gap"][i]
        if gap > params.tol:
            _refuse(C, fold, params, f"relative duality gap {gap:.1e}")
    return {
        key: value
        for key, value in results.items()
        if not key.endswith(("_time", "n_iter", "max_duality_gap"))
    }


def liblinear(
    X: np.ndarray, y: np.ndarray, folds: StratifiedKFold, params: GridSearch, verbose: int
) -> Results:
    """The results by scikit-learn's GridSearchCV over LinearSVC: the reference."""
    found = GridSearchCV(
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
            "duality_gap": _duality_gap,
        },
        cv=folds,
        refit=False,
        return_train_score=True,
        error_score="raise",
        n_jobs=-1,
        verbose=verbose,
    ).fit(X, y)
    results = found.cv_results_
    for fold, i, C in _fits(params):
        if results[f"split{fold}_train_n_iter"][i] >= params.max_iter:
            _refuse(C, fold, params, "iterations used up")
    kept = {key: value for key, value in results.items() if key.endswith(("_score", "param_C"))}
    for fold in range(params.cv):  # "train": the measures belong to the rows of the fit
        for name in ("nonzero", "duality_gap"):
            kept[f"split{fold}_{name}"] = results[f"split{fold}_train_{name}"]
    return kept | {"params": results["params"], "nonzero": results["mean_train_nonzero"]}


SOLVERS = {"newton": newton, "liblinear": liblinear}


def _n_iter(model: LinearSVC, X: np.ndarray, y: np.ndarray) -> int:
    return int(model.n_iter_)


def _nonzero(model: LinearSVC, X: np.ndarray, y: np.ndarray) -> int:
    return int(np.count_nonzero(model.coef_) + np.count_nonzero(model.intercept_))


def _duality_gap(model: LinearSVC, X: np.ndarray, y: np.ndarray) -> float:
    return relative_duality_gap(model.coef_, model.intercept_, model.C, X, y)


def _fits(params: GridSearch) -> Iterator[tuple[int, int, float]]:
    return ((fold, i, C) for fold in range(params.cv) for i, C in enumerate(params.C))


def _refuse(C: float, fold: int, params: GridSearch, reached: str) -> NoReturn:
    raise NotConvergedError(
        f"gridsearch: C={C}, fold {fold + 1} of {params.cv}: {params.solver} did not converge to "
        f"tol={params.tol} in gridsearch.max_iter={params.max_iter} ({reached}); "
        "allowed: enough iterations to converge"
    )


def metrics(found: Results) -> dict[str, Any]:
    """The winner and each C's scores as nested dicts of scalars.

    mean_test_score is the plain mean over folds (scikit-learn's of today);
    weighted_mean_test_score = sum_k n_k s_k / sum_k n_k weighs fold k by its n_k test rows
    (scikit-learn's default until 0.21, which the article used).
    """
    results = found["cv_results_"]
    folds = range(len(found["fold_sizes"]))
    splits = [results[f"split{fold}_test_score"] for fold in folds]
    gaps = [results[f"split{fold}_duality_gap"] for fold in folds]
    weighted = np.average(splits, axis=0, weights=found["fold_sizes"])
    scores = {
        f"C={C}": {
            "mean_train_score": float(results["mean_train_score"][i]),
            "mean_test_score": float(results["mean_test_score"][i]),
            "weighted_mean_test_score": float(weighted[i]),
            "std_test_score": float(results["std_test_score"][i]),
            "mean_nonzero": float(results["nonzero"][i]),
        }
        for i, C in enumerate(results["param_C"])
    }
    best, simple = found["best_index_"], sparsest_within_one_error(found)
    C = [params["C"] for params in results["params"]]
    return {
        "best": {"C": C[best], **scores[f"C={results['param_C'][best]}"]},
        "sparsest_within_one_standard_error": {
            "C": C[simple],
            **scores[f"C={results['param_C'][simple]}"],
        },
        "relative_duality_gap_at_most": float(np.max(gaps)),
        "scores": scores,
    }


def sparsest_within_one_error(found: Results) -> int:
    """The position of the smallest C whose mean test score is at most one standard error below
    the best: mean_C ≥ mean_best − std_best / √k, std with k − 1 for k folds (Breiman et al., 1984).
    """
    results, best = found["cv_results_"], found["best_index_"]
    folds = len(found["fold_sizes"])
    error = results["std_test_score"][best] / np.sqrt(folds - 1)  # scikit-learn's std is with k
    means = results["mean_test_score"]
    near = np.flatnonzero(means >= means[best] - error)
    return int(near[np.argmin(np.asarray(results["param_C"], dtype=float)[near])])


def score_steps(lowest: float, scoring: str) -> int:
    """How many steps of SCORE_STEP below 1 the scale of scores reaches: the usual number for
    this scoring, so that two runs compare, or as many as `lowest` needs.
    """
    return max(USUAL_STEPS.get(scoring, 1), math.ceil((1 - lowest) / SCORE_STEP - 1e-9))


def validation_curve(found: Results, scoring: str) -> Figure:
    """Mean and spread over folds of train and test score, and of the number of weights, over C.

    The scales are the same on every run, but for C's, and for scores too low for the usual one:
    the title then says so.
    """
    results, best = found["cv_results_"], found["best_index_"]
    C = np.asarray(results["param_C"], dtype=float)
    order = np.argsort(C)
    figure = new_figure(7, 6)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 2])
    axes.set_title("Validation curve", loc="left")

    def curve(panel: Axes, mean: np.ndarray, spread: np.ndarray, **look: Any) -> Line2D:
        low, high, colour = (mean - spread)[order], (mean + spread)[order], look["color"]
        panel.fill_between(C[order], low, high, color=colour, alpha=0.18, lw=0)
        panel.vlines(C[order], low, high, color=colour, alpha=0.3, lw=3)  # one C has no area
        size = min(6, 120 / len(C))  # a hundred would hide each other
        # whole where the mean lies on the frame
        (line,) = panel.plot(C[order], mean[order], markersize=size, clip_on=False, **look)
        return line

    handles, lowest = [], 1.0
    for kind, label, colour, marker in (
        ("train", "train folds (mean ± 1 std)", ORANGE, "s"),
        ("test", "held-out fold (mean ± 1 std)", BLUE, "o"),
    ):
        mean, spread = results[f"mean_{kind}_score"], results[f"std_{kind}_score"]
        handles.append(curve(axes, mean, spread, color=colour, marker=marker, label=label))
        lowest = min(lowest, float(np.min(mean - spread)))
    steps, usual = score_steps(lowest, scoring), score_steps(1, scoring)
    axes.set_ylim(1 - steps * SCORE_STEP, 1)
    axes.set_yticks(np.linspace(1 - steps * SCORE_STEP, 1, 7))
    axes.yaxis.set_major_formatter("{x:.2f}")
    axes.set_ylabel(scoring.replace("_", " "))
    if steps > usual:
        begin, instead = 1 - steps * SCORE_STEP, 1 - usual * SCORE_STEP
        note = f"low scores: scale from {begin:.2f}, not {instead:.2f}"
        axes.set_title(note, loc="right", fontsize=9, fontweight="normal")

    nonzero = [results[f"split{fold}_nonzero"] for fold in range(len(found["fold_sizes"]))]
    curve(counts, np.mean(nonzero, axis=0), np.std(nonzero, axis=0), color=GREY, marker="D")
    counts.set_ylim(0, WEIGHTS)
    counts.set_yticks([0, 200, 400, 600, WEIGHTS])
    counts.set_ylabel("non-zero weights")

    simple = sparsest_within_one_error(found)
    marks = {best: f"best C = {C[best]:g}"}
    if simple == best:
        marks[best] += ", and the smallest within 1 std. error"
    else:
        marks[simple] = f"smallest C within 1 std. error: {C[simple]:g}"
    for i, text in marks.items():
        look = {"color": GREY, "linestyle": "--" if i == best else ":", "linewidth": 1.2}
        counts.axvline(C[i], **look)
        handles.append(axes.axvline(C[i], label=text, **look))
    counts.set_xscale("log")
    counts.set_xlim(C.min() / 1.1, C.max() * 1.1)
    counts.set_xticks(*ticks(C[order]))
    counts.minorticks_off()
    counts.set_xlabel("C  (left: stronger L1 penalty, fewer weights)")
    figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)
    return figure


def ticks(C: np.ndarray) -> tuple[list[float], list[str]]:
    """The values of the ascending `C` that a logarithmic axis has room to label, and the labels."""
    room = np.log(C[-1] / C[0]) / 8
    kept = [C[0]]
    for value in C[1:]:
        if np.log(value / kept[-1]) >= room:
            kept.append(value)
    return kept, [f"{value:.3g}" for value in kept]


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
