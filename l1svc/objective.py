"""The objective, and the duality gap of any classifier's weights (:mod:`l1svc.certificate`)."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_X_y

from .certificate import certify
from .design import Design, MatrixLike


def objective(
    coef: MatrixLike,
    intercept: ArrayLike | None,
    C: float,
    X: MatrixLike,
    y: ArrayLike,
    *,
    intercept_scaling: float = 1.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """P(w) = ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)², summed over the classes if one-vs-rest.

    The parameters are those of :func:`relative_duality_gap`.
    """
    primal, _ = _evaluate(coef, intercept, C, X, y, intercept_scaling, sample_weight)
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
        s_i; class weights multiply them.

    Returns
    -------
    gap : float
        At least 0; the largest over the classes if one-vs-rest.

    Raises
    ------
    ValueError
        Where y has fewer than two classes, or the shapes do not fit.
    """
    primal, gap = _evaluate(coef, intercept, C, X, y, intercept_scaling, sample_weight)
    return float(np.max(gap / primal))


def one_vs_rest(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """±1 targets of shape (K, n): K = 1 for two classes, the larger label positive."""
    positive = classes[1:] if len(classes) == 2 else classes
    return np.where(y == positive[:, None], 1.0, -1.0)


def _evaluate(coef, intercept, C, X, y, intercept_scaling, sample_weight):
    X, y = check_X_y(X, y, accept_sparse="csr", dtype=np.float64, order="C")
    check_classification_targets(y)
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"y must have at least 2 classes, got {len(classes)}.")
    targets = one_vs_rest(y, classes)
    coef = coef.toarray() if sp.issparse(coef) else np.asarray(coef, dtype=np.float64)
    coef = np.atleast_2d(coef)
    if coef.shape != (len(targets), X.shape[1]):
        raise ValueError(
            f"coef must have shape {(len(targets), X.shape[1])} for these X and y, "
            f"got {coef.shape}."
        )
    bias = 0.0 if intercept is None else float(intercept_scaling)
    w = np.zeros((len(targets), X.shape[1] + 1))
    w[:, :-1] = coef
    if bias:
        w[:, -1] = np.asarray(intercept, dtype=np.float64) / bias
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
    design = Design(X, bias)
    values = [
        certify(design, target, weights, np.array([float(C)]), row[None])[:2]
        for target, row in zip(targets, w, strict=True)
    ]
    primal, gap = np.array(values)[:, :, 0].T
    return primal, gap
