"""Many fits of one two-class problem: along C, and over bootstrap samples of the rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import ArrayLike

from .certificate import BATCH, certify
from .design import MatrixLike, side_by_side
from .estimators import warn_unless_converged
from .objective import one_vs_rest
from .path import follow, start
from .problem import build_design, check_Cs, check_data, check_parameters, weigh_classes
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
    """
    check_parameters("svm_path", tol=tol, max_iter=max_iter, n_jobs=n_jobs, callback=callback)
    Cs = check_Cs(Cs)
    if not (np.diff(Cs) > 0).all():
        raise ValueError(f"Cs must ascend, got {Cs}.")
    jobs = effective_n_jobs(n_jobs)
    design, target, weights = _problem(X, y, Cs)
    with side_by_side(jobs):
        solver = start(design, target, weights, Cs[0], max_iter)
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
    of jobs; other samples each time where ``random_state`` is None. ``callback`` is called after
    each. The other parameters are those of :func:`svm_path`.

    References
    ----------
    B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.
    F. Bach, "Bolasso: model consistent Lasso estimation through the bootstrap", ICML 2008.

    Raises
    ------
    ValueError
        As :func:`svm_path`, and where a sample has one class only.
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
    design, target, weights = _problem(X, y, [C])
    with side_by_side(jobs):
        solver = start(design, target, weights, C, max_iter)
        solver.solve(C, max_iter)
    seed = np.random.SeedSequence(random_state).entropy
    samples = [_draw(len(target), [seed, k]) for k in range(n_samples)]
    W, gaps = np.empty((n_samples, len(solver.w))), np.empty(n_samples)
    n_iter = np.zeros(n_samples, dtype=int)  # where it is worth a warning
    solved = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
        delayed(_resolve)(solver, drawn, C, max_iter) for drawn in samples
    )
    for sample, w in enumerate(solved):
        W[sample] = w
        if callback:
            callback()
    for first in range(0, n_samples, BATCH):
        batch = slice(first, first + BATCH)
        counts = np.array([_count(drawn) for drawn in samples[batch]])
        Cs = np.full(len(counts), float(C))
        with side_by_side(jobs):
            primal, gap, _ = certify(design, target, counts, Cs, W[batch], tol)
        gaps[batch] = gap / primal
    for k in np.flatnonzero(~(gaps <= tol)):
        path = follow(solver.reweighted(_count(samples[k])), [C], tol, max_iter, polish=True)
        W[k], gaps[k], n_iter[k] = path.W[0], path.gaps[0], path.n_iter[0]
    return _collect(W, gaps, n_iter, tol, max_iter)


def _draw(n, seed):
    return np.random.default_rng(seed).integers(n, size=n, dtype=np.int32)


def _count(drawn):
    return np.bincount(drawn, minlength=len(drawn)).astype(np.float64)


@one_blas_thread
def _resolve(solver, drawn, C, max_iter):
    counts = _count(drawn)
    weigh_classes(None, solver.y, counts, counts > 0)  # refuses a sample of one class
    sample = solver.reweighted(counts)
    sample.solve(C, max_iter)
    return sample.w


def _problem(X, y, Cs):
    X, y, sample_weight = check_data(X, y)
    classes, (weights, *others) = weigh_classes(None, y, sample_weight)
    if others:
        raise ValueError(f"y must have 2 classes, got {len(classes)}.")
    return build_design(X, 1.0, [weights], Cs), one_vs_rest(y, classes)[0], weights


def _collect(W, gaps, n_iter, tol, max_iter):
    warn_unless_converged(gaps, n_iter, tol, max_iter)
    return Fits(W[:, :-1], W[:, -1], gaps)
