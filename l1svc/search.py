"""L1LinearSVCSearchCV: GridSearchCV over C, each optimum from the one before it."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from inspect import signature
from numbers import Integral
from typing import ClassVar

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import ThreadingBackend, get_active_backend
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .design import Design, side_by_side
from .estimators import (
    L1LinearSVC,
    one_blas_thread,
    validate_training_data,
    warn_unless_converged,
    weigh_classes,
)
from .objective import one_vs_rest
from .path import follow, start

START_STEPS = 2  # Newton steps on all rows, from which every fold starts
SHARED = ("tol", "max_iter", "fit_intercept", "intercept_scaling", "class_weight")


def _refitted(search):
    if not search.refit:
        raise AttributeError(
            f"This {type(search).__name__} instance was initialized with refit=False;"
            " there is no best_estimator_ to call."
        )
    return True


class L1LinearSVCSearchCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Cross-validated choice of C for :class:`l1svc.L1LinearSVC`.

    What ``GridSearchCV(LinearSVC(penalty="l1", loss="squared_hinge", dual=False), {"C": Cs})``
    computes, at the exact optimum of every fit. The smallest C is solved on all rows once; each
    fold starts there and follows C upward.

    Parameters
    ----------
    Cs : array-like of float, or int, default=10
        The grid; an int stands for so many values from 1e-4 to 1e4, geometrically.
    cv : int, splitter or iterable of (train, test), default=5
    scoring : str, callable, list, tuple, dict or None, default="accuracy"
    return_train_score : bool, default=False
    n_jobs : int, default=None
        Folds in parallel, and the refit beside the last of them: threads, or the backend chosen
        with ``joblib.parallel_config``. Their number changes no bit of the results.
    refit : bool, str or callable, default=True
        As in GridSearchCV.
    tol, max_iter, fit_intercept, intercept_scaling, class_weight
        As in L1LinearSVC.
    verbose : int, default=0
        Above 0, a line for each fit.

    Attributes
    ----------
    cv_results_ : dict
        GridSearchCV's keys, and ``split0_duality_gap``, …, ``max_duality_gap`` (relative; the
        largest over classes, and over folds), ``split0_n_iter``, … (Newton steps),
        ``split0_nonzero``, … and ``nonzero`` (weights, the bias' included, that are not zero;
        the mean over folds).
    best_estimator_ : L1LinearSVC
        Fitted to all rows at the best C.
    best_index_, best_params_, best_score_, scorer_, n_splits_, multimetric_, refit_time_
        As in GridSearchCV.
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Newton steps of the refit, or without one the most of any fit.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    """

    _parameter_constraints: ClassVar[dict] = {
        **L1LinearSVC._parameter_constraints,
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, list, tuple, dict, None],
        "return_train_score": ["boolean"],
        "n_jobs": [Integral, None],
        "refit": ["boolean", str, callable],
        "verbose": ["verbose"],
    }
    _parameter_constraints.pop("C")
    _parameter_constraints.pop("warm_start")

    def __init__(
        self,
        Cs=10,
        *,
        cv=5,
        scoring="accuracy",
        return_train_score=False,
        n_jobs=None,
        refit=True,
        tol=1e-8,
        max_iter=1000,
        fit_intercept=True,
        intercept_scaling=1.0,
        class_weight=None,
        verbose=0,
    ):
        self.Cs = Cs
        self.cv = cv
        self.scoring = scoring
        self.return_train_score = return_train_score
        self.n_jobs = n_jobs
        self.refit = refit
        self.tol = tol
        self.max_iter = max_iter
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    @one_blas_thread
    def fit(self, X, y, *, sample_weight=None, groups=None) -> "L1LinearSVCSearchCV":
        """Score every C on every fold, then fit all rows at the best.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, p)
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None
            For the fits, and for the scorers that take weights, as in GridSearchCV.
        groups : array of shape (n,), default=None
            For the splitter.

        Raises
        ------
        ValueError
            Where the training rows of a fold have a single class.
        """
        Cs = self._grid()
        given_X, given_y = indexable(X, y)
        weighted = sample_weight is not None
        X, y, sample_weight = validate_training_data(self, X, y, sample_weight)
        estimator = L1LinearSVC(**{name: getattr(self, name) for name in SHARED})
        scorer = check_scoring(estimator, self.scoring)
        if weighted and not _takes_weights(scorer):
            weighted = False
            message = f"scoring={self.scoring!r} takes no sample_weight: scores have none."
            warnings.warn(message, stacklevel=4)  # the caller's line
        splitter = check_cv(self.cv, y, classifier=True)
        splits = list(splitter.split(given_X, given_y, groups))
        self.n_splits_ = len(splits)
        if self.verbose:
            print(f"{self.n_splits_} folds, {len(Cs)} values of C")

        self.classes_, weights = weigh_classes(self.class_weight, y, sample_weight)
        grid = np.unique(Cs)
        jobs = effective_n_jobs(self.n_jobs)
        with side_by_side(jobs):
            design = Design(X, self.intercept_scaling if self.fit_intercept else 0.0)
            solvers = []
            for target in one_vs_rest(y, self.classes_):
                solvers.append(start(design, target, weights, grid[0], self.max_iter))
                solvers[-1].solve(grid[0], START_STEPS)
        common = _Common(estimator, design, y, sample_weight, self.classes_, solvers)
        quick = _accuracy if self.scoring == "accuracy" and not weighted else scorer
        shared = (common, given_X, given_y, grid, quick, weighted, self.return_train_score)
        tasks = [
            (*shared, split, f"fold {k + 1}/{len(splits)}" if self.verbose else None)
            for k, split in enumerate(splits)
        ]
        half = (len(tasks) + 1) // 2  # of the folds: these are done whenever a refit begins

        def refit(folds):
            best = self._judge(Cs, grid, folds)
            return best, *_refit(common, [fold[best] for fold in folds[:half]])

        foreseeable = self.refit and not callable(self.refit)
        folds, refitted = _run_folds(tasks, jobs, refit if foreseeable else None)
        worst = max(fit.gap for fold in folds for fit in fold)
        warn_unless_converged(worst, self.tol, self.max_iter)

        self.scorer_ = scorer
        best = self._judge(Cs, grid, folds)
        self.n_iter_ = max(fit.n_iter for fold in folds for fit in fold)
        if self.refit:
            if refitted is None or refitted[0] != best:
                with side_by_side(jobs):
                    refitted = refit(folds)
            self._adopt(*refitted[1:])
            warn_unless_converged(self.best_estimator_.duality_gap_, self.tol, self.max_iter)
        return self

    def _adopt(self, estimator, seconds):
        """The refit, with what it does not know of the data it was given."""
        estimator.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            estimator.feature_names_in_ = self.feature_names_in_
        self.best_estimator_, self.refit_time_ = estimator, seconds
        self.n_iter_ = estimator.n_iter_

    def _grid(self):
        """The values of C as a float64 array, in the order given."""
        if isinstance(self.Cs, Integral):
            return np.geomspace(1e-4, 1e4, self.Cs)
        Cs = np.asarray(self.Cs, dtype=np.float64)
        if Cs.ndim != 1 or len(Cs) == 0 or not np.all((Cs > 0) & np.isfinite(Cs)):
            raise ValueError(f"Cs must be positive numbers, at least one, got {self.Cs!r}.")
        return Cs

    def _judge(self, Cs, grid, folds):
        """cv_results_ and the best_ attributes of these folds; where in ``grid`` the best C is."""
        self.multimetric_ = isinstance(folds[0][0].test_score, dict)
        positions = np.searchsorted(grid, Cs)
        self.cv_results_ = _tabulate(Cs, [[fold[k] for k in positions] for fold in folds])
        names = [key[len("mean_test_") :] for key in self.cv_results_ if "mean_test_" in key]
        if callable(self.refit):
            self.best_index_ = self.refit(self.cv_results_)
            if not isinstance(self.best_index_, Integral):
                raise TypeError("best_index_ returned is not an integer")
            if not 0 <= self.best_index_ < len(self.cv_results_["params"]):
                raise IndexError("best_index_ index out of range")
        elif self.multimetric_:
            if self.refit is False:
                return None
            if self.refit not in names:
                raise ValueError(
                    "For multi-metric scoring, refit must be False, a callable or one of"
                    f" {names}, got {self.refit!r}."
                )
        if not callable(self.refit):
            name = self.refit if self.multimetric_ else "score"
            self.best_index_ = int(self.cv_results_[f"rank_test_{name}"].argmin())
            self.best_score_ = self.cv_results_[f"mean_test_{name}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        return positions[self.best_index_]

    @available_if(_refitted)
    def decision_function(self, X):
        """``best_estimator_.decision_function(X)``."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @available_if(_refitted)
    def predict(self, X):
        """``best_estimator_.predict(X)``."""
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_refitted)
    def score(self, X, y) -> float:
        """``scoring`` of ``best_estimator_``; of several metrics, the one that ``refit`` names."""
        check_is_fitted(self)
        score = self.scorer_(self.best_estimator_, X, y)
        return score[self.refit] if self.multimetric_ else score


@dataclass
class _Common:
    """What every fold starts from."""

    estimator: L1LinearSVC
    design: Design
    y: np.ndarray
    sample_weight: np.ndarray
    classes: np.ndarray
    solvers: list  # one for each class, at about the optimum of all rows for the smallest C


@dataclass
class _Fit:
    """One fold at one C."""

    C: float
    classes: np.ndarray
    W: np.ndarray  # (K, p + 1), the bias' weight last
    gap: float
    n_iter: int
    fit_time: float
    score_time: float
    test_score: float | dict
    train_score: float | dict | None


def _takes_weights(scorer):
    if hasattr(scorer, "_accept_sample_weight"):  # scikit-learn's own
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


def _accuracy(estimator, X, y):
    """scikit-learn's score, without its checks of X and y, which cost more than a Newton step."""
    return float(np.mean(estimator.predict(X) == y))


class _FoldSVC(L1LinearSVC):
    """L1LinearSVC that was told its decision values on the rows it will be scored on."""

    def decision_function(self, X):
        for rows, values in self.known:
            if X is rows:
                return values
        return super().decision_function(X)


def _run_folds(tasks, jobs, refit):
    """What _run_fold makes of each task; and if a job is without a task while the last of them
    run, what ``refit`` makes of the folds before, or else None.

    Threads are not joblib's: it looks every 10 ms for what is done, and knows no task that waits
    for others.
    """
    jobs = min(jobs, len(tasks))
    if jobs == 1 or not isinstance(get_active_backend(prefer="threads")[0], ThreadingBackend):
        return Parallel(n_jobs=jobs)(delayed(_run_fold)(*task) for task in tasks), None
    with ThreadPoolExecutor(jobs) as threads:
        try:
            folds = [threads.submit(_run_fold, *task) for task in tasks]
            refitted, left = None, len(tasks) % jobs
            if left and refit is not None:
                refitted = threads.submit(refit, [fold.result() for fold in folds[:-left]])
            return [fold.result() for fold in folds], refitted and refitted.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


@one_blas_thread
def _run_fold(common, X, y, grid, scorer, weighted, with_train_score, split, label):
    """A _Fit for each C of ``grid``, ascending."""
    estimator = common.estimator
    index = np.arange(len(common.y))
    train, test = index[split[0]], index[split[1]]
    began = time.perf_counter()
    classes, solvers = _fold_solvers(common, train)
    paths = [follow(solver, grid, estimator.tol, estimator.max_iter) for solver in solvers]
    setup = (time.perf_counter() - began - sum(path.seconds.sum() for path in paths)) / len(grid)

    parts = [("test", test)] + ([("train", train)] if with_train_score else [])
    taken = (lambda rows: rows) if scorer is _accuracy else (lambda rows: _safe_indexing(X, rows))
    parts = [(part, rows, taken(rows), _safe_indexing(y, rows)) for part, rows in parts]
    fits, params = [], estimator.get_params()
    for k, C in enumerate(grid):
        fitted = _FoldSVC(**{**params, "C": float(C)})
        fitted.classes_ = classes
        fitted.n_features_in_ = common.design.shape[1] - 1
        fitted._set_solution(paths, k)
        products = np.column_stack([path.products[k] for path in paths])
        values = products[:, 0] if len(classes) == 2 else products
        fitted.known = [(part_X, values[rows]) for _, rows, part_X, _ in parts]
        scores, times = {"train": None}, {}
        for part, rows, part_X, part_y in parts:
            extra = {"sample_weight": common.sample_weight[rows]} if weighted else {}
            began = time.perf_counter()
            scores[part] = scorer(fitted, part_X, part_y, **extra)
            times[part] = time.perf_counter() - began
        fits.append(
            _Fit(
                C=float(C),
                classes=classes,
                W=np.array([path.W[k] for path in paths]),
                gap=fitted.duality_gap_,
                n_iter=fitted.n_iter_,
                fit_time=setup + sum(path.seconds[k] for path in paths),
                score_time=times["test"],
                test_score=scores["test"],
                train_score=scores["train"],
            )
        )
        if label:
            fit = fits[-1]
            print(
                f"[{label}] C={C:g}: score {fit.test_score}, {np.count_nonzero(fit.W)} non-zero,"
                f" gap {fit.gap:.1e}, {fit.n_iter} steps, {fit.fit_time:.3f} s"
            )
    return fits


@one_blas_thread
def _refit(common, fits):
    """All rows at the C of these fits, from the median of their weights: estimator, seconds."""
    began = time.perf_counter()
    estimator = clone(common.estimator).set_params(C=fits[0].C)
    full = [fit.W for fit in fits if len(fit.classes) == len(common.classes)]
    initial = np.median(full, axis=0) if full else [solver.w for solver in common.solvers]
    paths = []
    for w, near in zip(initial, common.solvers, strict=True):
        solver = near.reweighted(near.weights)
        solver.restart(w)
        paths.append(follow(solver, [estimator.C], estimator.tol, estimator.max_iter, polish=True))
    estimator.classes_ = common.classes
    estimator._set_solution(paths, 0)
    return estimator, time.perf_counter() - began


def _fold_solvers(common, train):
    """The fold's classes, and for each of their problems a solver near the smallest C."""
    counts = np.bincount(train, minlength=len(common.y))  # a splitter may repeat rows
    classes, weights = weigh_classes(
        common.estimator.class_weight, common.y, common.sample_weight * counts
    )
    positive = np.searchsorted(common.classes, classes[-1:] if len(classes) == 2 else classes)
    first = len(common.classes) - len(common.solvers)  # 1 where two classes share one problem
    return classes, [common.solvers[k - first].reweighted(weights) for k in positive]


def _tabulate(Cs, folds):
    """GridSearchCV's ``cv_results_`` from a _Fit for each fold and C."""
    results = {}

    def store(name, values, splits=True):
        table = np.array(values, dtype=np.float64)
        if splits:
            for k, row in enumerate(table):
                results[f"split{k}_{name}"] = row
        return table

    def store_moments(name, values, splits=True):
        table = store(name, values, splits)
        results[f"mean_{name}"] = table.mean(axis=0)
        results[f"std_{name}"] = table.std(axis=0)

    def collect(attribute):
        return [[getattr(fit, attribute) for fit in fold] for fold in folds]

    store_moments("fit_time", collect("fit_time"), splits=False)
    store_moments("score_time", collect("score_time"), splits=False)
    results["param_C"] = np.ma.masked_array(Cs, mask=np.zeros(len(Cs), dtype=bool))
    results["params"] = [{"C": float(C)} for C in Cs]
    for part in ("test", "train"):
        scores = collect(f"{part}_score")
        if scores[0][0] is None:
            continue
        if not isinstance(scores[0][0], dict):
            scores = [[{"score": score} for score in fold] for fold in scores]
        for name in scores[0][0]:
            store_moments(f"{part}_{name}", [[score[name] for score in fold] for fold in scores])
            if part == "test":
                mean = results[f"mean_test_{name}"]
                worst = np.nanmin(mean) - 1 if np.isfinite(mean).any() else 0.0
                ranks = rankdata(-np.nan_to_num(mean, nan=worst), method="min")
                results[f"rank_test_{name}"] = ranks.astype(np.int32)
    results["max_duality_gap"] = store("duality_gap", collect("gap")).max(axis=0)
    store("n_iter", collect("n_iter"))
    nonzero = [[np.count_nonzero(fit.W) for fit in fold] for fold in folds]
    results["nonzero"] = store("nonzero", nonzero).mean(axis=0)
    return results
