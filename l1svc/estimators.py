"""L1LinearSVC: LinearSVC(penalty="l1", loss="squared_hinge", dual=False), solved exactly."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin

from .design import MatrixLike
from .path import Path, follow, solver_from, start
from .problem import PARAMETERS, binary_problems, check_data
from .threads import one_blas_thread

Function = TypeVar("Function", bound=Callable[..., Any])

FITTED_BY = ("C", "tol", "max_iter", "fit_intercept", "intercept_scaling", "class_weight")


def checks_parameters(fit: Function) -> Function:
    """``fit``, after scikit-learn's check of the estimator's parameters."""
    checked: Function = _fit_context(prefer_skip_nested_validation=True)(fit)
    return checked


class L1LinearSVC(LinearClassifierMixin, SparseCoefMixin, BaseEstimator):
    """min over w of ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)², x̃_i = (x_i, intercept_scaling).

    The problem of scikit-learn's ``LinearSVC(penalty="l1", loss="squared_hinge", dual=False)``,
    the bias penalised like the other weights; more than two classes are one-vs-rest. Solved by
    proximal Newton (:mod:`l1svc.newton`) to a certified duality gap; deterministic.

    Parameters
    ----------
    C : float, default=1.0
        Weight of the loss, from 1e-100 to 1e100. So must M = C Σ_i s_i max(1, ‖x̃_i‖²) be: the
        optimum's weights and margins are at most M, and with M³ a double holds all sums.
    tol : float, default=1e-8
        Bound on the relative duality gap (:func:`l1svc.relative_duality_gap`).
    max_iter : int, default=1000
        Newton steps, for each class.
    fit_intercept : bool, default=True
    intercept_scaling : float, default=1.0
        Value of the constant feature, from 1e-50 to 1e50; the larger, the less the intercept is
        penalised.
    class_weight : dict, "balanced" or None, default=None
        Multiplies C class by class. As in LinearSVC, of more than two classes that of the positive
        one alone counts in each of the one-vs-rest problems.
    warm_start : bool, default=False
        Start from the last fit's weights if their shape fits.

    Attributes
    ----------
    coef_ : float64 ndarray of shape (1, p), or (n_classes, p) for more than two
        Zero weights are exact zeros.
    intercept_ : float64 ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Newton steps, the most over the classes.
    duality_gap_ : float
        Relative duality gap, the largest over the classes.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    References
    ----------
    R.-E. Fan et al., "LIBLINEAR: a library for large linear classification", JMLR 9, 2008.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVC
    >>> svc = L1LinearSVC(C=0.1).fit(X, y)
    >>> int((svc.coef_ != 0).sum()), round(float(svc.score(X, y)), 4)
    (5, 0.9508)
    >>> svc.duality_gap_ < 1e-12
    True
    """

    penalty: ClassVar[str] = "l1"  # what SelectFromModel looks for: its threshold is then 1e-5

    _parameter_constraints: ClassVar[dict] = {
        **{name: PARAMETERS[name] for name in FITTED_BY},
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        tol: float = 1e-8,
        max_iter: int = 1000,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Mapping[Any, float] | str | None = None,
        warm_start: bool = False,
    ) -> None:
        self.C = C
        self.tol = tol
        self.max_iter = max_iter
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.warm_start = warm_start

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @checks_parameters
    @one_blas_thread
    def fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "L1LinearSVC":
        """Fit to X of shape (n, p), dense or sparse, and y of shape (n,).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, p)
            Computed with in float64. Not copied if it is C-contiguous, and float64, float32 or
            uint8 (a ``numpy.memmap`` too: README.md); nor if it is float64 and CSR.
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None
            s_i ≥ 0.

        Raises
        ------
        ValueError
            Where y has a single class, or a number is infinite, NaN or beyond what is said of C.
        """
        X, labels, sample_weight = check_data(X, y, sample_weight, self)
        bias = self.intercept_scaling if self.fit_intercept else 0.0
        self.classes_, problems = binary_problems(
            X, labels, sample_weight, self.class_weight, bias, [self.C]
        )
        last = self._last_weights(problems) if self.warm_start else None
        paths = []
        for k, problem in enumerate(problems):
            # Where ‖w‖₁ is above P(0) = C Σ_i s_i, or NaN, 0 is the better start.
            if last is not None and np.abs(last[k]).sum() <= self.C * problem.weights.sum():
                solver = solver_from(problem, last[k])
            else:
                solver = start(problem, self.C, self.max_iter, alone=True)
            paths.append(follow(solver, [self.C], self.tol, self.max_iter, polish=True))
        self._set_solution(paths, 0)
        warn_unless_converged(self.duality_gap_, self.n_iter_, self.tol, self.max_iter)
        return self

    def _last_weights(self, problems):
        """Weights of the last fit, (K, p + 1) with the bias' last, or None if they do not fit.

        Where a column is all zero now, so is its weight.
        """
        if not hasattr(self, "coef_"):
            return None
        self.densify()
        last = np.column_stack([self.coef_, self.intercept_ / self.intercept_scaling])
        design = problems[0].design
        if last.shape != (len(problems), design.shape[1]):
            return None
        initial = np.zeros_like(last)
        initial[:, design.used] = last[:, design.used]
        return initial

    def _set_solution(self, paths: list[Path], k: int) -> None:
        """The fitted attributes, from the k-th point of each class' path."""
        W = np.array([path.W[k] for path in paths])
        self.coef_ = W[:, :-1].copy()
        self.intercept_ = W[:, -1] * self.intercept_scaling
        self.n_iter_ = max(int(path.n_iter[k]) for path in paths)
        self.duality_gap_ = float(np.max([path.gaps[k] for path in paths]))  # NaN if one is


def warn_unless_converged(gaps: ArrayLike, n_iter: ArrayLike, tol: float, max_iter: int) -> None:
    """A ConvergenceWarning with the worst of ``gaps`` if it is NaN or above ``tol``, and with what
    helps, at the caller's line.
    """
    worst = np.argmax(gaps)  # NaN if one is
    gap, steps = np.ravel(gaps)[worst], np.ravel(n_iter)[worst]
    if not gap <= tol:
        helps = (
            "Raise max_iter, or tol."
            if steps >= max_iter
            else "A larger max_iter does not help, rounding is what is left: bring the columns to"
            " one scale (StandardScaler, MaxAbsScaler), lower C, or raise tol."
        )
        warnings.warn(
            f"L1LinearSVC reached a relative duality gap of {gap:.1e}, not tol={tol:.1e}, in"
            f" {steps} of max_iter={max_iter} Newton steps. {helps}",
            ConvergenceWarning,
            stacklevel=5,  # under the caller: decorators, the fit or the path, and this
        )
