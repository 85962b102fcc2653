"""The folds of a search over C: every fit, its scores, and the refit to all rows.

The smallest C is solved on all rows once. Each fold starts there, with its left-out rows at weight
0, and follows C upward.
"""

import functools
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from numbers import Number
from typing import Any, TypeVar

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from .design import Design
from .estimators import L1LinearSVC
from .jobs import Crew
from .path import Solver, follow, start
from .problem import binary_problems, weigh_classes
from .threads import one_blas_thread

START_STEPS = 2  # Newton steps on all rows, from which every fold starts

Score = float | dict[str, float]
Split = tuple[np.ndarray, np.ndarray]  # training and test rows: indices or masks
Task = TypeVar("Task", bound=Callable[..., Any])


@dataclass(frozen=True)
class Scoring:
    """How each fit is scored: a scorer, and X, y and metadata as the caller gave them."""

    X: Any
    y: Any
    scorer: Callable[..., Score] | None  # None: accuracy, which the decision values tell
    metadata: Mapping[str, Any]  # for the scorer; arrays with an entry for each row among it
    return_train_score: bool


@dataclass(frozen=True)
class Plan:
    """What all folds and the refit share."""

    estimator: L1LinearSVC  # its parameters are those of every fit, but for C
    grid: np.ndarray  # the values of C, ascending, each once
    design: Design
    labels: np.ndarray
    sample_weight: np.ndarray
    splits: list[Split]
    classes: np.ndarray
    solvers: list[Solver]  # for each class, near the optimum of all rows at the smallest C
    scoring: Scoring
    verbose: bool
    config: dict[str, Any]  # scikit-learn's, of the caller's thread
    callback: Callable[[], object] | None  # called after each fit, or when its fold is back


@dataclass(frozen=True)
class FoldFit:
    """One fold at one C."""

    C: float
    classes: np.ndarray
    W: np.ndarray  # (K, p + 1), the bias' weight last
    gap: float
    n_iter: int
    fit_time: float
    score_time: float
    test_score: Score
    train_score: Score | None


def prepare(
    estimator: L1LinearSVC,
    Cs: np.ndarray,
    X: Any,
    labels: np.ndarray,
    sample_weight: np.ndarray,
    splits: list[Split],
    scoring: Scoring,
    verbose: bool,
    callback: Callable[[], object] | None,
) -> Plan:
    """The plan of a search over ``Cs``: all rows are fitted at the smallest C, nearly.

    Parameters
    ----------
    estimator : L1LinearSVC
    Cs : float64 ndarray of shape (m,), in any order
    X : float64 ndarray (C order) or CSR matrix of shape (n, p)
    labels : ndarray of shape (n,)
    sample_weight : float64 ndarray of shape (n,)
    splits : list of (training rows, test rows), for each fold
    scoring : Scoring
    verbose : bool
        Whether to print a line for each fit.
    callback : callable or None
        Called after each fit, by the thread that did it; of other processes' fits, by this one.

    Raises
    ------
    ValueError
        Where there is a single class, or the arithmetic cannot hold the numbers.
    """
    grid = np.unique(Cs)
    bias = estimator.intercept_scaling if estimator.fit_intercept else 0.0
    classes, problems = binary_problems(
        X, labels, sample_weight, estimator.class_weight, bias, grid
    )
    solvers = []
    for problem in problems:
        solver = start(problem, grid[0], estimator.max_iter)
        solver.solve(grid[0], START_STEPS)
        solvers.append(solver)
    return Plan(
        estimator=estimator,
        grid=grid,
        design=problems[0].design,
        labels=labels,
        sample_weight=sample_weight,
        splits=splits,
        classes=classes,
        solvers=solvers,
        scoring=scoring,
        verbose=verbose,
        config=get_config(),
        callback=callback,
    )


def run_folds(
    plan: Plan,
    jobs: int,
    choose: Callable[[list[list[FoldFit]]], float] | None,
) -> tuple[list[list[FoldFit]], tuple[L1LinearSVC, float] | None]:
    """The fits of all folds, ascending in C; and the refit, if it could begin early.

    The refit begins when a job finds no fold left, at the C that ``choose`` tells from the folds
    done by then. Without ``choose`` it does not begin.

    Threads are not joblib's: it looks every 10 ms for what is done, and knows no task that waits
    for others.

    Raises
    ------
    ValueError
        Where the training rows of a fold have a single class, or no weight, or where a scorer does
        not return numbers.
    """
    n_folds = len(plan.splits)
    jobs = min(jobs, n_folds)
    # In other processes: the plan is sent without the callback, which belongs to this process and
    # is called here, when a fold is back, once for each of the fold's fits.
    crew = Crew(replace(plan, callback=None), jobs)
    if crew.elsewhere:
        done = []
        for fold in crew.run(_run_fold, ((k,) for k in range(n_folds))):
            done.append(fold)
            if plan.callback:
                for _ in range(sum(len(fit.W) for fit in fold)):
                    plan.callback()
        return done, None
    if jobs == 1:
        return [_run_fold(plan, k) for k in range(n_folds)], None
    with ThreadPoolExecutor(jobs) as threads:
        try:
            # The last n_folds % jobs folds leave threads without work. The refit fills the gap: it
            # starts at the C that leads by then, and its time is lost where another C wins.
            folds = [threads.submit(_run_fold, plan, k) for k in range(n_folds)]
            refit, left = None, n_folds % jobs
            if left and choose is not None:
                done = _results(folds[:-left])
                refit = threads.submit(fit_all_rows, plan, done, choose(done))
            return _results(folds), refit.result() if refit else None
        except BaseException:
            # The end of the ``with`` alone would still run the folds that wait for a thread.
            threads.shutdown(cancel_futures=True)
            raise


def _results(futures: list[Future]) -> list:
    """The results in their order; the first error ends the wait, whichever fold it is of."""
    for future in as_completed(futures):
        future.result()
    return [future.result() for future in futures]


def configured(function: Task) -> Task:
    """``function`` of a plan, under the configuration of the thread that made the plan."""

    @functools.wraps(function)
    def call(plan, *args):
        with config_context(**plan.config):
            return function(plan, *args)

    return call  # type: ignore[return-value]


@configured
@one_blas_thread
def fit_all_rows(plan: Plan, folds: list[list[FoldFit]], C: float) -> tuple[L1LinearSVC, float]:
    """All rows fitted at C, from the median of the folds' weights there; and the seconds it took.

    The first half of the folds counts, which is done whenever a refit begins: so its start, hence
    its bits, do not depend on the number of jobs.
    """
    began = time.perf_counter()
    estimator = clone(plan.estimator).set_params(C=float(C))
    # (K, p + 1): a weight of the median is 0 where most folds have 0, as the optimum's will be.
    # The mean would have all weights of all folds. Folds that lack a class have other problems.
    k = np.searchsorted(plan.grid, C)
    fits = [fold[k] for fold in folds[: (len(plan.splits) + 1) // 2]]
    full = [fit.W for fit in fits if len(fit.classes) == len(plan.classes)]
    initial = np.median(full, axis=0) if full else [solver.w for solver in plan.solvers]
    paths = []
    for w, near in zip(initial, plan.solvers, strict=True):
        solver = near.reweighted(near.problem.weights)
        solver.restart(w)
        paths.append(follow(solver, [C], estimator.tol, estimator.max_iter, polish=True))
    estimator.classes_ = plan.classes
    estimator.n_features_in_ = plan.design.shape[1] - 1
    estimator._set_solution(paths, 0)
    return estimator, time.perf_counter() - began


@configured
@one_blas_thread
def _run_fold(plan: Plan, number: int) -> list[FoldFit]:
    """A fit for each C of the grid, ascending."""
    tol, max_iter = plan.estimator.tol, plan.estimator.max_iter
    train, test = (np.arange(len(plan.labels))[rows] for rows in plan.splits[number])
    # One path through the grid for each class. The time to set the fold up is shared by its fits.
    began = time.perf_counter()
    classes, solvers = _fold_solvers(plan, train)
    paths = [follow(solver, plan.grid, tol, max_iter, callback=plan.callback) for solver in solvers]
    in_paths = sum(path.seconds.sum() for path in paths)
    setup = (time.perf_counter() - began - in_paths) / len(plan.grid)

    # The certificates have computed the decision values of all rows, those left out as well: to
    # score a fit costs no further product with X.
    score_test = _scorer_on(plan, test)
    score_train = _scorer_on(plan, train) if plan.scoring.return_train_score else None
    fits = []
    for k, C in enumerate(plan.grid):
        svc = _FoldSVC(**plan.estimator.get_params()).set_params(C=float(C))
        svc.classes_ = classes
        svc.n_features_in_ = plan.design.shape[1] - 1
        svc._set_solution(paths, k)
        products = np.column_stack([path.products[k] for path in paths])
        values = products[:, 0] if len(classes) == 2 else products
        began = time.perf_counter()
        test_score = score_test(svc, values)
        score_time = time.perf_counter() - began
        fit = FoldFit(
            C=svc.C,
            classes=classes,
            W=np.array([path.W[k] for path in paths]),
            gap=svc.duality_gap_,
            n_iter=svc.n_iter_,
            fit_time=setup + sum(path.seconds[k] for path in paths),
            score_time=score_time,
            test_score=test_score,
            train_score=score_train(svc, values) if score_train else None,
        )
        fits.append(fit)
        if plan.verbose:
            print(
                f"[fold {number + 1}/{len(plan.splits)}] C={C:g}: score {fit.test_score},"
                f" {np.count_nonzero(fit.W)} non-zero, gap {fit.gap:.1e}, {fit.n_iter} steps,"
                f" {fit.fit_time:.3f} s"
            )
    return fits


def _fold_solvers(plan: Plan, train: np.ndarray) -> tuple[np.ndarray, list[Solver]]:
    """The fold's classes, and for each of their problems a solver near the smallest C."""
    counts = np.bincount(train, minlength=len(plan.labels))  # a splitter may repeat rows
    classes, weights = weigh_classes(
        plan.estimator.class_weight, plan.labels, plan.sample_weight * counts, counts > 0
    )
    positive = np.searchsorted(plan.classes, classes[-len(weights) :])
    first = len(plan.classes) - len(plan.solvers)  # 1 where two classes share one problem
    return classes, [
        plan.solvers[k - first].reweighted(s) for k, s in zip(positive, weights, strict=True)
    ]


class _FoldSVC(L1LinearSVC):
    """L1LinearSVC that was told its decision values on the rows it is scored on."""

    def decision_function(self, X):
        return self.values if X is self.rows else super().decision_function(X)


def _scorer_on(plan: Plan, rows: np.ndarray) -> Callable[[_FoldSVC, np.ndarray], Score]:
    """A function of a fit and its decision values on all rows: the fit's score on ``rows``."""
    scorer = plan.scoring.scorer
    if scorer is None:
        labels = plan.labels[rows]
        return lambda svc, values: _accuracy(svc.classes_, values[rows], labels)
    X, y = _safe_indexing(plan.scoring.X, rows), _safe_indexing(plan.scoring.y, rows)
    metadata = {
        name: _safe_indexing(value, rows) if _rows_of(value) == len(plan.labels) else value
        for name, value in plan.scoring.metadata.items()
    }

    def score(svc: _FoldSVC, values: np.ndarray) -> Score:
        svc.rows, svc.values = X, values[rows]
        scores = scorer(svc, X, y, **metadata)
        if isinstance(scores, dict):
            return {name: _number(score, name) for name, score in scores.items()}
        return _number(scores, scorer)

    return score


def _rows_of(value):
    """How many rows an array, a data frame or a list has; None for what has none."""
    if isinstance(value, list | tuple):
        return len(value)
    return next(iter(getattr(value, "shape", ())), None)


def _number(score, scorer):
    """``score`` as a plain number."""
    if np.size(score) == 1 and hasattr(score, "item"):  # NumPy's
        score = score.item()
    if not isinstance(score, Number):
        raise ValueError(
            f"scoring must return a number, got {score} ({type(score)}) instead. (scorer={scorer})"
        )
    return score


def _accuracy(classes: np.ndarray, values: np.ndarray, y: np.ndarray) -> float:
    """scikit-learn's accuracy, without its checks, which cost more than a Newton step."""
    chosen = values.argmax(axis=1) if values.ndim == 2 else (values > 0).astype(int)
    return float(np.mean(classes[chosen] == y))
