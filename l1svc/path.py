"""The optimum along ascending C, each from the one before: {w(C) : C in Cs}, certified."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from .certificate import certify
from .design import MAX_GRAM_COLUMNS
from .newton import NewtonSolver
from .problem import Problem
from .square import SquareSolver
from .wide import WideSolver

# SUBSAMPLE_ROWS rows give the first guess of the weights, or one in MAX_STRIDE if that is more.
SUBSAMPLE_ROWS, MAX_STRIDE = 2500, 20
# The first C is FIRST_C_RATIO times the largest that leaves w = 0. From there C rises by factors of
# RUNG_FACTOR at most, with RUNG_STEPS Newton steps at each value.
FIRST_C_RATIO, RUNG_FACTOR, RUNG_STEPS = 200.0, 4.0, 20
FEW_COLUMNS_RATIO = 5.0  # the largest C, over that which leaves w = 0, at which few columns count
HELPED = 0.5  # another attempt is made only if the last one left no more than this of the gap
# SquareSolver is for SQUARE_COLUMNS columns or more, and fewer than SQUARE_ROWS rows for each.
SQUARE_COLUMNS, SQUARE_ROWS = 150, 1.5


class Solver(Protocol):
    """One binary problem on its way from C to C: what a path, the folds and the refits ask of it.

    Attributes
    ----------
    problem : Problem
    w : float64 ndarray of shape (p + 1,)
        The weights so far, the bias' last; zeros are exact.
    n_iter : int
        Steps taken.
    """

    problem: Problem
    w: np.ndarray
    n_iter: int

    def restart(self, w: np.ndarray) -> None:
        """Continue from w."""

    def reweighted(self, weights: np.ndarray) -> "Solver":
        """A copy, at the same w, for other weights of the rows; this solver stays as it is."""

    def approach(self, C: float, max_iter: int) -> None:
        """Move ``w`` near the optimum at C, by at most ``max_iter`` steps."""

    def solve(self, C: float, max_iter: int) -> None:
        """Move ``w`` to the optimum at C."""

    def polish(self, C: float, max_iter: int, thorough: bool = False) -> None:
        """Bring ``w``, which is at the optimum but for rounding, nearer; as near as can be where
        ``thorough``, though that may take long.
        """


@dataclass
class Path:
    """The optima of one ±1 problem at m values of C.

    Attributes
    ----------
    W : float64 ndarray of shape (m, p + 1)
        Weights, the bias' last.
    gaps : float64 ndarray of shape (m,)
        Relative duality gaps.
    n_iter : int ndarray of shape (m,)
        Newton steps.
    seconds : float64 ndarray of shape (m,)
    products : float64 ndarray of shape (m, n)
        WX̃ᵀ: decision values of all the rows, those left out as well.
    """

    W: np.ndarray
    gaps: np.ndarray
    n_iter: np.ndarray
    seconds: np.ndarray
    products: np.ndarray


def solver_from(problem: Problem, w: np.ndarray) -> Solver:
    """A solver that begins at w."""
    return _kind(problem)(problem, w)


def _kind(problem):
    """Which solver the columns that are not all zero, and the rows that count, ask for."""
    columns = len(problem.design.used)
    if columns > MAX_GRAM_COLUMNS:
        return WideSolver
    square = columns >= SQUARE_COLUMNS and np.count_nonzero(problem.weights) < SQUARE_ROWS * columns
    return SquareSolver if square else NewtonSolver


def start(
    problem: Problem,
    C: float,
    max_iter: int,
    *,
    alone: bool = False,
) -> Solver:
    """A solver near the optimum for C, by way of a subsample and of smaller C.

    The first steps from w = 0 have every row in I: they are taken where rows are few, for a C at
    which few weights are non-zero. Steps far upward from there would be short: C then rises on
    all rows by factors of at most RUNG_FACTOR. With many columns for the rows the solver sees to
    that itself. Where C is small and ``alone``, no other follows: G of all columns is not worth it.
    """
    kind = _kind(problem)
    if kind is not NewtonSolver:
        other = kind(problem)
        other.approach(C, max_iter)
        return other
    design, y, weights = problem.design, problem.y, problem.weights
    # w = 0 is the optimum up to the C at which |X̃ᵀ(s∘y)|_j reaches λ for the first column.
    lowest = 0.5 / max(np.abs(design.transpose_dot(weights * y)).max(), 1e-300)
    first = min(C, FIRST_C_RATIO * lowest)
    stride = max(1, min(len(y) // SUBSAMPLE_ROWS, MAX_STRIDE))
    w = None
    if stride > 1:
        rows = slice(None, None, stride)
        # A sum over a part of the rows is less by the stride: C is multiplied by it.
        part = NewtonSolver(Problem(design.subsample(stride), y[rows], weights[rows]))
        part.approach(first * stride, max_iter)
        w = part.w
    solver = NewtonSolver(problem, w)
    rungs = np.geomspace(first, C, 1 + int(np.ceil(np.log(C / first) / np.log(RUNG_FACTOR))))
    if len(rungs) > 1:
        solver.widen()  # each would begin a working set of its own
    for rung in rungs:
        solver.approach(rung, min(RUNG_STEPS, max_iter - solver.n_iter))
    ratio = C / lowest
    if not alone or ratio > FEW_COLUMNS_RATIO:
        solver.widen()
    return solver


def follow(
    solver: Solver,
    Cs: ArrayLike,
    tol: float,
    max_iter: int,
    *,
    polish: bool = False,
    callback: Callable[[], object] | None = None,
) -> Path:
    """Solve for each C in turn, then certify all of them with one pass over X.

    Parameters
    ----------
    solver : Solver
    Cs : float64 ndarray of shape (m,), ascending for the warm starts to help
    tol : float
        A relative duality gap above it is worth another attempt, by a thorough polish, and as
        many more as halve it.
    max_iter : int
        Newton steps for each C; what ``solver`` has taken so far counts for the first.
    polish : bool
        Polish the weights at every C: the weights are then right to about machine precision.
    callback : callable, default=None
        Called after each C.
    """
    Cs = np.asarray(Cs, dtype=np.float64)
    W = np.empty((len(Cs), len(solver.w)))
    n_iter = np.zeros(len(Cs), dtype=int)
    seconds = np.empty(len(Cs))
    for k, C in enumerate(Cs):
        began = time.perf_counter()
        solver.solve(C, max_iter - solver.n_iter)
        if polish and solver.n_iter < max_iter:
            solver.polish(C, max_iter - solver.n_iter)
        W[k] = _as_returned(solver)
        n_iter[k], solver.n_iter = solver.n_iter, 0
        seconds[k] = time.perf_counter() - began
        if callback:
            callback()

    # All values of C are certified together: one product with X for many is cheaper than many.
    began = time.perf_counter()
    # The sums without error are for refined weights: the rounding of others is in them anyway.
    refined = polish and len(solver.problem.design.used) <= MAX_GRAM_COLUMNS
    certain = 0.0 if refined else tol
    primal, gap, products = certify(solver.problem, Cs, W, certain)
    seconds += (time.perf_counter() - began) / len(Cs)
    path = Path(W, gap / primal, n_iter, seconds, products)
    for k in np.flatnonzero(~(path.gaps <= tol)).tolist():
        before = np.inf
        while (
            not path.gaps[k] <= tol and not path.gaps[k] > HELPED * before and n_iter[k] < max_iter
        ):
            before = path.gaps[k]
            _attempt(solver, path, k, float(Cs[k]), max_iter)
    return path


def _attempt(solver, path, k, C, max_iter):
    """Another attempt at the k-th point of the path, from where it is: kept if it is better."""
    began = time.perf_counter()
    solver.restart(path.W[k])
    solver.n_iter = int(path.n_iter[k])
    solver.polish(C, max_iter - solver.n_iter, thorough=True)
    path.n_iter[k] = solver.n_iter
    w = _as_returned(solver)
    primal, gap, product = certify(solver.problem, np.array([C]), w[None])
    if not path.gaps[k] <= gap[0] / primal[0]:
        path.W[k], path.gaps[k], path.products[k] = w, gap[0] / primal[0], product[0]
    path.seconds[k] += time.perf_counter() - began


def _as_returned(solver):
    """w, with the bias' weight that an intercept of bias·w tells: it is rounded."""
    w, bias = solver.w.copy(), solver.problem.design.bias
    if bias:
        w[-1] = w[-1] * bias / bias
    return w
