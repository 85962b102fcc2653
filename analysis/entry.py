"""The path at every C: where each pixel's weight enters and leaves, and where accuracies step."""

from itertools import pairwise
from typing import Any

import numpy as np

from analysis.every_c import found_path, refuse_too_many
from analysis.path import EveryC, PathPoint
from l1svc import ExactSearch, exact_search
from l1svc.jobs import Crew
from pipeline.errors import NotConvergedError
from pipeline.progress import progress
from pipeline.rounding import round_C, round_event

LEFT = 0.6  # of the range, by its logarithm: half of the work, on the images of this project
MOST_GAP = 1e-8

Steps = tuple[np.ndarray, np.ndarray]


def every_C_of_path(
    X: np.ndarray,
    s: np.ndarray,
    X_test: np.ndarray,
    s_test: np.ndarray,
    low: float,
    high: float,
) -> EveryC:
    """What happens along the path from `low` to `high`, by l1svc.exact_search.

    Parameters
    ----------
    X, X_test : (n, p) float64
    s, s_test : (n,) -1 or +1

    Raises
    ------
    PipelineError
        More pixels are used than a path over every C takes.
    NotConvergedError
        The path was lost, or is not certain to 1e-8.
    """
    refuse_too_many(X, "interpret.every_C: got true", "false")
    both, signs = np.concatenate([X, X_test]), np.concatenate([s, s_test])
    split = np.split(np.arange(len(both)), [len(X)])
    ends = (low, round_C(low ** (1 - LEFT) * high**LEFT), high)
    with found_path("interpret.every_C"), progress("every C", 2, "parts") as step:
        halves = []
        for half in Crew((both, signs, [split]), -1, "processes").run(_half, pairwise(ends)):
            halves.append(half)
            step()
    if max(half.duality_gap for half in halves) > MOST_GAP:  # a warning stays in its process
        raise NotConvergedError(
            f"interpret.every_C: from C = {low:g} to {high:g} the path is not certain to "
            f"{MOST_GAP:g}; allowed: false"
        )
    turns = _turns(halves, X.shape[1] + 1)
    return EveryC(
        entries=[[round_event(C) for C in turns_of_one] for turns_of_one in turns[:-1]],
        nonzero=_nonzero(turns, low),
        train=_steps(halves, "train_scores"),
        test=_steps(halves, "test_scores"),
    )


def _half(data: Any, low: float, high: float) -> ExactSearch:
    """The path from `low` to `high`."""
    both, signs, cv = data
    return exact_search(both, signs, low, high, cv=cv, return_train_score=True)


def first_C(every: EveryC | None, points: list[PathPoint]) -> np.ndarray:
    """(p,) the C at which each pixel's weight is not 0 for the first time, infinite where none is.

    Exact where every C is known; else the first of the points' C.
    """
    if every is not None:
        return np.array([min(entries, default=np.inf) for entries in every.entries])
    used = np.array([point.coef != 0 for point in points])
    Cs = np.array([point.C for point in points])
    return np.where(used.any(axis=0), Cs[used.argmax(axis=0)], np.inf)


def nonzero_of_points(points: list[PathPoint]) -> Steps:
    """The C of the points, and their numbers of weights that are not 0."""
    return np.array([point.C for point in points]), np.array([point.nonzero for point in points])


def _turns(halves: list[ExactSearch], columns: int) -> list[list[float]]:
    """For each column the C at which its weight enters, leaves, enters …"""
    turns: list[list[float]] = [[] for _ in range(columns)]
    for half in halves:
        (events,) = half.entries
        begins = events["C"] == half.Cs[0]  # of those that are there already
        there = set(events["index"][begins].tolist())
        for column in range(columns):
            if (column in there) != len(turns[column]) % 2:
                turns[column].append(float(half.Cs[0]))
        for C, column in zip(events["C"][~begins], events["index"][~begins], strict=True):
            turns[column].append(float(C))
    return turns


def _nonzero(turns: list[list[float]], low: float) -> Steps:
    changes = {low: 0}
    for turns_of_one in turns:
        for k, C in enumerate(turns_of_one):
            at = max(round_event(C), low)
            changes[at] = changes.get(at, 0) + (-1 if k % 2 else 1)
    Cs = np.array(sorted(changes))
    return Cs, np.cumsum([changes[C] for C in Cs])


def _steps(halves: list[ExactSearch], name: str) -> Steps:
    """Where a score changes, and what it is from there on."""
    Cs = np.concatenate([half.Cs[:-1] for half in halves])
    scores = np.concatenate([getattr(half, name)[0] for half in halves])
    Cs = np.array([Cs[0], *map(round_event, Cs[1:])])  # the first is given, nothing happens there
    last = np.append(Cs[1:] > Cs[:-1], True)  # of those at one C as rounded
    Cs, scores = Cs[last], scores[last]
    new = np.append(True, scores[1:] != scores[:-1])
    return Cs[new], scores[new]
