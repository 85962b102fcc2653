"""An independent solver of the same problem."""

import clarabel
import numpy as np
from scipy import sparse


def cone_optimum(X, y, C, sample_weight, bias=1.0):
    """min P(w), by an interior-point cone solver: variables w, u ≥ |w|, b ≥ 1 − y·X̃w, b ≥ 0."""
    X = np.column_stack([X, np.full(len(y), bias)])
    n, q = X.shape
    P = sparse.block_diag(
        [sparse.csc_matrix((2 * q, 2 * q)), sparse.diags(2 * C * sample_weight)], format="csc"
    )
    cost = np.concatenate([np.zeros(q), np.ones(q), np.zeros(n)])
    eye, none = sparse.eye(q), sparse.csc_matrix((q, n))
    constraints = sparse.bmat(
        [
            [eye, -eye, none],
            [-eye, -eye, none],
            [sparse.csc_matrix(-y[:, None] * X), sparse.csc_matrix((n, q)), -sparse.eye(n)],
            [sparse.csc_matrix((n, q)), sparse.csc_matrix((n, q)), -sparse.eye(n)],
        ],
        format="csc",
    )
    bounds = np.concatenate([np.zeros(2 * q), -np.ones(n), np.zeros(n)])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    cones = [clarabel.NonnegativeConeT(len(bounds))]
    return clarabel.DefaultSolver(P, cost, constraints, bounds, cones, settings).solve().obj_val
