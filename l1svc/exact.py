"""Every C of a range: the exact path, and cross-validation without a grid."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.model_selection import check_cv

from .certificate import BATCH, certify
from .design import Design, MatrixLike
from .estimators import warn_unless_converged
from .homotopy import ENTERS, LEAVES, Homotopy
from .jobs import Crew
from .objective import one_vs_rest
from .path import follow, solver_from, start
from .problem import (
    ClassWeight,
    build_design,
    check_Cs,
    check_data,
    check_parameters,
    weigh_classes,
)
from .refine import refined_weights
from .threads import one_blas_thread

MAX_COLUMNS = 4096  # the most columns that are not all zero: G of all is kept
MAX_ITER = 1000  # the most Newton steps to the first optimum
TOL = 1e-8  # the largest relative gap without a warning
EVENT = np.dtype([("C", "f8"), ("kind", "U8"), ("index", "i8"), ("sign", "i8")])
CERTIFIED = 32  # the gaps of so many optima of each fold are computed, evenly among the refreshes
SAME = 1e-12  # means of equal scores may differ by this


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
        The largest relative gap (:func:`l1svc.relative_duality_gap`) at the ends and in the middle
        of the straight pieces.
    restarts : int
        How often rounding had won, and the solver began the path anew: 1e-9 of C is left out there.
    """

    C_min: float
    C_max: float
    events: np.ndarray
    duality_gap: float
    restarts: int
    _design: Design
    _y: np.ndarray
    _weights: np.ndarray
    _sign: np.ndarray  # of each weight at C_min
    _active: np.ndarray  # I there

    def coef(self, C: float) -> np.ndarray:
        """The weights at C, of shape (p,); zeros are exact."""
        return self._w(C)[:-1]

    def intercept(self, C: float) -> float:
        """The intercept at C."""
        return float(self._w(C)[-1] * self._design.bias)

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
        design, lam = self._design, 0.5 / C
        support = np.flatnonzero(sign)
        w = np.zeros(design.shape[1])
        if not len(support):
            return w
        A = design.dense(np.flatnonzero(active), support) * self._y[active, None]
        s = self._weights[active]
        w[support] = np.linalg.solve((A.T * s) @ A, s @ A - lam * sign[support])
        w[w * sign <= 0] = 0.0  # at an event: it is one
        refined = refined_weights(solver_from(design, self._y, self._weights, w), lam)
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

    which is linear in 1/C between events (:mod:`l1svc.homotopy`). Each piece is certified.

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
    design, target, weights = _problem(
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
    # to event, and the gaps of all pieces are computed as it goes.
    first = _first(design, target, weights, C_min)
    certificate = _Pieces(design, target, weights)
    path = Homotopy(
        design, target, weights, first, C_min, np.empty(0, dtype=int), certificate.visit
    )
    sign, active = np.zeros(design.shape[1]), path.gram.active.copy()
    sign[path.columns] = path.sign
    certificate.visit(path.lam, path.w)
    for _ in path.follow(0.5 / C_max):
        if callback:
            callback(0.5 / path.lam)
    gap = certificate.worst()
    warn_unless_converged([gap], [0], TOL, MAX_ITER)
    return ExactPath(
        float(C_min),
        float(C_max),
        _events(path),
        gap,
        path.log.restarts,
        design,
        target,
        weights,
        sign,
        active,
    )


def _events(path: Homotopy) -> np.ndarray:
    log = path.log
    events = np.empty(len(log.lam), dtype=EVENT)
    events["C"] = 0.5 / np.array(log.lam)
    events["kind"], events["index"], events["sign"] = log.kind, log.index, log.sign
    return events


class _Pieces:
    """The gaps at the ends and in the middle of straight pieces, some pieces at a time."""

    def __init__(self, design: Design, y: np.ndarray, weights: np.ndarray) -> None:
        self.problem = design, y, weights
        self.columns = design.used
        self.lam: list[float] = []
        self.w: list[np.ndarray] = []
        self.last: tuple[float, np.ndarray] | None = None
        self.largest = 0.0

    def visit(self, lam, w):
        """Keep the optimum at the end of a piece; and at its middle, the mean of its two ends."""
        if self.last is not None and lam < self.last[0]:
            self.lam.append(0.5 * (self.last[0] + lam))
            self.w.append(0.5 * (self.last[1] + w))
        self.last = lam, w.copy()
        self.lam.append(lam)
        self.w.append(self.last[1])
        if len(self.w) >= BATCH:
            self.worst()

    def worst(self) -> float:
        """The largest relative gap so far."""
        if self.w:
            W = np.zeros((len(self.w), self.problem[0].shape[1]))
            W[:, self.columns] = self.w
            self.largest = max(self.largest, _gaps(*self.problem, np.array(self.lam), W).max())
            self.lam, self.w = [], []
        return float(self.largest)


def _gaps(design, y, weights, lam, W):
    primal, gap, _ = certify(design, y, weights, 0.5 / lam, W, TOL)
    return gap / primal


def _first(design, y, weights, C):
    """The optimum at C, to the last bit."""
    path = follow(start(design, y, weights, C, MAX_ITER), [C], TOL, MAX_ITER, polish=True)
    warn_unless_converged(path.gaps, path.n_iter, TOL, MAX_ITER)
    return path.W[0]


def _problem(
    caller, X, y, Cs, fit_intercept, intercept_scaling, sample_weight, class_weight
) -> tuple[Design, np.ndarray, np.ndarray]:
    """The design, the ±1 labels and the rows' weights of two classes."""
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
    classes, weights = weigh_classes(class_weight, labels, s)
    if len(classes) != 2:
        raise ValueError(f"{caller} needs two classes, got {len(classes)}: {classes}.")
    design = build_design(X, float(intercept_scaling) if fit_intercept else 0.0, weights, Cs)
    if len(design.used) > MAX_COLUMNS:
        raise ValueError(
            f"{caller} takes at most {MAX_COLUMNS} columns that are not all zero,"
            f" got {len(design.used)}."
        )
    return design, one_vs_rest(labels, classes)[0], weights[0]


# ---------------------------------------------------------------------- cross-validation


def _ratio(part, whole):
    """part / whole, 0 where that is 0 / 0, as scikit-learn has it."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) != 0)


def _matthews(tp, fp, fn, tn):
    root = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    return _ratio(tp * tn - fp * fn, root)


SCORES: dict[str, Callable[..., np.ndarray]] = {
    "accuracy": lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn),
    "balanced_accuracy": lambda tp, fp, fn, tn: 0.5 * (tp / (tp + fn) + tn / (tn + fp)),
    "precision": lambda tp, fp, fn, tn: _ratio(tp, tp + fp),
    "recall": lambda tp, fp, fn, tn: _ratio(tp, tp + fn),
    "f1": lambda tp, fp, fn, tn: _ratio(2 * tp, 2 * tp + fp + fn),
    "jaccard": lambda tp, fp, fn, tn: _ratio(tp, tp + fp + fn),
    "matthews_corrcoef": _matthews,
}


@dataclass
class ExactSearch:
    """Cross-validated scores as step functions of C.

    Attributes
    ----------
    Cs : float64 ndarray of shape (m + 1,)
        Where the score of a fold changes, and the two ends. Interval k is from Cs[k] to Cs[k + 1].
    test_scores : float64 ndarray of shape (n_splits, m)
    mean_test_score, std_test_score : float64 ndarray of shape (m,)
    train_scores : float64 ndarray of shape (n_splits, m), or None
    best_score : float
    best_intervals : list of (float, float)
        All C whose mean test score is the best, ascending.
    best_C : float
        In the widest of them (log C): its middle, rounded to the fewest digits that lie inside.
    n_events : int ndarray of shape (n_splits,)
        Events of each fold's path.
    entries : list of structured ndarrays
        Of them, for each fold, those of columns, as :attr:`ExactPath.events` has them; a weight
        that is not 0 at C_min enters there.
    duality_gap : float
        The largest relative gap of up to 32 optima of each fold.
    restarts : int
        As in :class:`ExactPath`, of all folds.
    """

    Cs: np.ndarray
    test_scores: np.ndarray
    mean_test_score: np.ndarray
    std_test_score: np.ndarray
    train_scores: np.ndarray | None
    best_score: float
    best_intervals: list[tuple[float, float]]
    best_C: float
    n_events: np.ndarray
    entries: list[np.ndarray]
    duality_gap: float
    restarts: int

    def score_at(self, C: float) -> float:
        """The mean test score at C."""
        if not self.Cs[0] <= C <= self.Cs[-1]:
            raise ValueError(f"C must be from {self.Cs[0]} to {self.Cs[-1]}, got {C!r}.")
        k = int(np.searchsorted(self.Cs[:-1], C, side="right")) - 1
        return float(self.mean_test_score[k])


@one_blas_thread
def exact_search(
    X: MatrixLike,
    y: ArrayLike,
    C_min: float,
    C_max: float,
    *,
    cv: Any = 5,
    scoring: str = "accuracy",
    return_train_score: bool = False,
    fit_intercept: bool = True,
    intercept_scaling: float = 1.0,
    class_weight: ClassWeight = None,
    n_jobs: int | None = None,
    callback: Callable[[], object] | None = None,
) -> ExactSearch:
    """Cross-validation for every C from C_min to C_max, and the C at which none does better.

    A row is right or wrong by the sign of its decision value, which is a straight line in 1/C
    between events: where it crosses 0 the score steps.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n,)
        Two labels, the larger one positive.
    C_min, C_max : float
    cv : int, splitter or iterable of (train, test), default=5
    scoring : str, default="accuracy"
        A score that depends on the signs alone: "accuracy", "balanced_accuracy", "precision",
        "recall", "f1", "jaccard" or "matthews_corrcoef".
    return_train_score : bool, default=False
    fit_intercept, intercept_scaling, class_weight
        As in :class:`l1svc.L1LinearSVC`.
    n_jobs : int, default=None
        Folds in parallel, in processes unless ``joblib.parallel_config`` says otherwise.
    callback : callable, default=None
        Called after each fold.

    Raises
    ------
    ValueError
        As :func:`exact_path` does; where ``scoring`` is another; where a fold has no two classes
        to train with.

    Warns
    -----
    ConvergenceWarning
        Where a gap is above 1e-8.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import exact_search
    >>> search = exact_search(X, y, 0.01, 100.0)
    >>> round(search.best_score, 4), search.score_at(search.best_C) == search.best_score
    (0.9772, True)
    """
    if scoring not in SCORES:
        raise ValueError(f"scoring must be one of {sorted(SCORES)}, got {scoring!r}.")
    check_parameters("exact_search", n_jobs=n_jobs, callback=callback)
    design, target, _ = _problem(
        "exact_search",
        X,
        y,
        (C_min, C_max),
        fit_intercept,
        intercept_scaling,
        None,
        None if isinstance(class_weight, str) else class_weight,
    )
    labels = np.asarray(y).ravel()
    splits = list(check_cv(cv, labels, classifier=True).split(X, labels))
    if not splits:
        raise ValueError(f"cv must give at least one split, got none from {cv!r}.")
    # A fold is weights of the rows: the rows left out have 0, rows that a splitter repeats have
    # more. X goes to the processes once.
    n = len(target)
    tasks = []
    for train, test in splits:
        rows, held = (np.arange(n)[part] for part in (train, test))
        counts = np.bincount(rows, minlength=n).astype(np.float64)
        _, s = weigh_classes(class_weight, labels, counts, counts > 0)
        tasks.append((s[0], rows, held, C_min, C_max, return_train_score))
    # an event is some steps of Python: threads would wait for each other
    crew = Crew((design, target), min(effective_n_jobs(n_jobs), len(splits)), "processes")
    folds = []
    for fold in crew.run(_follow_fold, tasks):
        folds.append(fold)
        if callback:
            callback()
    gap = max(fold.gap for fold in folds)
    warn_unless_converged([gap], [0], TOL, MAX_ITER)
    return _collect(C_min, C_max, folds, SCORES[scoring], return_train_score)


@dataclass
class _Fold:
    test: "_Counts"
    train: "_Counts | None"
    n_events: int
    entries: np.ndarray
    gap: float
    restarts: int


@dataclass
class _Counts:
    """How many rows of each kind there are after each change of C (ascending), −∞ first."""

    Cs: np.ndarray
    counts: np.ndarray  # (changes + 1, 4): tp, fp, fn, tn

    def at(self, Cs: np.ndarray) -> np.ndarray:
        return self.counts[np.searchsorted(self.Cs, Cs, side="right")].T


@one_blas_thread
def _follow_fold(problem, weights, train, test, C_min, C_max, with_train):
    # Only the signs of decision values are followed: which rows' flip, and at which λ. Counts and
    # scores follow from these when all is known.
    design, y = problem
    scored = np.union1d(train, test) if with_train else np.unique(test)
    first = _first(design, y, weights, C_min)
    path = Homotopy(design, y, weights, first, C_min, scored)
    before = path.positive.copy()
    first_ones = np.array(
        [(C_min, ENTERS, path.columns[j], path.sign[j]) for j in np.flatnonzero(path.sign)],
        dtype=EVENT,
    )
    lam, W = [path.lam], [path.w.copy()]
    for _ in path.follow(0.5 / C_max):
        lam.append(path.lam)
        W.append(path.w.copy())
    # A certificate for each of thousands of pieces would take longer than the path: some do, as
    # rounding grows slowly, and the path sees at each refresh whether it is at an optimum.
    some = np.unique(np.linspace(0, len(lam) - 1, CERTIFIED).astype(int))
    gaps = _gaps(design, y, weights, np.array(lam)[some], path.full(np.array(W)[some]))
    flips, events = path.log.flips, _events(path)
    of_columns = events[np.isin(events["kind"], (ENTERS, LEAVES))]

    def counts(rows):
        return _count(before, flips, y, np.bincount(rows, minlength=len(y)))

    return _Fold(
        counts(test),
        counts(train) if with_train else None,
        len(events),
        np.concatenate([first_ones, of_columns]),
        float(gaps.max()),
        path.log.restarts,
    )


def _count(positive, flips, y, times):
    """The counts of rows that are scored so many ``times``, along the flips of their scores."""
    # tp, fp, fn, tn at C_min. A row whose score turns moves from one of them to another: to tp
    # from fn, or to fp from tn, or back.
    up = y > 0
    kinds = [(positive & up), (positive & ~up), (~positive & up), (~positive & ~up)]
    now = np.array([times[kind].sum() for kind in kinds], dtype=np.float64)
    Cs, table, positive = [], [now], positive.copy()
    for lam, row in sorted(flips, reverse=True):
        turned = -1.0 if positive[row] else 1.0
        positive[row] ^= True
        if times[row]:
            change = (
                turned * times[row] * np.array([up[row], ~up[row], -1.0 * up[row], -1.0 * ~up[row]])
            )
            now = now + change
            Cs.append(0.5 / lam)
            table.append(now)
    return _Counts(np.array(Cs), np.array(table))


def _collect(C_min, C_max, folds, score, with_train) -> ExactSearch:
    # The mean score steps where any fold's does: between two of these C all folds' scores stay.
    parts = [fold.test for fold in folds] + ([fold.train for fold in folds] if with_train else [])
    changes = np.unique(np.concatenate([part.Cs for part in parts]))
    inside = changes[(changes > C_min) & (changes < C_max)]
    Cs = np.concatenate([[C_min], inside, [C_max]]).astype(np.float64)
    test = np.array([score(*fold.test.at(Cs[:-1])) for fold in folds])
    train = np.array([score(*fold.train.at(Cs[:-1])) for fold in folds]) if with_train else None
    mean = test.mean(axis=0)
    best = mean.max()
    intervals = _runs(Cs, mean >= best - SAME)
    return ExactSearch(
        Cs=Cs,
        test_scores=test,
        mean_test_score=mean,
        std_test_score=test.std(axis=0),
        train_scores=train,
        best_score=float(best),
        best_intervals=intervals,
        best_C=_inside(*max(intervals, key=lambda ends: ends[1] / ends[0])),
        n_events=np.array([fold.n_events for fold in folds]),
        entries=[fold.entries for fold in folds],
        duality_gap=max(fold.gap for fold in folds),
        restarts=sum(fold.restarts for fold in folds),
    )


def _runs(Cs: np.ndarray, chosen: np.ndarray) -> list[tuple[float, float]]:
    """The intervals that are chosen, those side by side as one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(float(Cs[first]), float(Cs[end])) for first, end in edges.reshape(-1, 2)]


def _inside(low: float, high: float) -> float:
    """The middle on a log scale, to the fewest digits with which it lies inside."""
    middle = math.sqrt(low) * math.sqrt(high)
    for digits in range(17):
        C = float(f"{middle:.{digits}e}")
        if low < C < high:
            return C
    return middle
