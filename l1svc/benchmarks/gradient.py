"""Single fits and the same search by cyanure: accelerated and variance-reduced gradients (Mairal).

Its problem is (1/n) Σ_i ½ max(0, 1 − y_i x_iᵀw)² + λ‖w‖₁, ours with λ = 1/(2Cn). Its own intercept
bears no penalty, ours does: so the bias is one more column of X. Its tol is the relative gap.
"""

import numpy as np
import scipy.sparse as sp
from cyanure.estimators import Classifier
from sklearn.model_selection import StratifiedKFold

MOST_EPOCHS = 1_000_000


def fit(X, y, C, tol):
    """Weights (p + 1,) with the bias' last; y of -1 and +1, X an array or CSR matrix."""
    return _weights(_with_bias(X), y, C, tol)


def search(X, y, Cs, tol):
    """Weights of every fold (5, m, p + 1) and of the refit."""
    X = _with_bias(X)
    folds, scores = [], []
    for train, test in StratifiedKFold(5).split(X, y):
        folds.append([_weights(X[train], y[train], C, tol) for C in Cs])
        scores.append([np.mean(np.sign(X[test] @ w) == y[test]) for w in folds[-1]])
    best = int(np.argmax(np.mean(scores, axis=0)))
    return np.array(folds), _weights(X, y, Cs[best], tol)


def _with_bias(X):
    ones = np.ones((X.shape[0], 1))
    return sp.hstack([X, ones], format="csr") if sp.issparse(X) else np.hstack([X, ones])


def _weights(X, y, C, tol):
    svc = Classifier(
        loss="sqhinge",
        penalty="l1",
        lambda_1=0.5 / (C * len(y)),
        fit_intercept=False,
        tol=tol,
        max_iter=MOST_EPOCHS,
        random_state=0,
        n_threads=1,
        verbose=False,
    )
    return svc.fit(X, y).coef_.ravel()
