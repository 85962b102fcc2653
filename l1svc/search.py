"""L1LinearSVCSearchCV: GridSearchCV over C, each optimum from the one before it."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import column_or_1d, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .cv_results import Refit, best_index, is_multimetric, tabulate
from .design import MatrixLike, side_by_side
from .estimators import (
    FITTED_BY,
    Function,
    L1LinearSVC,
    checks_parameters,
    warn_unless_converged,
)
from .folds import Score, Scoring, fit_all_rows, prepare, run_folds
from .problem import PARAMETERS, check_Cs, check_data
from .threads import one_blas_thread

Scorer = Callable[..., Score]
Scorers = str | Scorer | Iterable[str] | Mapping[str, str | Scorer] | None

SHARED = tuple(name for name in FITTED_BY if name != "C")


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

    penalty = L1LinearSVC.penalty

    # Of what fit takes, and of what L1LinearSVC.score takes, which is the scorer of scoring=None.
    __metadata_request__fit: ClassVar[dict] = {"groups": UNUSED, "callback": UNUSED}
    __metadata_request__score: ClassVar[dict] = {"sample_weight": None}

    _parameter_constraints: ClassVar[dict] = {
        **{name: PARAMETERS[name] for name in (*SHARED, "n_jobs")},
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, list, tuple, dict, None],
        "return_train_score": ["boolean"],
        "refit": ["boolean", str, callable],
        "verbose": ["verbose"],
    }

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
        **metadata: Any,
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
        **metadata
            For the scorers and the splitter, under ``enable_metadata_routing`` alone. Then
            ``sample_weight`` and ``groups`` too go where they were asked for, as in GridSearchCV:
            to the fits by ``set_fit_request`` of this search, to ``scoring=None`` by its
            ``set_score_request``.

        Raises
        ------
        ValueError
            Where the training rows of a fold have a single class or no weight, a scorer returns
            something else than numbers, or a number is infinite, NaN or beyond what
            :class:`l1svc.L1LinearSVC` says of C.
        TypeError
            Where metadata are given that nothing takes.
        """
        # Who takes which metadata: the fits, the scorers, the splitter.
        Cs = self._grid()
        estimator = L1LinearSVC(**{name: getattr(self, name) for name in SHARED})
        scorer = check_scoring(estimator, self.scoring)
        self.scorer_ = _by_name(self.scoring, estimator) or scorer
        metadata |= {"sample_weight": sample_weight, "groups": groups}
        fit_weight, for_scorer, for_splitter = self._routed(metadata)

        # The solver has X and y as checked arrays. Scorers and the splitter have them as given: a
        # scorer may want a data frame's names.
        given_X, given_y = indexable(X, y)
        X, y, weights = check_data(X, y, fit_weight, self)
        given_y = _one_dimensional(given_y)
        for_scorer = {
            name: weights if value is fit_weight else value for name, value in for_scorer.items()
        }
        if self.scoring == "accuracy" and not for_scorer:  # decision values and labels are enough
            scoring = Scoring(None, None, None, {}, self.return_train_score)
        else:
            scoring = Scoring(given_X, given_y, scorer, for_scorer, self.return_train_score)
        splits = list(check_cv(self.cv, y, classifier=True).split(given_X, given_y, **for_splitter))
        if not splits:
            raise ValueError(f"cv must give at least one split, got none from {self.cv!r}.")
        self.n_splits_ = len(splits)
        if self.verbose:
            print(f"{self.n_splits_} folds, {len(Cs)} values of C")

        # All rows near the optimum at the smallest C: every fold begins there.
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

        # A refit may begin before the last folds are done, at the C that leads by then. A callable
        # ``refit`` is called once, with all results: nobody can foresee what it says.
        foreseeable = self.refit and not callable(self.refit)
        folds, refitted = run_folds(plan, jobs, choose if foreseeable else None)
        fits = [fit for fold in folds for fit in fold]
        gaps, n_iter = [fit.gap for fit in fits], [fit.n_iter for fit in fits]
        warn_unless_converged(gaps, n_iter, self.tol, self.max_iter)

        # The results, as GridSearchCV has them; the best C of all folds.
        self.multimetric_ = is_multimetric(folds)
        self.cv_results_ = tabulate(Cs, folds)
        for key, means in self.cv_results_.items():
            if key.startswith(("mean_test_", "mean_train_")) and not np.isfinite(means).all():
                part = key.split("_")[1]
                message = f"One or more of the {part} scores are non-finite: {means}"
                warnings.warn(message, stacklevel=4)  # the caller's line
        self.n_iter_ = max(fit.n_iter for fold in folds for fit in fold)
        best = best_index(self.cv_results_, self.refit, self.multimetric_)
        if best is None:
            return self
        self.best_index_, self.best_params_ = best, self.cv_results_["params"][best]
        if not callable(self.refit):
            metric = self.refit if self.multimetric_ else "score"
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][best]
        if self.refit:
            # The refit that began early counts if the C that led then has won.
            if refitted is None or Cs[best] != refitted[0].C:
                with side_by_side(jobs):
                    refitted = fit_all_rows(plan, folds, Cs[best])
            self.best_estimator_, self.refit_time_ = refitted
            self.n_iter_ = self.best_estimator_.n_iter_
            if hasattr(self, "feature_names_in_"):
                self.best_estimator_.feature_names_in_ = self.feature_names_in_
            gap = self.best_estimator_.duality_gap_
            warn_unless_converged(gap, self.n_iter_, self.tol, self.max_iter)
        return self

    def _grid(self) -> np.ndarray:
        """The values of C as a float64 array, in the order given."""
        if isinstance(self.Cs, Integral):
            return np.geomspace(1e-4, 1e4, self.Cs)
        return check_Cs(self.Cs)

    def _routed(self, metadata):
        """Of the metadata given to fit: the fits' sample_weight, the scorer's, the splitter's."""
        metadata = {name: value for name, value in metadata.items() if value is not None}
        if get_config()["enable_metadata_routing"]:
            if not metadata:
                return None, {}, {}
            routed = process_routing(self, "fit", **metadata)
            fit_weight = routed.estimator.fit.get("sample_weight")
            return fit_weight, routed.scorer.score, routed.splitter.split
        sample_weight, groups = (metadata.pop(name, None) for name in ("sample_weight", "groups"))
        _refuse(metadata, "fit")
        for_scorer = {} if sample_weight is None else {"sample_weight": sample_weight}
        if for_scorer:
            named = self.scorer_ if isinstance(self.scorer_, dict) else {"": self.scorer_}
            deaf = {name: scorer for name, scorer in named.items() if not _takes_weights(scorer)}
            for name, scorer in deaf.items():
                message = f"scoring {name or scorer} takes no sample_weight: its scores have none."
                warnings.warn(message, stacklevel=5)  # the caller's line
            if len(deaf) == len(named):
                for_scorer = {}
        return sample_weight, for_scorer, {"groups": groups}

    def get_metadata_routing(self) -> MetadataRouter:
        """Where metadata go, as in GridSearchCV: to the fits, the scorers and the splitter."""
        own = super().get_metadata_routing()
        scorer = own if self.scoring is None else check_scoring(L1LinearSVC(), self.scoring)
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        to_score = MethodMapping().add(caller="score", callee="score")
        return (
            MetadataRouter(owner=self)
            .add(estimator=own, method_mapping=to_fit)
            .add(scorer=scorer, method_mapping=to_score.add(caller="fit", callee="score"))
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

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
    def score(self, X: MatrixLike, y: ArrayLike, **metadata: Any) -> float:
        """``scoring`` of ``best_estimator_``; of several metrics, the one that ``refit`` names.

        ``metadata`` are for the scorer, under ``enable_metadata_routing`` alone.
        """
        check_is_fitted(self)
        if get_config()["enable_metadata_routing"]:
            metadata = process_routing(self, "score", **metadata).scorer.score
        else:
            _refuse(metadata, "score")
        scorer = self.scorer_[self.refit] if isinstance(self.scorer_, dict) else self.scorer_
        score = scorer(self.best_estimator_, X, _one_dimensional(y), **metadata)
        return score[self.refit] if isinstance(score, dict) else score


def _by_name(scoring, estimator):
    """The scorers of several metrics by their names; None for a single one."""
    if isinstance(scoring, list | tuple):
        scoring = dict(zip(scoring, scoring, strict=True))
    if not isinstance(scoring, dict):
        return None
    return {name: check_scoring(estimator, one) for name, one in scoring.items()}


def _refuse(metadata, method):
    if metadata:
        raise TypeError(
            f"{method} got unexpected arguments {sorted(metadata)}: metadata are routed under"
            " sklearn.set_config(enable_metadata_routing=True) alone."
        )


def _takes_weights(scorer):
    if hasattr(scorer, "_accept_sample_weight"):  # scikit-learn's own
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


def _one_dimensional(y):
    """y for scorers and splitters: an array, but for a Series of pandas, which has an index."""
    return y if hasattr(y, "iloc") and y.ndim == 1 else column_or_1d(y)
