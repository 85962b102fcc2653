"""The path: what C does to the weights, from none at all to nearly as many as there are pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.svm import l1_min_c

from l1svc import svm_path
from pipeline.convergence import converged
from pipeline.progress import progress
from pipeline.rounding import round_C, round_path

HIGHEST = 10.0  # C at the end of the path


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
class EveryC:
    """What is known of each C between the points of a path, from the exact path.

    A step function is (C, values): values[k] holds from C[k] up to C[k + 1], or to the end.
    """

    # (p,): for each pixel the C, ascending, at which its weight enters, leaves, enters …
    entries: Sequence[Sequence[float]]
    nonzero: tuple[np.ndarray, np.ndarray]  # the bias included
    train: tuple[np.ndarray, np.ndarray]  # accuracies
    test: tuple[np.ndarray, np.ndarray]


def path_grid(X: np.ndarray, s: np.ndarray, C: float, count: int) -> list[float]:
    """`count` values in geometric progression from just above the C at which w = 0 to 10, and C."""
    lowest = 1.01 * l1_min_c(X, s, loss="squared_hinge")
    values = np.geomspace(lowest, max(HIGHEST, 2 * lowest), count)
    return sorted({C, *map(round_C, values)})


def solve_path(
    X: np.ndarray, s: np.ndarray, X_test: np.ndarray, s_test: np.ndarray, Cs: list[float]
) -> list[PathPoint]:
    """The optimum at every C of `Cs`, ascending; ‖w‖₁ + C Σ_i max(0, 1 − s_i f_i)² there.

    Parameters
    ----------
    X, X_test : (n, p) float64
    s, s_test : (n,) -1 or +1

    Raises
    ------
    NotConvergedError
        The solver did not reach its tolerance at one of the Cs.
    """
    refusal = (
        f"interpret: the path over C from {Cs[0]:g} to {Cs[-1]:g}: newton did not converge at "
        "each of its values; allowed: a train.C and images at which it does"
    )
    with converged(refusal), progress("path over C", len(Cs), "fits") as step:
        fits = svm_path(X, s, Cs, n_jobs=-1, callback=step)
    W, b = round_path(fits.coef), round_path(fits.intercept)
    f, f_test = X @ W.T + b, X_test @ W.T + b
    train, test = (
        np.mean((values > 0) == (signs > 0)[:, None], axis=0)
        for values, signs in ((f, s), (f_test, s_test))
    )
    # l1svc.objective would check and multiply X once more for every C
    loss = np.sum(np.maximum(0, 1 - s[:, None] * f) ** 2, axis=0)
    objective = round_path(np.abs(W).sum(axis=1) + np.abs(b) + np.array(Cs) * loss)
    return [
        PathPoint(
            C=C,
            coef=w,
            intercept=float(b[k]),
            nonzero=int(np.count_nonzero(w) + (b[k] != 0)),
            train_accuracy=float(train[k]),
            test_accuracy=float(test[k]),
            objective=float(objective[k]),
        )
        for k, (C, w) in enumerate(zip(Cs, W, strict=True))
    ]
