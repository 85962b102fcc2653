"""The objective, and the duality gap of any classifier's weights (:mod:`l1svc.certificate`)."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from .certificate import certify
from .design import MatrixLike
from .problem import ClassWeight, binary_problems, check_data, check_parameters


def objective(
    coef: MatrixLike,
    intercept: ArrayLike | None,
    C: float,
    X: MatrixLike,
    y: ArrayLike,
    *,
    intercept_scaling: float = 1.0,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight = None,
) -> float:
    """P(w) = ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)², summed over the classes if one-vs-rest.

    The parameters are those of :func:`relative_duality_gap`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVC, objective
    >>> svc = L1LinearSVC(C=0.1).fit(X, y)
    >>> round(objective(svc.coef_, svc.intercept_, 0.1, X, y), 4)
    20.2844
    """
    primal, _ = _evaluate(
        "objective", coef, intercept, C, X, y, intercept_scaling, sample_weight, class_weight
    )
    return float(primal.sum())


def relative_duality_gap(
    coef: MatrixLike,
    intercept: ArrayLike | None,
    C: float,
    X: MatrixLike,
    y: ArrayLike,
    *,
    intercept_scaling: float = 1.0,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight = None,
) -> float:
    """(P(w) − D(α)) / P(w) at α = t·2C_i·b_i, t ≤ 1 the largest that is feasible.

    Any linear classifier's weights will do, LIBLINEAR's included.

    Parameters
    ----------
    coef : array of shape (p,), (1, p) or (n_classes, p)
    intercept : float, array of shape (1,) or (n_classes,), or None
        The intercept of the decision function; None where the model has none.
    C : float
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n,)
        Labels. With two of them, the larger is the positive class, as in scikit-learn.
    intercept_scaling : float, default=1.0
        Value of the constant column whose weight, intercept / intercept_scaling, is penalised.
    sample_weight : array of shape (n,), default=None
        s_i ≥ 0.
    class_weight : dict, "balanced" or None, default=None
        Multiplies s_i as in :class:`l1svc.L1LinearSVC`.

    Returns
    -------
    gap : float
        At least 0; the largest over the classes if one-vs-rest.

    Raises
    ------
    ValueError
        Where y has fewer than two classes, the shapes do not fit, or a number is negative that must
        not be, infinite, NaN, or so large or small that P(w) is not a positive finite number.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVC, relative_duality_gap
    >>> svc = L1LinearSVC(C=0.1).fit(X, y)
    >>> relative_duality_gap(svc.coef_, svc.intercept_, 0.1, X, y) < 1e-12
    True
    >>> relative_duality_gap(svc.coef_ + 0.01, svc.intercept_, 0.1, X, y) > 1e-3
    True
    """
    primal, gap = _evaluate(
        "relative_duality_gap",
        coef,
        intercept,
        C,
        X,
        y,
        intercept_scaling,
        sample_weight,
        class_weight,
    )
    return float(np.max(gap / primal))


def _evaluate(caller, coef, intercept, C, X, y, intercept_scaling, sample_weight, class_weight):
    check_parameters(caller, C=C, intercept_scaling=intercept_scaling, class_weight=class_weight)
    X, labels, sample_weight = check_data(X, y, sample_weight)
    bias = 0.0 if intercept is None else float(intercept_scaling)
    _, problems = binary_problems(X, labels, sample_weight, class_weight, bias, [C])
    w = np.zeros((len(problems), X.shape[1] + 1))
    w[:, :-1] = _coef(coef, (len(problems), X.shape[1]))
    if bias:
        w[:, -1] = np.asarray(intercept, dtype=np.float64) / bias
    if not np.isfinite(w).all():
        raise ValueError("coef and intercept must be finite.")
    with np.errstate(over="ignore", invalid="ignore"):
        values = [
            certify(problem, np.array([float(C)]), row[None])[:2]
            for problem, row in zip(problems, w, strict=True)
        ]
    primal, gap = np.array(values)[:, :, 0].T
    if not ((primal > 0) & (primal < np.inf) & (gap >= 0)).all():
        raise ValueError(f"coef and intercept are too large: the objective is {primal.sum()}.")
    return primal, gap


def _coef(coef, shape):
    """``coef`` as a float64 ndarray of this shape."""
    coef = check_array(
        coef, accept_sparse=True, dtype=np.float64, ensure_2d=False, input_name="coef"
    )
    coef = np.atleast_2d(coef if isinstance(coef, np.ndarray) else coef.toarray())
    if coef.shape != shape:
        raise ValueError(f"coef must have shape {shape} for these X and y, got {coef.shape}.")
    return coef
