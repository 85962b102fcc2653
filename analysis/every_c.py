"""Cross-validation for every C of a range, beside the few values of a grid."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from l1svc import exact_search
from l1svc.exact import MAX_COLUMNS, SCORES
from pipeline.convergence import converged
from pipeline.errors import NotConvergedError, PipelineError
from pipeline.progress import progress
from pipeline.rounding import gap_bound, round_C, round_event, round_inward

# Where a score has no steps, C is tried at FIRST values, then ROUNDS times at BETWEEN more on
# either side of the best.
FIRST, BETWEEN, ROUNDS = 33, 8, 3

# The mean test score at each C; the second argument is called after each fit.
MeanScores = Callable[[list[float], Callable[[], None]], Sequence[float]]


def every_C(
    X: np.ndarray,
    s: np.ndarray,
    low: float,
    high: float,
    cv: int,
    scoring: str,
    mean_scores: MeanScores,
) -> dict[str, Any]:
    """The mean test score over C from `low` to `high`.

    A score that the signs of the decision values make (accuracy and its kin) is a step function of
    C, and all of its steps are computed. Others (roc_auc, average_precision) are not: they are
    computed at 33 values in geometric progression and, three times, at 8 more on either side of the
    best so far.

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1
    cv : number of stratified folds
    mean_scores : what the grid is searched by, where the score has no steps

    Returns
    -------
    dict
        exact : True if every C of the range was computed, False if only some were tried;
        C : (m + 1,) ascending;
        mean_test_score : if `exact`, (m,) scores, each from one C up to the next; else (m + 1,)
        scores, one at each C;
        best_score, best_C : the highest mean test score, and a C that has it;
        best_interval : if `exact`, all C around best_C with that score; else None;
        duality_gap : if `exact`, a bound on the relative gap of certified optima; else None.

    Raises
    ------
    PipelineError
        More pixels are used than a path over every C takes.
    NotConvergedError
        An optimum was not found, or the path was lost.
    """
    if scoring not in SCORES:
        return _tried(low, high, cv, mean_scores)
    refuse_too_many(X, f"gridsearch.range: got [{low}, {high}]", "null")
    refusal = found_path(f"gridsearch.range: [{low}, {high}]", "smaller values of C")
    with refusal, progress("every C", cv, "folds") as step:
        found = exact_search(X, s, low, high, cv=cv, scoring=scoring, n_jobs=-1, callback=step)
    # Two events may have one C once it is rounded: the step between them has no width, and goes.
    # The two ends are given, not rounded. best_C lies inside one of the best intervals.
    edges = np.array([low, *map(round_event, found.Cs[1:-1]), high])
    wide = np.diff(edges) > 0
    around = next(ends for ends in found.best_intervals if ends[0] < found.best_C < ends[1])
    return {
        "exact": True,
        "C": np.append(edges[:-1][wide], high),
        "mean_test_score": found.mean_test_score[wide],
        "best_score": found.best_score,
        "best_C": found.best_C,
        "best_interval": round_inward(*around),
        "duality_gap": gap_bound(found.duality_gap),
    }


def _tried(low: float, high: float, cv: int, mean_scores: MeanScores) -> dict[str, Any]:
    means: dict[float, float] = {}

    def add(values: np.ndarray) -> None:
        Cs = sorted({low, high, *map(round_C, values)} - set(means))
        inside = [C for C in Cs if low <= C <= high]
        means.update(zip(inside, map(float, mean_scores(inside, step)), strict=True))

    fits = (FIRST + 2 * BETWEEN * ROUNDS) * cv
    with progress("values of C", fits, "fits") as step:
        add(np.geomspace(low, high, FIRST))
        for _ in range(ROUNDS):
            Cs = sorted(means)
            best = max(range(len(Cs)), key=lambda k: means[Cs[k]])
            ends = Cs[max(best - 1, 0)], Cs[best], Cs[min(best + 1, len(Cs) - 1)]
            add(np.concatenate([np.geomspace(a, b, BETWEEN + 2) for a, b in pairwise(ends)]))
    Cs = sorted(means)
    best_C = max(Cs, key=lambda C: means[C])
    return {
        "exact": False,
        "C": np.array(Cs),
        "mean_test_score": np.array([means[C] for C in Cs]),
        "best_score": means[best_C],
        "best_C": best_C,
        "best_interval": None,
        "duality_gap": None,
    }


def refuse_too_many(X: np.ndarray, got: str, instead: str) -> None:
    """Refuses images with more pixels in use than a path over every C takes."""
    used = int(np.count_nonzero(X.any(axis=0)))
    if used >= MAX_COLUMNS:  # with the bias
        raise PipelineError(
            f"params.yaml: {got}, with {used} pixels in use; allowed: {instead}, or fewer than "
            f"{MAX_COLUMNS} pixels"
        )


@contextmanager
def found_path(key: str, allowed: str) -> Iterator[None]:
    """A path that is lost, or not certified, becomes a line that begins with `key`."""
    refusal = f"{key}: the path over every C is not certain to 1e-8; allowed: {allowed}"
    try:
        with converged(refusal):
            yield
    except ArithmeticError as error:
        raise NotConvergedError(f"{key}: {error}") from error
