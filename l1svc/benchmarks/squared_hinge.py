"""The same search, and single fits, by skglm, for which this writes the squared hinge."""

import numpy as np
import scipy.sparse as sp
from numba import float64
from skglm.datafits.base import BaseDatafit
from skglm.penalties import L1
from skglm.solvers import AndersonCD
from sklearn.model_selection import StratifiedKFold


class SquaredHinge(BaseDatafit):
    """C Σ_i max(0, 1 − y_i (Xw)_i)²."""

    def __init__(self, C):
        self.C = C

    def get_spec(self):
        return (("C", float64),)

    def params_to_dict(self):
        return dict(C=self.C)

    def get_lipschitz(self, X, y):
        return 2.0 * self.C * (X**2).sum(axis=0)

    def value(self, y, w, Xw):
        return self.C * (np.maximum(0.0, 1.0 - y * Xw) ** 2).sum()

    def raw_grad(self, y, Xw):
        return -2.0 * self.C * y * np.maximum(0.0, 1.0 - y * Xw)

    def gradient_scalar(self, X, y, w, Xw, j):
        slope = 0.0
        for i in range(len(y)):
            b = 1.0 - y[i] * Xw[i]
            if b > 0.0:
                slope -= X[i, j] * y[i] * b
        return 2.0 * self.C * slope

    def gradient(self, X, y, Xw):
        return X.T @ self.raw_grad(y, Xw)

    # The same of a CSC matrix.

    def initialize_sparse(self, data, indptr, indices, y):
        pass  # nothing to compute beforehand

    def get_lipschitz_sparse(self, data, indptr, indices, y):
        found = np.zeros(len(indptr) - 1)
        for j in range(len(found)):
            found[j] = 2.0 * self.C * (data[indptr[j] : indptr[j + 1]] ** 2).sum()
        return found

    def gradient_scalar_sparse(self, data, indptr, indices, y, Xw, j):
        slope = 0.0
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            b = 1.0 - y[i] * Xw[i]
            if b > 0.0:
                slope -= data[k] * y[i] * b
        return 2.0 * self.C * slope

    def full_grad_sparse(self, data, indptr, indices, y, Xw):
        found = np.zeros(len(indptr) - 1)
        for j in range(len(found)):
            found[j] = self.gradient_scalar_sparse(data, indptr, indices, y, Xw, j)
        return found


def fit(X, y, C, tol):
    """Weights (p + 1,) with the bias' last; y of -1 and +1, X an array or CSR matrix."""
    ones = np.ones((len(y), 1))
    X = sp.hstack([X, ones], format="csc") if sp.issparse(X) else np.hstack([X, ones])
    solver = AndersonCD(tol=tol, max_iter=10_000, max_epochs=100_000, fit_intercept=False)
    if not sp.issparse(X):
        X = np.asfortranarray(X)
    return solver.solve(X, y, SquaredHinge(C), L1(1.0))[0]


def search(X, y, Cs, tol):
    """Weights of every fold (5, m, p + 1) and of the refit, with warm starts along C.

    ``tol`` bounds the violation of the optimality conditions, whose scale is 1.
    """
    X = np.asfortranarray(np.column_stack([X, np.ones(len(y))]))
    penalty = L1(1.0)
    solver = AndersonCD(
        tol=tol, max_iter=200, max_epochs=10_000, fit_intercept=False, warm_start=True
    )

    def path(X, y, Cs):
        w, Xw, found = np.zeros(X.shape[1]), np.zeros(len(y)), []
        for C in Cs:
            w = solver.solve(X, y, SquaredHinge(C), penalty, w.copy(), Xw)[0]
            Xw = X @ w
            found.append(w)
        return found

    y = y.astype(float)
    folds, scores = [], []
    for train, test in StratifiedKFold(5).split(X, y):
        folds.append(path(np.asfortranarray(X[train]), y[train], Cs))
        scores.append([np.mean(np.sign(X[test] @ w) == y[test]) for w in folds[-1]])
    best = int(np.argmax(np.mean(scores, axis=0)))
    return np.array(folds), path(X, y, Cs[: best + 1])[-1]
