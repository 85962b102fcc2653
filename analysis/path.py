"""The path over C, seen by the images: what C does to accuracies, objective and weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.rounding import PATH_UNIT, round_event, round_path

CORNERS = 1000  # evaluated at once: a block of scores takes (test images) × 8 kB
Steps = tuple[np.ndarray, np.ndarray]  # C, values: values[k] holds from C[k] up to C[k + 1]


@dataclass(frozen=True)
class PathPoint:
    """The optimum at one C; accuracies and objective are those of the weights as rounded."""

    C: float
    coef: np.ndarray  # (p,)
    intercept: float
    nonzero: int  # the bias included
    train_accuracy: float
    test_accuracy: float
    objective: float


@dataclass(frozen=True)
class FollowedPath:
    """What is known of each C of the path, not of its points alone."""

    # (p,) lists: of each pixel the C, ascending, at which its weight enters, leaves, enters …
    entries: Sequence[Sequence[float]]
    nonzero: Steps  # the bias included
    train: Steps  # accuracies
    test: Steps


def with_model(
    path: dict[str, np.ndarray], C: float, coef: np.ndarray, intercept: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """C, weights and biases of the path's points and of one model more, in the order of C.

    The path's own point at that C, if there is one, gives way.
    """
    others = path["C"] != C
    at = np.searchsorted(path["C"][others], C)
    return (
        np.insert(path["C"][others], at, C),
        np.insert(path["coef"][others], at, coef, axis=0),
        np.insert(path["intercept"][others], at, intercept),
    )


def path_points(
    Cs: np.ndarray,
    coef: np.ndarray,
    intercept: np.ndarray,
    X: np.ndarray,
    s: np.ndarray,
    X_test: np.ndarray,
    s_test: np.ndarray,
) -> list[PathPoint]:
    """The models of a path with their accuracies, and ‖w‖₁ + |b| + C Σ_i max(0, 1 − s_i f_i)².

    Parameters
    ----------
    Cs : (k,) ascending
    coef, intercept : (k, p) weights, (k,) biases
    X, X_test : (n, p) float64
    s, s_test : (n,) -1 or +1
    """
    # Plain sums, unlike the trained model's scores in evaluate: only their signs count here.
    f, f_test = X @ coef.T + intercept, X_test @ coef.T + intercept  # (n, k)
    train, test = (
        np.mean((values > 0) == (signs > 0)[:, None], axis=0)
        for values, signs in ((f, s), (f_test, s_test))
    )
    # l1svc.objective would check and multiply X once more for every C
    loss = np.sum(np.maximum(0, 1 - s[:, None] * f) ** 2, axis=0)
    objective = round_path(np.abs(coef).sum(axis=1) + np.abs(intercept) + Cs * loss)
    return [
        PathPoint(
            C=float(C),
            coef=w,
            intercept=float(intercept[k]),
            nonzero=int(np.count_nonzero(w) + (intercept[k] != 0)),
            train_accuracy=float(train[k]),
            test_accuracy=float(test[k]),
            objective=float(objective[k]),
        )
        for k, (C, w) in enumerate(zip(Cs, coef, strict=True))
    ]


def followed_path(
    path: dict[str, np.ndarray], X_test: np.ndarray, s_test: np.ndarray
) -> FollowedPath:
    """What happens along a path that was followed (analysis.follow.follow_path)."""
    pixels = X_test.shape[1]
    # turn_column ascends: a part for each pixel, and the last one for the bias, which counts as a
    # weight but is no pixel's entry.
    turns = np.split(path["turn_C"], np.searchsorted(path["turn_column"], np.arange(1, pixels + 1)))
    return FollowedPath(
        entries=[of_one.tolist() for of_one in turns[:pixels]],
        nonzero=_nonzero(turns, float(path["corner_C"][0])),
        train=(path["train_C"], path["train_accuracy"]),
        test=_test_steps(path, X_test, s_test),
    )


def _nonzero(turns: list[np.ndarray], low: float) -> Steps:
    """The number of weights that are not 0, from where each enters (+1) and leaves (−1)."""
    changes = {low: 0}
    for of_one in turns:
        for k, C in enumerate(of_one.tolist()):
            # At even k the weight enters, at odd k it leaves. Rounding can put a C below the first
            # C of the path: such a turn counts at that first C.
            at = max(C, low)
            changes[at] = changes.get(at, 0) + (-1 if k % 2 else 1)
    Cs = np.array(sorted(changes))
    return Cs, np.cumsum([changes[C] for C in Cs])


def _test_steps(path: dict[str, np.ndarray], X_test: np.ndarray, s_test: np.ndarray) -> Steps:
    """The accuracy on the test images at every C.

    A score is straight in λ = 1/(2C) from one corner to the next: where its sign differs at the
    two, it is 0 at one λ in between, and there an answer turns right or wrong.
    """
    lam = 0.5 / path["corner_C"]
    n, corners = len(s_test), len(lam)
    right_at_first, turned_at, change = 0, [], []
    for first in range(0, corners - 1, CORNERS):
        last = min(first + CORNERS, corners - 1)  # the next block begins with this one's end
        f = _scores_at_corners(path, slice(first, last + 1), X_test)  # (n, block)
        right = (f > 0) == (s_test > 0)[:, None]
        if first == 0:
            right_at_first = int(right[:, 0].sum())
        # Each pair (image, k): the answer changes between corner k and corner k + 1 of the block.
        image, k = np.nonzero(right[:, 1:] != right[:, :-1])
        share = f[image, k] / (f[image, k] - f[image, k + 1])  # of the way to the next corner
        turned_at.append(lam[first + k] + share * (lam[first + k + 1] - lam[first + k]))
        change.append(np.where(right[image, k + 1], 1, -1))
    # The λ of each change becomes a rounded C, and these are sorted. Several changes may have the
    # same rounded C: the count after the last of them is kept. A C that leaves the count as it was
    # is no step, and is dropped.
    C = np.array([round_event(0.5 / zero) for zero in np.concatenate(turned_at)])
    order = np.argsort(C, kind="stable")
    C = np.append(path["corner_C"][0], C[order])
    count = right_at_first + np.append(0, np.cumsum(np.concatenate(change)[order]))
    last_of_C = np.append(C[1:] > C[:-1], True)
    C, count = C[last_of_C], count[last_of_C]
    new = np.append(True, count[1:] != count[:-1])
    return C[new], count[new] / n


def _scores_at_corners(path: dict[str, np.ndarray], corners: slice, X: np.ndarray) -> np.ndarray:
    """(n, corners) scores of images at consecutive corners."""
    start = path["corner_start"][corners.start : corners.stop + 1]
    held = slice(start[0], start[-1])
    W = np.zeros((len(start) - 1, X.shape[1] + 1))  # (corners, p + 1), the bias last
    row = np.repeat(np.arange(len(W)), np.diff(start))
    W[row, path["corner_column"][held]] = PATH_UNIT * path["corner_weight"][held]
    used = np.flatnonzero(W[:, :-1].any(axis=0))
    return np.asarray(X[:, used] @ W[:, used].T + W[:, -1])


def first_C(every: FollowedPath | None, points: list[PathPoint]) -> np.ndarray:
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
