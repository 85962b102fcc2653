"""Every C of a range: the exact path, whose pieces are straight in 1/C."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .certificate import BATCH, certify
from .design import MatrixLike
from .estimators import warn_unless_converged
from .homotopy import ENTERS, LEAVES, Homotopy
from .path import follow, solver_from, start
from .problem import (
    ClassWeight,
    Problem,
    binary_problems,
    check_Cs,
    check_data,
    check_parameters,
)
from .refine import refined_weights
from .threads import one_blas_thread

MAX_COLUMNS = 4096  # the most columns that are not all zero: G of all is kept
MAX_ITER = 1000  # the most Newton steps to the first optimum
TOL = 1e-8  # the largest relative gap without a warning
EVENT = np.dtype([("C", "f8"), ("kind", "U8"), ("index", "i8"), ("sign", "i8")])


@dataclass
class ExactPath:
    """The optimum at every C from C_min to C_max, x̃_i = (x_i, intercept_scaling).

    Memory is that of the events: weights are solved for when they are asked for.

    Attributes
    ----------
    C_min, C_max : float
    events : structured ndarray of shape (m,)
        In the order of C. ``C``; ``kind``: "enters" and "leaves" (a weight becomes, or ceases to
        be, other than 0), "row in" and "row out" (m_i falls below 1, or rises to it); ``index`` of
        the column (p for the intercept) or row; ``sign`` of the weight that enters, else 0.
    duality_gap : float
        The largest relative gap (:func:`l1svc.relative_duality_gap`) at the ends of the blocks of
        events that are taken together.
    restarts : int
        How often rounding had won, and the solver began the path anew: 1e-9 of C is left out there.
    """

    C_min: float
    C_max: float
    events: np.ndarray
    duality_gap: float
    restarts: int
    _problem: Problem
    _sign: np.ndarray  # of each weight at C_min
    _active: np.ndarray  # I there

    def coef(self, C: float) -> np.ndarray:
        """The weights at C, of shape (p,); zeros are exact."""
        return self._w(C)[:-1]

    def intercept(self, C: float) -> float:
        """The intercept at C."""
        return float(self._w(C)[-1] * self._problem.design.bias)

    def nonzero(self, C: float) -> int:
        """How many weights are not 0 at C, the intercept's included."""
        return int(np.count_nonzero(self._state(C)[0]))

    def _state(self, C):
        """Signs, and I, at C."""
        if not self.C_min <= C <= self.C_max:
            raise ValueError(f"C must be from {self.C_min} to {self.C_max}, got {C!r}.")
        # The state at C_min, and the events up to C replayed on it. Of a column the last event
        # counts. A row enters and leaves in turn: an odd number of events is one.
        passed = self.events[: np.searchsorted(self.events["C"], C, side="right")]
        sign, active = self._sign.copy(), self._active.copy()
        of_column = np.isin(passed["kind"], (ENTERS, LEAVES))
        for j, value in zip(passed["index"][of_column], passed["sign"][of_column], strict=True):
            sign[j] = value
        rows, times = np.unique(passed["index"][~of_column], return_counts=True)
        active[rows[times % 2 == 1]] ^= True
        return sign, active

    @one_blas_thread
    def _w(self, C):
        """w at C: G_SS w_S = Σ_{i∈I} s_i a_i − λσ, refined to the last bit."""
        # I, the support and the signs tell w: the system of one piece, no search. Rows (|I|, k) and
        # the matrix (k, k) are of the support alone.
        sign, active = self._state(C)
        problem, lam = self._problem, 0.5 / C
        support = np.flatnonzero(sign)
        w = np.zeros(problem.design.shape[1])
        if not len(support):
            return w
        A = problem.design.dense(np.flatnonzero(active), support) * problem.y[active, None]
        s = problem.weights[active]
        w[support] = np.linalg.solve((A.T * s) @ A, s @ A - lam * sign[support])
        w[w * sign <= 0] = 0.0  # at an event: it is one
        refined = refined_weights(solver_from(problem, w), lam)
        return w if refined is None else refined


@one_blas_thread
def exact_path(
    X: MatrixLike,
    y: ArrayLike,
    C_min: float,
    C_max: float,
    *,
    fit_intercept: bool = True,
    intercept_scaling: float = 1.0,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight = None,
    callback: Callable[[float], object] | None = None,
) -> ExactPath:
    """The optimum for every C from C_min to C_max: all of min over w of

        ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)²,

    which is linear in 1/C between events (:mod:`l1svc.homotopy`). The end of each block of events
    is certified.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n,)
        Two labels, the larger one positive.
    C_min, C_max : float
    fit_intercept, intercept_scaling, class_weight
        As in :class:`l1svc.L1LinearSVC`.
    sample_weight : array of shape (n,), default=None
        s_i ≥ 0.
    callback : callable, default=None
        Called with C now and then.

    Raises
    ------
    ValueError
        Where there are not two classes, C_min is not below C_max, more than 4096 columns are not
        all zero, or a number is infinite, NaN or beyond what :class:`l1svc.L1LinearSVC` says of C.
    ArithmeticError
        Where rounding has won, and the solver's optimum 1e-4 of C further on does not help.

    Warns
    -----
    ConvergenceWarning
        Where a gap is above 1e-8.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import exact_path
    >>> path = exact_path(X, y, 0.01, 10.0)
    >>> [path.nonzero(C) for C in (0.01, 0.1, 1.0, 10.0)]
    [2, 6, 14, 22]
    >>> path.events["kind"][:2].tolist(), path.duality_gap < 1e-8
    (['enters', 'row out'], True)
    """
    problem = two_class_problem(
        "exact_path",
        X,
        y,
        (C_min, C_max),
        fit_intercept,
        intercept_scaling,
        sample_weight,
        class_weight,
    )
    # The solver finds the optimum at C_min. From there no C is solved: the path goes from event
    # to event, and gaps are computed as it goes.
    first = first_optimum(problem, C_min)
    certificate = _Ends(problem)
    path = Homotopy(problem, first, C_min, np.empty(0, dtype=int), certificate.visit)
    sign, active = np.zeros(problem.design.shape[1]), path.active.copy()
    sign[path.columns] = path.sign
    certificate.visit([path.lam], [path.w])
    for _ in path.follow(0.5 / C_max):
        if callback:
            callback(0.5 / path.lam)
    gap = certificate.worst()
    warn_unless_converged([gap], [0], TOL, MAX_ITER)
    return ExactPath(
        float(C_min),
        float(C_max),
        event_table(path),
        gap,
        path.log.restarts,
        problem,
        sign,
        active,
    )


def event_table(path: Homotopy) -> np.ndarray:
    log = path.log
    events = np.empty(len(log.lam), dtype=EVENT)
    events["C"] = 0.5 / np.array(log.lam)
    events["kind"], events["index"], events["sign"] = log.kind, log.index, log.sign
    return events


class _Ends:
    """The gaps at the ends of blocks, some at a time.

    The gap in the middle of a piece is 0 if its ends are optima: there I, S and σ do not change
    (``l1svc.benchmarks.bound`` has the formula). What rounding does to w from event to event is
    still there at the end of the block, and a margin that was missed is found there.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.lam: list[float] = []
        self.w: list[np.ndarray] = []
        self.largest = 0.0

    def visit(self, lams, W):
        """Keep the optimum at the end of a block, the last of its pieces."""
        self.lam.append(lams[-1])
        self.w.append(W[-1].copy())
        if len(self.w) >= BATCH:
            self.worst()

    def worst(self) -> float:
        """The largest relative gap so far."""
        if self.w:
            W = np.zeros((len(self.w), self.problem.design.shape[1]))
            W[:, self.problem.design.used] = self.w
            self.largest = max(
                self.largest, relative_gaps(self.problem, np.array(self.lam), W).max()
            )
            self.lam, self.w = [], []
        return float(self.largest)


def relative_gaps(problem: Problem, lam: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Of the weights W (m, p + 1) at λ = ``lam`` (m,)."""
    primal, gap, _ = certify(problem, 0.5 / lam, W, TOL)
    return gap / primal


def first_optimum(problem: Problem, C: float) -> np.ndarray:
    """The optimum at C, to the last bit."""
    path = follow(start(problem, C, MAX_ITER), [C], TOL, MAX_ITER, polish=True)
    warn_unless_converged(path.gaps, path.n_iter, TOL, MAX_ITER)
    return path.W[0]


def two_class_problem(
    caller, X, y, Cs, fit_intercept, intercept_scaling, sample_weight, class_weight
) -> Problem:
    """The problem of two classes, of arguments that are checked here."""
    check_parameters(
        caller,
        fit_intercept=fit_intercept,
        intercept_scaling=intercept_scaling,
        class_weight=class_weight,
    )
    C_min, C_max = check_Cs(Cs)
    if not C_min < C_max:
        raise ValueError(f"C_min must be below C_max, got {C_min} and {C_max}.")
    X, labels, s = check_data(X, y, sample_weight)
    bias = float(intercept_scaling) if fit_intercept else 0.0
    classes, problems = binary_problems(X, labels, s, class_weight, bias, Cs)
    if len(classes) != 2:
        raise ValueError(f"{caller} needs two classes, got {len(classes)}: {classes}.")
    (problem,) = problems
    if len(problem.design.used) > MAX_COLUMNS:
        raise ValueError(
            f"{caller} takes at most {MAX_COLUMNS} columns that are not all zero,"
            f" got {len(problem.design.used)}."
        )
    return problem
