"""What a search found: its numbers, its curve, and the sparsest C that is as good as the best."""

from typing import Any

import numpy as np

from analysis.every_c import corners
from pipeline.rounding import log10_gap_bound, round_difference

Results = dict[str, Any]


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
            "above_grid": round_difference(above),
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
    """The position of the smallest C whose mean test score is at most one standard error below the
    best: mean_C ≥ mean_best − std_best / √k, std with k − 1 for k folds (Breiman et al., 1984)."""
    error = results["std_test_score"][best] / np.sqrt(folds - 1)  # scikit-learn's std is with k
    means = results["mean_test_score"]
    near = np.flatnonzero(means >= means[best] - error)
    return int(near[np.argmin(np.asarray(results["param_C"], dtype=float)[near])])
