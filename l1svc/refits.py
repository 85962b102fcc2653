"""Many fits of one two-class problem: along C, and over bootstrap samples of the rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike

from .certificate import BATCH, certify
from .design import MatrixLike, side_by_side
from .estimators import warn_unless_converged
from .jobs import Crew
from .path import follow, start
from .problem import (
    Problem,
    binary_problems,
    check_Cs,
    check_data,
    check_parameters,
    weigh_classes,
)
from .threads import one_blas_thread


@dataclass
class Fits:
    """m fits, each of min over w of ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)², x̃_i = (x_i, 1).

    Attributes
    ----------
    coef : float64 ndarray of shape (m, p)
        Zero weights are exact zeros.
    intercept : float64 ndarray of shape (m,)
    duality_gap : float64 ndarray of shape (m,)
        Relative (:func:`l1svc.relative_duality_gap`).
    """

    coef: np.ndarray
    intercept: np.ndarray
    duality_gap: np.ndarray


@one_blas_thread
def svm_path(
    X: MatrixLike,
    y: ArrayLike,
    Cs: ArrayLike,
    *,
    tol: float = 1e-8,
    max_iter: int = 1000,
    n_jobs: int | None = None,
    callback: Callable[[], object] | None = None,
) -> Fits:
    """The optimum at every C of ``Cs``, each from the one before it.

    Parameters
    ----------
    X : array of shape (n, p)
    y : array of shape (n,)
        Two labels, the larger one positive.
    Cs : array of shape (m,)
        Ascending.
    tol : float, default=1e-8
        Bound on the relative duality gap; a ConvergenceWarning where it is not reached.
    max_iter : int, default=1000
        Newton steps at each C.
    n_jobs : int, default=None
        Threads that share the products with X; they change no bit of the result.
    callback : callable, default=None
        Called after each C.

    Raises
    ------
    ValueError
        Where there are not two classes, ``Cs`` does not ascend from above 0, or a number is
        infinite, NaN or beyond what :class:`l1svc.L1LinearSVC` says of C.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import svm_path
    >>> fits = svm_path(X, y, [0.01, 0.1, 1.0, 10.0])
    >>> (fits.coef != 0).sum(axis=1).tolist()
    [1, 5, 13, 21]
    """
    check_parameters("svm_path", tol=tol, max_iter=max_iter, n_jobs=n_jobs, callback=callback)
    Cs = check_Cs(Cs)
    if not (np.diff(Cs) > 0).all():
        raise ValueError(f"Cs must ascend, got {Cs}.")
    jobs = effective_n_jobs(n_jobs)
    problem = _problem(X, y, Cs)
    with side_by_side(jobs):
        solver = start(problem, Cs[0], max_iter)
        path = follow(solver, Cs, tol, max_iter, callback=callback)
    return _collect(path.W, path.gaps, path.n_iter, tol, max_iter)


@one_blas_thread
def bootstrap(
    X: MatrixLike,
    y: ArrayLike,
    C: float,
    n_samples: int,
    *,
    random_state: int | None = 0,
    tol: float = 1e-8,
    max_iter: int = 1000,
    n_jobs: int | None = None,
    callback: Callable[[], object] | None = None,
) -> Fits:
    """The optimum at C for each of ``n_samples`` samples of n rows, drawn with replacement.

    Sample k is drawn by ``numpy.random.default_rng([random_state, k])``: the same for any number
    of jobs, which are threads or those of the backend chosen with ``joblib.parallel_config``; other
    samples each time where ``random_state`` is None. ``callback`` is called after each, in this
    thread. The other parameters are those of :func:`svm_path`.

    References
    ----------
    B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.
    F. Bach, "Bolasso: model consistent Lasso estimation through the bootstrap", ICML 2008.

    Raises
    ------
    ValueError
        As :func:`svm_path`, and where a sample has one class only.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import bootstrap
    >>> share = (bootstrap(X, y, C=0.1, n_samples=20).coef != 0).mean(axis=0)
    >>> (share >= 0.9).nonzero()[0].tolist()  # the columns that nearly every sample chooses
    [7, 21, 23, 27]
    """
    check_parameters(
        "bootstrap",
        C=C,
        n_samples=n_samples,
        random_state=random_state,
        tol=tol,
        max_iter=max_iter,
        n_jobs=n_jobs,
        callback=callback,
    )
    jobs = effective_n_jobs(n_jobs)
    problem = _problem(X, y, [C])
    with side_by_side(jobs):
        solver = start(problem, C, max_iter)
        solver.solve(C, max_iter)
    seed = np.random.SeedSequence(random_state).entropy
    W = np.empty((n_samples, len(solver.w)))
    n_iter = np.zeros(n_samples, dtype=int)  # where it is worth a warning
    crew = Crew(solver, jobs)
    tasks = ((seed, k, C, max_iter) for k in range(n_samples))
    for k, w in enumerate(crew.run(_resolve, tasks)):
        W[k] = w
        if callback:
            callback()
    batches = [range(n_samples)[first : first + BATCH] for first in range(0, n_samples, BATCH)]
    todo = [(seed, batch, C, W[batch.start : batch.stop], tol) for batch in batches]
    if crew.elsewhere:
        certified = list(crew.run(_certify, todo))
    else:
        with side_by_side(jobs):
            certified = [_certify(solver, *task) for task in todo]
    gaps = np.concatenate(certified)
    for k in np.flatnonzero(~(gaps <= tol)).tolist():
        counts = _counts(len(problem.y), seed, k)
        path = follow(solver.reweighted(counts), [C], tol, max_iter, polish=True)
        W[k], gaps[k], n_iter[k] = path.W[0], path.gaps[0], path.n_iter[0]
    return _collect(W, gaps, n_iter, tol, max_iter)


def _counts(n, seed, k):
    """How often sample k has each of n rows."""
    drawn = np.random.default_rng([seed, k]).integers(n, size=n, dtype=np.int32)
    return np.bincount(drawn, minlength=n).astype(np.float64)


@one_blas_thread
def _resolve(solver, seed, k, C, max_iter):
    y = solver.problem.y
    counts = _counts(len(y), seed, k)
    weigh_classes(None, y, counts, counts > 0)  # refuses a sample of one class
    sample = solver.reweighted(counts)
    sample.solve(C, max_iter)
    return sample.w


@one_blas_thread
def _certify(solver, seed, batch, C, W, tol):
    """Relative duality gaps of some samples' weights."""
    counts = np.array([_counts(len(solver.problem.y), seed, k) for k in batch])
    Cs = np.full(len(W), float(C))
    primal, gap, _ = certify(replace(solver.problem, weights=counts), Cs, W, tol)
    return gap / primal


def _problem(X, y, Cs) -> Problem:
    X, labels, sample_weight = check_data(X, y)
    classes, (problem, *others) = binary_problems(X, labels, sample_weight, None, 1.0, Cs)
    if others:
        raise ValueError(f"y must have 2 classes, got {len(classes)}.")
    return problem


def _collect(W, gaps, n_iter, tol, max_iter):
    warn_unless_converged(gaps, n_iter, tol, max_iter)
    return Fits(W[:, :-1], W[:, -1], gaps)
