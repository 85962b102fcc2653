"""The objective, and a certificate of how far any weights are from its minimum.

The problem, with x̃_i = (x_i, bias) and C_i = C·s_i (s the sample weights), is

    min over w of P(w) = ‖w‖₁ + Σ_i C_i b_i²,    b_i = max(0, 1 − y_i x̃_iᵀw),

the one that ``sklearn.svm.LinearSVC(penalty="l1", loss="squared_hinge", dual=False)`` states: the
bias is a penalised weight like the others. Its dual is

    max over α ≥ 0 of D(α) = Σ_i α_i − Σ_i α_i²/(4C_i)    subject to ‖Σ_i α_i y_i x̃_i‖∞ ≤ 1,

and P(w) − D(α) bounds P(w) − min P from above for every w and every feasible α: a certificate
that needs no reference solver.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_X_y

from .design import DTYPES, Design, MatrixLike

BATCH = 32  # weight vectors whose margins are held at a time


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
    primal, gap = _evaluate(coef, intercept, C, X, y, intercept_scaling, sample_weight)
    return float(np.max(gap / primal))


def certify(
    design: Design, y: np.ndarray, weights: np.ndarray, Cs: np.ndarray, W: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Objectives and duality gaps of several weight vectors for one ±1 problem.

    With v = Σ_i 2C_i b_i y_i x̃_i and t = min(1, 1/‖v‖∞), P − D comes to

        Σ_j (|w_j| − t w_j v_j) + (1 − t)² Σ_i C_i b_i²,

    a sum of terms none of which is negative: no cancellation, however small the gap.

    Parameters
    ----------
    design : Design of shape (n, p + 1)
    y : float64 ndarray of shape (n,), of -1 and +1
    weights : float64 ndarray of shape (n,), or (m, n) where they differ
        s, zero for the rows left out.
    Cs : float64 ndarray of shape (m,)
    W : float64 ndarray of shape (m, p + 1)

    Returns
    -------
    primal, gap : float64 ndarray of shape (m,)
    products : float64 ndarray of shape (m, n)
        WX̃ᵀ, of all the rows.
    """
    primal, gap = np.empty(len(W)), np.empty(len(W))
    products = np.empty((len(W), len(y)))
    for start in range(0, len(W), BATCH):
        batch = slice(start, start + BATCH)
        w, C = W[batch], Cs[batch, None]
        products[batch] = design.dot(w)
        b = np.maximum(1.0 - y * products[batch], 0.0)
        s = weights if weights.ndim == 1 else weights[batch]
        loss = C[:, 0] * np.einsum("ij,ij->i", b * s, b)
        v = 2.0 * C * design.transpose_dot(b * s * y)
        t = 1.0 / np.maximum(1.0, np.abs(v).max(axis=1))
        primal[batch] = np.abs(w).sum(axis=1) + loss
        slack = np.maximum(np.abs(w) - t[:, None] * w * v, 0.0)
        gap[batch] = slack.sum(axis=1) + (1.0 - t) ** 2 * loss
    return primal, gap, products


def one_vs_rest(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """±1 targets of shape (K, n): K = 1 for two classes, the larger label positive."""
    positive = classes[1:] if len(classes) == 2 else classes
    return np.where(y == positive[:, None], 1.0, -1.0)


def _evaluate(coef, intercept, C, X, y, intercept_scaling, sample_weight):
    X, y = check_X_y(X, y, accept_sparse="csr", dtype=DTYPES, order="C")
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
