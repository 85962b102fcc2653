"""What a search found: its numbers, its curve, and the sparsest C that is as good as the best."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts import load_object
from pipeline.rounding import log10_gap_bound, round_difference
from pipeline.schemas import foreign


@dataclass(frozen=True)
class Search:
    """The cross-validation of m values of C in k folds."""

    scoring: str  # the score's name in scikit-learn
    C: np.ndarray  # (m,), in the order of params.yaml
    train_scores: np.ndarray  # (k, m)
    test_scores: np.ndarray  # (k, m)
    nonzero: np.ndarray  # (k, m) weights that are not 0, the bias included
    duality_gap: np.ndarray  # (k, m) bounds on the relative gaps
    fold_sizes: np.ndarray  # (k,) test rows
    best: int  # the place of the C with the highest mean test score
    sparsest: int  # of the smallest C within one standard error of it
    every: dict[str, Any] | None  # as analysis.every_c.every_C gives it

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Search":
        """From what stages.gridsearch.search gives, and data/gridsearch.joblib holds."""
        results, sizes = found["cv_results_"], np.asarray(found["fold_sizes"], dtype=float)

        def table(name: str) -> np.ndarray:
            return np.array([results[f"split{fold}_{name}"] for fold in range(len(sizes))], float)

        return cls(
            scoring=found["scoring"],
            C=np.asarray(results["param_C"], dtype=float),
            train_scores=table("train_score"),
            test_scores=table("test_score"),
            nonzero=table("nonzero"),
            duality_gap=table("duality_gap"),
            fold_sizes=sizes,
            best=found["best_index_"],
            sparsest=found["sparsest_index_"],
            every=found["every_C"],
        )


def load_search(path: Path) -> Search:
    """The search in data/gridsearch.joblib.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds something else.
    """
    found = load_object(path)
    try:
        search = Search.of(found)
        _check(search)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise foreign(path, "no search: its parts are missing, or do not fit") from error
    return search


def _check(search: Search) -> None:
    """A ValueError if numbers are missing, or do not fit each other."""
    k, m = search.test_scores.shape
    tables = (search.train_scores, search.test_scores, search.nonzero, search.duality_gap)
    arrays = [*tables, search.C, search.fold_sizes]
    curve = [] if search.every is None else list(corners(search.every))
    if search.every is not None:
        arrays += [*curve, np.array([search.every["best_C"], search.every["best_score"]], float)]
    whole = (
        search.C.shape == (m,)
        and search.fold_sizes.shape == (k,)
        and min(k, m) > 0
        and all(table.shape == (k, m) for table in tables)
        and all(np.isfinite(array).all() for array in arrays)
        and min(np.concatenate([search.C, *curve[:1]])) > 0
        and all(type(place) is int and 0 <= place < m for place in (search.best, search.sparsest))
        and all(len(part) == len(curve[0]) > 0 for part in curve)
        and type(search.scoring) is str
        and search.scoring.replace("_", "").isalpha()
    )
    if not whole:
        raise ValueError("its numbers do not fit each other")


def metrics(search: Search) -> dict[str, Any]:
    """The numbers for metrics/gridsearch.json.

    best, sparsest_within_one_standard_error : the C, its score and its number of non-zero weights,
    both as means over the folds.
    every_C : the best score over the whole range, how far it is above the best of the grid, and
    where it is reached.
    log10_duality_gap_at_most : a bound on the largest relative duality gap of all fits.
    """
    scores, nonzero = search.test_scores.mean(axis=0), search.nonzero.mean(axis=0)

    def at(i: int) -> dict[str, float]:
        return {
            "C": float(search.C[i]),
            "mean_test_score": float(scores[i]),
            "mean_nonzero": float(nonzero[i]),
        }

    every, gaps = search.every, [search.duality_gap.max()]
    report: dict[str, Any] = {
        "best": at(search.best),
        "sparsest_within_one_standard_error": at(search.sparsest),
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


def curve(search: Search) -> list[dict[str, Any]]:
    """The validation curve, as rows of a table: one for each C of the grid, ascending, and the
    corners of the curve over every C.

    kind is "grid", or "every C", whose rows have C, mean_test_score and scoring alone.
    mean_test_score is the plain mean over folds (scikit-learn's of today);
    weighted_mean_test_score = sum_k n_k s_k / sum_k n_k weighs fold k by its n_k test rows
    (scikit-learn's default until 0.21, which the article used). best and sparsest are 1 in the
    rows of these C, else 0. scoring is the score's name, in every row.
    """
    at, order = np.arange(len(search.C)), np.argsort(search.C)
    columns = {
        "C": search.C,
        "mean_train_score": search.train_scores.mean(axis=0),
        "std_train_score": search.train_scores.std(axis=0),
        "mean_test_score": search.test_scores.mean(axis=0),
        "std_test_score": search.test_scores.std(axis=0),
        "weighted_mean_test_score": np.average(
            search.test_scores, axis=0, weights=search.fold_sizes
        ),
        "mean_nonzero": search.nonzero.mean(axis=0),
        "best": (at == search.best).astype(int),
        "sparsest": (at == search.sparsest).astype(int),
    }
    grid = zip(*(column[order].tolist() for column in columns.values()), strict=True)
    rows = [dict(zip(columns, row, strict=True)) | {"kind": "grid"} for row in grid]
    if search.every:
        empty = dict.fromkeys(columns, "")
        for C_of_corner, score in zip(*corners(search.every), strict=True):
            corner = {"C": float(C_of_corner), "mean_test_score": float(score)}
            rows.append(empty | corner | {"kind": "every C"})
    return [row | {"scoring": search.scoring} for row in rows]


def corners(every: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """C and mean test score along the curve over every C (analysis/every_c.py): both ends of each
    step, or each C that was tried.
    """
    C, score = every["C"], every["mean_test_score"]
    if not every["exact"]:
        return C, score
    return np.repeat(C, 2)[1:-1], np.repeat(score, 2)


def sparsest_within_one_error(C: np.ndarray, test_scores: np.ndarray, best: int) -> int:
    """The position of the smallest C whose mean test score is at most one standard error below the
    best: mean_C ≥ mean_best − std_best / √k, std divides by k − 1 (Breiman et al., 1984)."""
    means = test_scores.mean(axis=0)
    # NumPy's std divides by k: std_k / √(k − 1) = std_(k−1) / √k.
    error = test_scores[:, best].std() / np.sqrt(len(test_scores) - 1)
    near = np.flatnonzero(means >= means[best] - error)
    return int(near[np.argmin(C[near])])
