"""The path over C, from the training images alone: its optima at some C, and where it bends.

The objective is ‖w‖₁ + |b| + C Σ_i max(0, 1 − s_i f_i)², with f_i = w·x_i + b. It has one optimum
(w, b) at each C. The margin of image i is s_i f_i. After a division of the objective by 2C, the
weight of the penalty is λ = 1/(2C). An event is a C at which a weight becomes 0 or non-zero, or a
margin crosses 1. Between two events the optimum is a linear function of λ. So the optima at the
events are enough to compute the optimum at every C.

Point: one of `gridsearch.path` values of C, and the optimum there.
Corner: a C at which the path bends.
Turn: a C at which one weight becomes 0 or non-zero.
Step: a C at which a number changes: an accuracy, or the number of non-zero weights.
"""

from itertools import pairwise

import numpy as np
import scipy.sparse
from sklearn.svm import l1_min_c

from analysis.every_c import found_path, refuse_too_many
from l1svc import ExactSearch, exact_search, svm_path
from l1svc.jobs import Crew
from pipeline.convergence import converged
from pipeline.errors import NotConvergedError
from pipeline.progress import progress
from pipeline.rounding import path_units, round_C, round_event, round_path

HIGHEST = 10.0  # C at the end of the path
ABOVE_LEAST = 1.01  # the path begins at this multiple of the largest C at which all weights are 0
# The path is followed in two parts, each in its own process. The first part is this share of the
# range of log C. With it both parts take about the same time on the 5s and 8s of MNIST.
CUT = 0.6
MOST_GAP = 1e-8  # relative duality gap, beyond which a path is refused
Arrays = dict[str, np.ndarray]


def path_grid(X: np.ndarray, s: np.ndarray, count: int) -> list[float]:
    """`count` values in geometric progression, from just above the C at which w = 0 to 10 (or to
    twice the first, where that is more)."""
    lowest = ABOVE_LEAST * l1_min_c(X, s, loss="squared_hinge")
    values = np.geomspace(lowest, max(HIGHEST, 2 * lowest), count)
    return sorted(set(map(round_C, values)))


def solve_path(X: np.ndarray, s: np.ndarray, Cs: list[float]) -> Arrays:
    """The optimum at every C of `Cs`, ascending.

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1

    Returns
    -------
    dict of C (k,), coef (k, p), intercept (k,)

    Raises
    ------
    NotConvergedError
        The solver did not reach its tolerance at one of the Cs.
    """
    refusal = (
        f"gridsearch.path: the path over C from {Cs[0]:g} to {Cs[-1]:g}: newton did not converge "
        "at each of its values; allowed: other images"
    )
    with converged(refusal), progress("path over C", len(Cs), "fits") as step:
        fits = svm_path(X, s, Cs, n_jobs=-1, callback=step)
    return {
        "C": np.array(Cs),
        "coef": round_path(fits.coef),
        "intercept": round_path(fits.intercept),
    }


def follow_path(X: np.ndarray, s: np.ndarray, low: float, high: float) -> Arrays:
    """The path at every C from `low` to `high`: its corners, and what happens there.

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1

    Returns
    -------
    dict
        corner_C : (m,) the C of the corners, ascending;
        corner_start, corner_column, corner_weight : the weights at the corners, as a CSR matrix
        of m rows and p + 1 columns (the last is the bias). The non-zero weights of corner i are
        corner_weight[corner_start[i] : corner_start[i + 1]], in units of PATH_UNIT. The same
        slice of corner_column holds their columns;
        turn_column, turn_C : (t,) each turn's column, and its C, sorted by column and then by C.
        At the first turn of a column its weight becomes non-zero, at the second 0, and so on;
        train_C, train_accuracy : (u,) each training accuracy holds from its C up to the next C.

    Raises
    ------
    PipelineError
        More pixels are used than a path over every C takes.
    NotConvergedError
        The path was lost, or is not certain to 1e-8.
    """
    refuse_too_many(X, "gridsearch.follow_path: got true", "false")
    ends = (low, round_C(low ** (1 - CUT) * high**CUT), high)
    with (
        found_path("gridsearch.follow_path", "false"),
        progress("path at every C", 2, "parts") as step,
    ):
        halves: list[ExactSearch] = []
        for half in Crew((X, s), -1, "processes").run(_part, pairwise(ends)):
            halves.append(half)
            step()
    # exact_search ran in another process. Its warning is not seen here, so the gap is checked.
    if max(half.duality_gap for half in halves) > MOST_GAP:
        raise NotConvergedError(
            f"gridsearch.follow_path: from C = {low:g} to {high:g} the path is not certain to "
            f"{MOST_GAP:g}; allowed: false"
        )
    return _corners(halves) | _turns(halves, X.shape[1] + 1) | _train(halves)


def _part(data: tuple[np.ndarray, np.ndarray], low: float, high: float) -> ExactSearch:
    """The path from `low` to `high`.

    One "fold" that is fitted to all images and tested on the same: its test score is the training
    accuracy.
    """
    X, s = data
    all_images = np.arange(len(s))
    return exact_search(X, s, low, high, cv=[(all_images, all_images)], return_corners=True)


def _corners(halves: list[ExactSearch]) -> Arrays:
    Cs, weights = zip(*(half.corners[0] for half in halves if half.corners), strict=True)
    C, last = _as_rounded(np.concatenate(Cs))
    W = scipy.sparse.vstack(weights, format="csr")[last]
    W.data = path_units(W.data)
    W.eliminate_zeros()
    return {
        "corner_C": C,
        "corner_start": W.indptr.astype(np.int32),
        "corner_column": W.indices.astype(np.int32),
        "corner_weight": W.data,
    }


def _turns(halves: list[ExactSearch], columns: int) -> Arrays:
    """For each column the C at which its weight enters, leaves, enters …"""
    turns: list[list[float]] = [[] for _ in range(columns)]
    for half in halves:
        (events,) = half.entries
        # exact_search reports each weight that is non-zero at the first C of a half as entering
        # there. In the second half this is no turn if the first half ended with that weight
        # non-zero: a turn is added only for a weight on which the two halves disagree.
        begins = events["C"] == half.Cs[0]
        there = set(events["index"][begins].tolist())
        for column in range(columns):
            was_there = len(turns[column]) % 2 == 1
            if (column in there) != was_there:
                turns[column].append(float(half.Cs[0]))
        for C, column in zip(events["C"][~begins], events["index"][~begins], strict=True):
            turns[column].append(float(C))
    return {
        "turn_column": np.repeat(np.arange(columns), [len(of_one) for of_one in turns]),
        "turn_C": np.array([round_event(C) for of_one in turns for C in of_one]),
    }


def _train(halves: list[ExactSearch]) -> Arrays:
    C, last = _as_rounded(np.concatenate([half.Cs[:-1] for half in halves]))
    accuracy = np.concatenate([half.test_scores[0] for half in halves])[last]
    new = np.append(True, accuracy[1:] != accuracy[:-1])
    return {"train_C": C[new], "train_accuracy": accuracy[new]}


def _as_rounded(C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values that ascending C become by rounding, and for each the index in `C` of
    the last that became it.
    """
    # C[0] is the caller's end of the path: it is not rounded again.
    rounded = np.array([C[0], *map(round_event, C[1:])])
    last = np.flatnonzero(np.append(rounded[1:] > rounded[:-1], True))
    return rounded[last], last
