"""L1LinearSVC: LinearSVC(penalty="l1", loss="squared_hinge", dual=False), solved exactly."""

import copy
import warnings
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.svm import LinearSVC
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from .design import DTYPES, Design, MatrixLike
from .newton import NewtonSolver
from .objective import one_vs_rest
from .path import Path, follow, start

if TYPE_CHECKING:
    from .search import L1LinearSVCSearchCV

Function = TypeVar("Function", bound=Callable[..., Any])

# The matrices are small: more BLAS threads wait for each other longer than they compute, and
# their number would change the last bits. NumPy's and SciPy's BLAS, loaded by now, are looked for
# once: it takes some milliseconds.
_LIMIT = ThreadpoolController().wrap(limits=1, user_api="blas")


def one_blas_thread(function: Function) -> Function:
    """``function``, with BLAS held to one thread while it runs."""
    limited: Function = _LIMIT(function)
    return limited


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
        Weight of the loss.
    tol : float, default=1e-8
        Bound on the relative duality gap (:func:`l1svc.relative_duality_gap`).
    max_iter : int, default=1000
        Newton steps, for each class.
    fit_intercept : bool, default=True
    intercept_scaling : float, default=1.0
        Value of the constant feature; the larger, the less the intercept is penalised.
    class_weight : dict, "balanced" or None, default=None
        Multiplies C class by class.
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

    _parameter_constraints: ClassVar[dict] = {
        "C": [Interval(Real, 0.0, None, closed="neither")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0.0, None, closed="neither")],
        "class_weight": [None, dict, StrOptions({"balanced"})],
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
            Where y has a single class.
        """
        X, y, sample_weight = validate_training_data(self, X, y, sample_weight)
        self.classes_, weights = weigh_classes(self.class_weight, y, sample_weight)
        design = Design(X, self.intercept_scaling if self.fit_intercept else 0.0)
        targets = one_vs_rest(y, self.classes_)
        initial = self._last_weights() if self.warm_start else None
        if initial is not None and initial.shape != (len(targets), design.shape[1]):
            initial = None
        paths = []
        for k, target in enumerate(targets):
            if initial is None:
                solver = start(design, target, weights, self.C, self.max_iter)
            else:
                solver = NewtonSolver(design, target, weights, initial[k])
            paths.append(follow(solver, [self.C], self.tol, self.max_iter, polish=True))
        self._set_solution(paths, 0)
        warn_unless_converged(self.duality_gap_, self.tol, self.max_iter)
        return self

    def _last_weights(self):
        """Weights of the last fit, (K, p + 1) with the bias' last, or None."""
        if not hasattr(self, "coef_"):
            return None
        self.densify()
        return np.column_stack([self.coef_, self.intercept_ / self.intercept_scaling])

    def _set_solution(self, paths: list[Path], k: int) -> None:
        """The fitted attributes, from the k-th point of each class' path."""
        W = np.array([path.W[k] for path in paths])
        self.coef_ = W[:, :-1].copy()
        self.intercept_ = W[:, -1] * self.intercept_scaling
        self.n_iter_ = max(int(path.n_iter[k]) for path in paths)
        self.duality_gap_ = max(float(path.gaps[k]) for path in paths)


def to_linear_svc(estimator: "L1LinearSVC | L1LinearSVCSearchCV") -> LinearSVC:
    """A fitted scikit-learn LinearSVC with the weights of ``estimator``.

    It predicts as ``estimator`` does and needs nothing of this package.

    Parameters
    ----------
    estimator : L1LinearSVC or L1LinearSVCSearchCV, fitted

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVC, to_linear_svc
    >>> svc = L1LinearSVC(C=0.1).fit(X, y)
    >>> type(to_linear_svc(svc)).__module__
    'sklearn.svm._classes'
    >>> bool((to_linear_svc(svc).predict(X) == svc.predict(X)).all())
    True
    """
    check_is_fitted(estimator)
    fitted = getattr(estimator, "best_estimator_", estimator)
    shared = ("C", "tol", "max_iter", "fit_intercept", "intercept_scaling", "class_weight")
    svc = LinearSVC(
        penalty="l1",
        loss="squared_hinge",
        dual=False,
        **{name: getattr(fitted, name) for name in shared},
    )
    for name in ("coef_", "intercept_", "classes_", "n_iter_", "n_features_in_"):
        setattr(svc, name, copy.copy(getattr(fitted, name)))
    if hasattr(fitted, "feature_names_in_"):
        svc.feature_names_in_ = fitted.feature_names_in_.copy()
    return svc


def validate_training_data(
    estimator: BaseEstimator, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Any, np.ndarray, np.ndarray]:
    """X as one of DTYPES, C-contiguous or CSR; labels y; sample weights, ones where None."""
    checked_X, labels = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csr",
        dtype=DTYPES,
        order="C",
        accept_large_sparse=False,
    )
    check_classification_targets(labels)
    weights = _check_sample_weight(
        sample_weight, checked_X, dtype=np.float64, ensure_non_negative=True
    )
    return checked_X, labels, weights


def weigh_classes(
    class_weight: Mapping[Any, float] | str | None, y: np.ndarray, sample_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The classes among the rows of positive weight, and each row's s_i times its class weight.

    Raises
    ------
    ValueError
        Where there are fewer than two classes, or a class weight is negative.
    """
    counted = sample_weight > 0
    classes = np.unique(y[counted])
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data"
            f" contains only {len(classes)} class: {list(classes)}."
        )
    per_class = compute_class_weight(
        class_weight, classes=classes, y=y[counted], sample_weight=sample_weight[counted]
    )
    weights = sample_weight.copy()
    for label, factor in zip(classes, per_class, strict=True):
        if factor < 0:
            raise ValueError(f"class_weight must not be negative, got {factor} for {label!r}.")
        weights[y == label] *= factor
    return classes, weights


def warn_unless_converged(gap: float, tol: float, max_iter: int) -> None:
    """A ConvergenceWarning that says the gap, if it is above ``tol``, at the caller's line."""
    if gap > tol:
        warnings.warn(
            f"L1LinearSVC reached a relative duality gap of {gap:.1e}, not tol={tol:.1e}, within"
            f" max_iter={max_iter} Newton steps. Raise max_iter, or tol.",
            ConvergenceWarning,
            stacklevel=5,  # under the caller: decorators, the fit or the path, and this
        )
