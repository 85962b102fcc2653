"""GridSearchCV's ``cv_results_`` of the fits of all folds, and the best C by them."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from scipy.stats import rankdata

from .folds import FoldFit

Refit = bool | str | Callable[[dict[str, Any]], int]


def is_multimetric(folds: list[list[FoldFit]]) -> bool:
    """Whether the fits of these folds have several scores each."""
    return isinstance(folds[0][0].test_score, dict)


def best_index(results: dict[str, Any], refit: Refit, multimetric: bool) -> int | None:
    """Where in ``cv_results_`` the best C is, as GridSearchCV's ``refit`` says.

    None where there are several metrics and ``refit`` is False.

    Raises
    ------
    TypeError, IndexError
        Where a callable ``refit`` gives no integer, or one out of range.
    ValueError
        Where ``refit`` names none of several metrics.
    """
    if callable(refit):
        index = refit(results)
        if not isinstance(index, Integral):
            raise TypeError("best_index_ returned is not an integer")
        if not 0 <= index < len(results["params"]):
            raise IndexError("best_index_ index out of range")
        return index
    metric = refit if multimetric else "score"
    if metric is False:
        return None
    names = [key[len("mean_test_") :] for key in results if key.startswith("mean_test_")]
    if metric not in names:
        raise ValueError(
            "For multi-metric scoring, refit must be False, a callable or one of"
            f" {names}, got {refit!r}."
        )
    return int(results[f"rank_test_{metric}"].argmin())


def tabulate(Cs: np.ndarray, folds: list[list[FoldFit]]) -> dict[str, Any]:
    """GridSearchCV's ``cv_results_``, in the order of ``Cs``, from folds that ascend in C."""
    positions = np.searchsorted(np.unique(Cs), Cs)
    folds = [[fold[k] for k in positions] for fold in folds]
    results = {}

    def store(name, values, splits=True):
        table = np.array(values, dtype=np.float64)
        if splits:
            for k, row in enumerate(table):
                results[f"split{k}_{name}"] = row
        return table

    def store_moments(name, values, splits=True):
        table = store(name, values, splits)
        results[f"mean_{name}"] = table.mean(axis=0)
        with np.errstate(invalid="ignore"):  # inf has no spread: NaN
            results[f"std_{name}"] = table.std(axis=0)

    def collect(attribute):
        return [[getattr(fit, attribute) for fit in fold] for fold in folds]

    store_moments("fit_time", collect("fit_time"), splits=False)
    store_moments("score_time", collect("score_time"), splits=False)
    results["param_C"] = np.ma.masked_array(Cs, mask=np.zeros(len(Cs), dtype=bool))
    results["params"] = [{"C": float(C)} for C in Cs]
    for part in ("test", "train"):
        scores = collect(f"{part}_score")
        if scores[0][0] is None:
            continue
        if not isinstance(scores[0][0], dict):
            scores = [[{"score": score} for score in fold] for fold in scores]
        for name in scores[0][0]:
            store_moments(f"{part}_{name}", [[score[name] for score in fold] for fold in scores])
            if part == "test":
                mean = results[f"mean_test_{name}"]
                worst = 0.0 if np.isnan(mean).all() else np.nanmin(mean) - 1
                ranks = rankdata(-np.nan_to_num(mean, nan=worst), method="min")
                results[f"rank_test_{name}"] = ranks.astype(np.int32)
    results["max_duality_gap"] = store("duality_gap", collect("gap")).max(axis=0)
    store("n_iter", collect("n_iter"))
    nonzero = [[np.count_nonzero(fit.W) for fit in fold] for fold in folds]
    results["nonzero"] = store("nonzero", nonzero).mean(axis=0)
    return results
