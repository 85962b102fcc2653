"""Cross-validation for every C of a range, without a grid."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from sklearn.model_selection import check_cv

from .design import MatrixLike
from .estimators import warn_unless_converged
from .homotopy import ENTERS, LEAVES, Homotopy
from .jobs import Crew
from .pieces import (
    EVENT,
    MAX_ITER,
    TOL,
    event_table,
    first_optimum,
    relative_gaps,
    two_class_problem,
)
from .pieces import MAX_COLUMNS as MAX_COLUMNS  # for those who ask before they search
from .problem import ClassWeight, check_parameters, weigh_classes
from .threads import one_blas_thread

CERTIFIED = 32  # the gaps of so many optima of each fold are computed, evenly among the refreshes
SAME = 1e-12  # means of equal scores may differ by this


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
    corners : list of (float64 ndarray of shape (m,), csr_matrix of shape (m, p + 1)), or None
        For each fold the C of the ends and of the events, ascending, and the weights there, the
        intercept's last (times intercept_scaling, it is the intercept). Between two of these C
        the weights are straight in 1/C.
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
    corners: list[tuple[np.ndarray, csr_matrix]] | None
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
    return_corners: bool = False,
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
    return_train_score, return_corners : bool, default=False
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
    problem = two_class_problem(
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
    n = len(labels)
    tasks = []
    for train, test in splits:
        rows, held = (np.arange(n)[part] for part in (train, test))
        counts = np.bincount(rows, minlength=n).astype(np.float64)
        _, s = weigh_classes(class_weight, labels, counts, counts > 0)
        tasks.append((s[0], rows, held, C_min, C_max, return_train_score, return_corners))
    # an event is some steps of Python: threads would wait for each other
    crew = Crew(problem, min(effective_n_jobs(n_jobs), len(splits)), "processes")
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
    corners: tuple[np.ndarray, csr_matrix] | None
    gap: float
    restarts: int


@dataclass
class _Counts:
    """How many rows of each kind there are after each change of C (ascending), −∞ first."""

    Cs: np.ndarray
    counts: np.ndarray  # (changes + 1, 4): tp, fp, fn, tn

    def at(self, Cs: np.ndarray) -> np.ndarray:
        return self.counts[np.searchsorted(self.Cs, Cs, side="right")].T


class _Corners:
    """The optima at the ends of pieces, a block at a time."""

    def __init__(self, path: Homotopy) -> None:
        self.lams, self.W = [np.array([path.lam])], [path.w[None].copy()]

    def visit(self, lams: np.ndarray, W: np.ndarray) -> None:
        self.lams.append(lams)
        self.W.append(W)

    def table(self, path: Homotopy) -> tuple[np.ndarray, csr_matrix]:
        """C, and the weights of all columns, at the events and at both ends; those at one λ are
        one."""
        lam, W = np.concatenate(self.lams), np.concatenate(self.W)
        kept = np.isin(lam, path.log.lam) & np.append(lam[1:] != lam[:-1], True)
        kept[[0, -1]] = True
        return 0.5 / lam[kept], csr_matrix(path.full(W[kept]))


@one_blas_thread
def _follow_fold(whole, weights, train, test, C_min, C_max, with_train, with_corners):
    # Only the signs of decision values are followed: which rows' flip, and at which λ. Counts and
    # scores follow from these when all is known.
    scored = np.union1d(train, test) if with_train else np.unique(test)
    problem = replace(whole, weights=weights)
    path = Homotopy(problem, first_optimum(problem, C_min), C_min, scored)
    corners = _Corners(path) if with_corners else None
    path.visit = corners.visit if corners else None
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
    gaps = relative_gaps(problem, np.array(lam)[some], path.full(np.array(W)[some]))
    flips, events = path.log.flips, event_table(path)
    of_columns = events[np.isin(events["kind"], (ENTERS, LEAVES))]

    def counts(rows):
        return _count(before, flips, problem.y, np.bincount(rows, minlength=len(problem.y)))

    return _Fold(
        counts(test),
        counts(train) if with_train else None,
        len(events),
        np.concatenate([first_ones, of_columns]),
        corners.table(path) if corners else None,
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
        corners=[fold.corners for fold in folds] if folds[0].corners else None,
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
