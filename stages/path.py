"""The path: what C does to the weights, from none at all to nearly as many as there are pixels."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from sklearn.svm import l1_min_c

from l1svc import svm_path
from stages.convergence import converged
from stages.labels import a
from stages.pixels import draw_weights
from stages.style import BLUE, GREY, new_figure

HIGHEST = 10.0  # C at the end of the path
DECIMALS = 6  # of its weights: far above what differs between machines, as they are not refined


@dataclass(frozen=True)
class PathPoint:
    """The optimum at one C; accuracies and objective are those of the weights as rounded."""

    C: float
    coef: np.ndarray  # (784,)
    intercept: float
    nonzero: int  # the bias included
    train_accuracy: float
    test_accuracy: float
    objective: float


def grid(X: np.ndarray, s: np.ndarray, C: float, count: int) -> list[float]:
    """`count` values in geometric progression from just above the C at which w = 0 to 10, and C.

    Four digits each: enough to say them, and the same on every machine.
    """
    lowest = 1.01 * l1_min_c(X, s, loss="squared_hinge")
    values = np.geomspace(lowest, max(HIGHEST, 2 * lowest), count)
    return sorted({C, *(float(f"{value:.4g}") for value in values)})


def path(
    X: np.ndarray, s: np.ndarray, X_test: np.ndarray, s_test: np.ndarray, Cs: list[float]
) -> list[PathPoint]:
    """The optimum at every C of `Cs`, ascending; ‖w‖₁ + C Σ_i max(0, 1 − s_i f_i)² there.

    Parameters
    ----------
    X, X_test : (n, 784) float64
    s, s_test : (n,) -1 or +1

    Raises
    ------
    NotConvergedError
        The solver did not reach its tolerance at one of the Cs.
    """
    with converged(
        f"interpret: the path over C from {Cs[0]:g} to {Cs[-1]:g}: newton did not converge at "
        "each of its values; allowed: a train.C and images at which it does"
    ):
        fits = svm_path(X, s, Cs, n_jobs=-1)
    W, b = fits.coef.round(DECIMALS), fits.intercept.round(DECIMALS)
    f, f_test = X @ W.T + b, X_test @ W.T + b
    train, test = (
        np.mean((values > 0) == (signs > 0)[:, None], axis=0)
        for values, signs in ((f, s), (f_test, s_test))
    )
    # l1svc.objective would check and multiply X once more for every C
    loss = np.sum(np.maximum(0, 1 - s[:, None] * f) ** 2, axis=0)
    norm = np.abs(W).sum(axis=1) + np.abs(b)
    return [
        PathPoint(
            C=C,
            coef=w,
            intercept=float(b[k]),
            nonzero=int(np.count_nonzero(w) + (b[k] != 0)),
            train_accuracy=float(train[k]),
            test_accuracy=float(test[k]),
            objective=round(float(norm[k] + C * loss[k]), 6),
        )
        for k, (C, w) in enumerate(zip(Cs, W, strict=True))
    ]


def small_multiples(
    points: list[PathPoint], C: float, classes: tuple[int, int], columns: int = 4, rows: int = 3
) -> Figure:
    """The weights at `columns` × `rows` values of C along the path, on one colour scale.

    Parameters
    ----------
    points : the path; the first and the last are among those shown
    C : of the trained model, among those of the path; shown and framed
    classes : the digits that a negative and a positive weight speak for
    """
    shown = [points[i] for i in np.linspace(0, len(points) - 1, columns * rows).round().astype(int)]
    at = [point.C for point in points].index(C)
    nearest = int(np.argmin([abs(points.index(point) - at) for point in shown]))
    shown[nearest] = points[at]
    figure = new_figure(2.05 * columns, 2.5 * rows + 0.8)
    figure.suptitle(
        "The larger C, the more pixels are used",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    negative, positive = classes
    figure.supxlabel(
        f"Red speaks for {a(negative)}, blue for {a(positive)}; grey is exactly 0: not used.",
        fontsize=9,
        color=GREY,
    )
    for point, axes in zip(shown, figure.subplots(rows, columns).flat, strict=True):
        draw_weights(axes, point.coef)
        axes.set(xticks=[], yticks=[])
        framed = point.C == C
        axes.spines[:].set(visible=framed, color=BLUE, linewidth=2)
        axes.set_title(f"C = {point.C:.2g}" + (" (trained)" if framed else ""), fontsize=10)
        weights = f"{point.nonzero} non-zero weight{'s' * (point.nonzero != 1)}"
        axes.set_xlabel(f"{weights}\ntest accuracy {point.test_accuracy:.1%}", fontsize=8.5)
    return figure
