"""L1LinearSVCSearchCV: GridSearchCV over C, each optimum from the one before it."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .design import MatrixLike, side_by_side
from .estimators import (
    Function,
    L1LinearSVC,
    checks_parameters,
    one_blas_thread,
    validate_training_data,
    warn_unless_converged,
)
from .folds import FoldFit, Score, Scoring, fit_all_rows, prepare, run_folds

Scorer = Callable[..., Score]
Scorers = str | Scorer | Iterable[str] | Mapping[str, str | Scorer] | None
Refit = bool | str | Callable[[dict[str, Any]], int]

SHARED = ("tol", "max_iter", "fit_intercept", "intercept_scaling", "class_weight")


def _refitted(search):
    if not search.refit:
        raise AttributeError(
            f"This {type(search).__name__} instance was initialized with refit=False;"
            " there is no best_estimator_ to call."
        )
    return True


def if_refitted(method: Function) -> Function:
    """``method``, of searches that refit only: others have no such attribute."""
    available: Function = available_if(_refitted)(method)
    return available


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

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVCSearchCV
    >>> search = L1LinearSVCSearchCV([0.01, 0.1, 1.0, 10.0], cv=5).fit(X, y)
    >>> search.best_params_, round(float(search.best_score_), 4)
    ({'C': 1.0}, 0.9719)
    >>> search.cv_results_["nonzero"].round(1).tolist()  # weights, the mean over the folds
    [2.0, 6.0, 13.2, 20.0]
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
        Cs: ArrayLike = 10,
        *,
        cv: Any = 5,
        scoring: Scorers = "accuracy",
        return_train_score: bool = False,
        n_jobs: int | None = None,
        refit: Refit = True,
        tol: float = 1e-8,
        max_iter: int = 1000,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Mapping[Any, float] | str | None = None,
        verbose: int = 0,
    ) -> None:
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

    @checks_parameters
    @one_blas_thread
    def fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        callback: Callable[[], object] | None = None,
    ) -> "L1LinearSVCSearchCV":
        """Score every C on every fold, then fit all rows at the best.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, p)
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None
            For the fits, and for the scorers that take weights, as in GridSearchCV.
        groups : array of shape (n,), default=None
            For the splitter.
        callback : callable, default=None
            Called after each fit of a fold (with more than two classes, of each class against the
            others), in the thread that ran it; in this one, where other processes run the folds.

        Raises
        ------
        ValueError
            Where the training rows of a fold have a single class.
        """
        Cs = self._grid()
        given_X, given_y = indexable(X, y)
        X, y, weights = validate_training_data(self, X, y, sample_weight)
        estimator = L1LinearSVC(**{name: getattr(self, name) for name in SHARED})
        self.scorer_ = check_scoring(estimator, self.scoring)
        scoring = self._scoring(given_X, given_y, None if sample_weight is None else weights)
        splits = list(check_cv(self.cv, y, classifier=True).split(given_X, given_y, groups))
        self.n_splits_ = len(splits)
        if self.verbose:
            print(f"{self.n_splits_} folds, {len(Cs)} values of C")

        jobs = effective_n_jobs(self.n_jobs)
        with side_by_side(jobs):
            plan = prepare(
                estimator,
                Cs,
                X,
                y,
                weights,
                splits,
                scoring,
                verbose=bool(self.verbose),
                callback=callback,
            )
        self.classes_ = plan.classes

        def choose(folds):
            return Cs[best_index(tabulate(Cs, folds), self.refit, is_multimetric(folds))]

        foreseeable = self.refit and not callable(self.refit)
        folds, refitted = run_folds(plan, jobs, choose if foreseeable else None)
        worst = max(fit.gap for fold in folds for fit in fold)
        warn_unless_converged(worst, self.tol, self.max_iter)

        self.multimetric_ = is_multimetric(folds)
        self.cv_results_ = tabulate(Cs, folds)
        self.n_iter_ = max(fit.n_iter for fold in folds for fit in fold)
        best = best_index(self.cv_results_, self.refit, self.multimetric_)
        if best is None:
            return self
        self.best_index_, self.best_params_ = best, self.cv_results_["params"][best]
        if not callable(self.refit):
            metric = self.refit if self.multimetric_ else "score"
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][best]
        if self.refit:
            if refitted is None or Cs[best] != refitted[0].C:
                with side_by_side(jobs):
                    refitted = fit_all_rows(plan, folds, Cs[best])
            self.best_estimator_, self.refit_time_ = refitted
            self.n_iter_ = self.best_estimator_.n_iter_
            if hasattr(self, "feature_names_in_"):
                self.best_estimator_.feature_names_in_ = self.feature_names_in_
            warn_unless_converged(self.best_estimator_.duality_gap_, self.tol, self.max_iter)
        return self

    def _grid(self) -> np.ndarray:
        """The values of C as a float64 array, in the order given."""
        if isinstance(self.Cs, Integral):
            return np.geomspace(1e-4, 1e4, self.Cs)
        Cs = np.asarray(self.Cs, dtype=np.float64)
        if Cs.ndim != 1 or len(Cs) == 0 or not np.all((Cs > 0) & np.isfinite(Cs)):
            raise ValueError(f"Cs must be positive numbers, at least one, got {self.Cs!r}.")
        return Cs

    def _scoring(self, X, y, sample_weight):
        """How ``scorer_`` scores: with the sample weights if it takes them."""
        if sample_weight is not None and not _takes_weights(self.scorer_):
            sample_weight = None
            message = f"scoring={self.scoring!r} takes no sample_weight: scores have none."
            warnings.warn(message, stacklevel=5)  # the caller's line
        quick = self.scoring == "accuracy" and sample_weight is None
        scorer = None if quick else self.scorer_
        if quick:  # the decision values and the labels are enough
            X = y = None
        return Scoring(X, y, scorer, sample_weight, self.return_train_score)

    @if_refitted
    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """``best_estimator_.decision_function(X)``."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @if_refitted
    def predict(self, X: MatrixLike) -> np.ndarray:
        """``best_estimator_.predict(X)``."""
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @if_refitted
    def score(self, X: MatrixLike, y: ArrayLike) -> float:
        """``scoring`` of ``best_estimator_``; of several metrics, the one that ``refit`` names."""
        check_is_fitted(self)
        score = self.scorer_(self.best_estimator_, X, y)
        return score[self.refit] if self.multimetric_ else score


def _takes_weights(scorer):
    if hasattr(scorer, "_accept_sample_weight"):  # scikit-learn's own
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


def is_multimetric(folds: list[list[FoldFit]]) -> bool:
    """Whether the fits of these folds have several scores each."""
    return isinstance(folds[0][0].test_score, dict)


def best_index(results: dict[str, Any], refit: Refit, multimetric: bool) -> int | None:
    """Where in ``cv_results_`` the best C is, as GridSearchCV's ``refit`` says.

    None where there are several metrics and ``refit`` is False.

    Raises
    ------
    TypeError, IndexError
        Where a callable ``refit`` gives no integer, or one out of range.
    ValueError
        Where ``refit`` names none of several metrics.
    """
    if callable(refit):
        index = refit(results)
        if not isinstance(index, Integral):
            raise TypeError("best_index_ returned is not an integer")
        if not 0 <= index < len(results["params"]):
            raise IndexError("best_index_ index out of range")
        return index
    metric = refit if multimetric else "score"
    if metric is False:
        return None
    names = [key[len("mean_test_") :] for key in results if key.startswith("mean_test_")]
    if metric not in names:
        raise ValueError(
            "For multi-metric scoring, refit must be False, a callable or one of"
            f" {names}, got {refit!r}."
        )
    return int(results[f"rank_test_{metric}"].argmin())


def tabulate(Cs: np.ndarray, folds: list[list[FoldFit]]) -> dict[str, Any]:
    """GridSearchCV's ``cv_results_``, in the order of ``Cs``, from folds that ascend in C."""
    positions = np.searchsorted(np.unique(Cs), Cs)
    folds = [[fold[k] for k in positions] for fold in folds]
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
