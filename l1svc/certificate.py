"""How far any weights are from the optimum, at most: the duality gap, its own rounding included.

The problem, with x̃_i = (x_i, bias) and C_i = C·s_i (s the sample weights), is

    min over w of P(w) = ‖w‖₁ + Σ_i C_i b_i²,    b_i = max(0, 1 − m_i),    m_i = y_i x̃_iᵀw,

the one that ``sklearn.svm.LinearSVC(penalty="l1", loss="squared_hinge", dual=False)`` states: the
bias is a penalised weight like the others. Its dual is

    max over α ≥ 0 of D(α) = Σ_i α_i − Σ_i α_i²/(4C_i)    subject to ‖Σ_i α_i y_i x̃_i‖∞ ≤ 1,

and P(w) − D(α) bounds P(w) − min P from above for every w and every feasible α: a certificate
that needs no reference solver.

Here α = t·2C_i b̂_i, b̂ the b that was computed, at most ε_i from 1 − m_i where it is not 0. With
v = Σ_i 2C_i b̂_i y_i x̃_i and t = 1/max(1, ‖v‖∞), P − D comes to at most

    Σ_j (|w_j| − t w_j v_j) + (1 − t)² Σ_i C_i b̂_i² + 2(1 − t) Σ_i C_i b̂_i ε_i + Σ_i C_i ε_i².

No term is negative, so nothing cancels, however small the gap; and the rounding of the margins
counts by its square. What is left is the rounding of v, which is bounded by the numbers of terms
(N. Higham, "Accuracy and Stability of Numerical Algorithms", 2002, chapter 3) and added; or v is
summed again without error (:mod:`l1svc.refine`), where that bound is too coarse.

A column of large entries lets the rounding of w itself into v: 1e9·1e-16·Σ 2C_i b_i of it. But the
α need not be those of w: for any b̂ the bound holds, with the ε_i that it has. So b̂ is also tried
at weights next to w, no doubles, where v_j = sign w_j on the support.
"""

import numpy as np

from .blas import back_solve, cholesky, half_solve
from .design import BLOCK_ROWS
from .problem import Problem
from .refine import UNIT, Sliced, minus

BATCH = 32  # the number of weight vectors whose margins are held at a time
ROUNDED = 1e-10  # the largest relative gap in which the rounding of the weights is left
NEXT = 2.0**-40  # weights that differ by no more than this share are next to each other
MOST_ENTRIES = 4_000_000  # the largest number of the support's entries whose rounding is examined


def certify(
    problem: Problem,
    Cs: np.ndarray,
    W: np.ndarray,
    tol: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Objectives and duality gaps of several weight vectors for one ±1 problem.

    Parameters
    ----------
    problem : Problem
        Its weights may be of shape (m, n) here, where they differ.
    Cs : float64 ndarray of shape (m,)
    W : float64 ndarray of shape (m, p + 1)
    tol : float, default=0.0
        Relative gap up to which the quick bound of the rounding will do.

    Returns
    -------
    primal, gap : float64 ndarray of shape (m,)
    products : float64 ndarray of shape (m, n)
        WX̃ᵀ, of all the rows.
    """
    design, y, weights = problem.design, problem.y, problem.weights
    primal, gap = np.empty(len(W)), np.empty(len(W))
    products = np.empty((len(W), len(y)))
    for start in range(0, len(W), BATCH):
        batch = slice(start, start + BATCH)
        # Two products with X for the whole batch: b (m, n) from W, v (m, p + 1) from b. α is not
        # formed: with u = 2C·s·b it is t·u.
        w, C = W[batch], Cs[batch, None]
        products[batch] = design.dot(w)
        b = np.maximum(1.0 - y * products[batch], 0.0)
        s = weights if weights.ndim == 1 else weights[batch]
        loss = C[:, 0] * np.einsum("ij,ij->i", b * s, b)
        u = 2.0 * C * b * s
        v = design.transpose_dot(u * y)
        primal[batch] = np.abs(w).sum(axis=1) + loss

        # |m̂ − m| ≤ (p + 2)·UNIT·Σ_j|x̃_ij w_j| and |v̂ − v| ≤ (terms + 2)·UNIT·Σ_i|u_i x̃_ij|
        eps = (w.shape[1] + 2) * UNIT * np.linalg.norm(w, axis=1)  # times ‖x̃_i‖
        terms = np.count_nonzero(u, axis=1)
        v_error = (terms + 2) * UNIT * u.sum(axis=1) * design.largest
        # t shrinks α until it is feasible, whatever the rounding of v. Then the terms of the gap,
        # each of which only rounding can make negative: the first, the rounding of v in it, the
        # second, and those of the rounding of b.
        excess = np.maximum(np.abs(v).max(axis=1) + v_error - 1.0, 0.0)
        t = 1.0 / (1.0 + excess)
        slack = np.maximum(np.abs(w) - t[:, None] * w * v, 0.0).sum(axis=1)
        slack += (v_error + 4 * UNIT) * np.abs(w).sum(axis=1)
        blurred = (1.0 - t) * eps * (u @ design.row_norms)
        blurred += C[:, 0] * eps**2 * (s @ design.row_norms**2)
        gap[batch] = slack + (1.0 - t) ** 2 * loss + blurred
        gap[batch] *= 1.0 + 2 * sum(design.shape) * UNIT  # of these sums, and of P
        # Where that bound is too coarse, b and v are summed again without error: dearer by far, so
        # only where it is needed. u is blurred as b is, v may be that far from its exact value.
        v_error = 2.0 * (v_error + C[:, 0] * eps * (s @ design.row_norms) * design.largest)
        for k in np.flatnonzero(gap[batch] > tol * primal[batch]).tolist():
            exact = _summed_without_error(
                problem,
                s if s.ndim == 1 else s[k],
                Cs[start + k],
                w[k],
                # rows and columns that may count: the others cannot, by the bounds above
                np.flatnonzero(1.0 - y * products[start + k] + eps[k] * design.row_norms > 0),
                np.flatnonzero((np.abs(v[k]) + v_error[k] >= 1.0) | (w[k] != 0)),
            )
            gap[start + k] = min(gap[start + k], exact)
    return primal, np.minimum(gap, primal), products  # D(0) = 0


def _summed_without_error(problem, s, C, w, rows, columns):
    """The gap, by b and v that are right far beyond a double."""
    # b to twice a double's digits: b + rest, right up to eps.
    s, w, lam = s[rows], w[columns], 0.5 / C
    A = _Rows(problem, rows, columns)
    sliced = Sliced(A, largest=1.0)
    b, rest = minus(1.0, sliced.dot(w * A.scale))
    eps = np.full(len(b), sliced.error(w * A.scale))
    gap, parts = _gap_at(sliced, s, b, rest, eps, w, lam)
    # A gap that is left is often the rounding of w itself, not the solver's fault. Then the b of
    # weights that are no doubles is tried: the bound holds for any b, with the eps it has then.
    in_loss = np.where(b > 0, s, 0.0)
    change = None
    if gap > ROUNDED * (np.abs(w).sum() + C * in_loss @ b**2):
        change = _change_by_rounding(A, in_loss, parts, w, lam)
    if change is not None:
        b, low = minus(b, np.array([change, -rest, np.zeros(len(b))]))
        gap = min(gap, _gap_at(sliced, s, b, low, eps + np.abs(change), w, lam)[0])
    return gap * (1.0 + 2 * sum(problem.design.shape) * UNIT)


def _gap_at(sliced, s, b, rest, eps, w, lam):
    """The gap for α = t·s_i (b + rest)_i / λ where b > 0, at most ε_i from 1 − m_i; and λv."""
    A, C, s_all = sliced.A, 0.5 / lam, s
    # λv (p + 1,), not v: the factor 2C would round. It is the sum of three parts (3, p + 1), so
    # that no digit is lost before λ is subtracted.
    s = np.where(b > 0, s, 0.0)
    parts = sliced.transpose_dot(s * b)
    parts[2] += sliced.transpose_dot(s * rest).sum(axis=0)
    parts *= A.scale
    # 1 − |v_j| from these parts. Near the optimum |v_j| is 1 on the support: 1 minus the nearest
    # double would be rounding alone, and it is what the gap is made of.
    sign = np.sign(parts.sum(axis=0))
    short = minus(lam, sign * parts)[0] / lam
    error = A.scale * sliced.error(s * b) / lam + 4 * UNIT * (1.0 + np.abs(short))
    # t: the largest with which α is feasible, ‖tv‖∞ ≤ 1, the rounding of v included.
    excess = (error - short).max(initial=0.0)
    t = 1.0 / (1.0 + excess)
    # 1 − t|v_j| = (1 − t) + t·(1 − |v_j|) where w_j and v_j agree, else 1 + t|v_j|
    agree = sign * w >= 0
    slack = np.where(agree, t * (excess + short), 1.0 + t * (1.0 - short))
    slack = np.maximum(slack, 0.0) + error
    blurred = 2.0 * (t * excess) * (s * b) @ eps + s_all @ eps**2
    return np.abs(w) @ slack + C * ((t * excess) ** 2 * (s @ b**2) + blurred), parts


def _change_by_rounding(A, s, parts, w, lam):
    """By how much b would be less at the weights, next to w, that no rounding keeps from the
    optimum: v_j is then sign w_j where w_j is not 0. None where these are not next to w.
    """
    support = np.flatnonzero(w)
    if not 0 < len(s) * len(support) <= MOST_ENTRIES:
        return None
    # One Newton step d on the support, from the exact residual: w + d is the optimum far beyond
    # a double's digits. Only the change of b is returned: w + d as doubles would be w again.
    part = A[:][:, support]
    G = (part.T * s) @ part
    if not cholesky(G):
        return None
    residual = -minus(lam * np.sign(w), parts)[0][support] / A.scale[support]
    d = back_solve(G, half_solve(G, residual))
    if (np.abs(d) > NEXT * np.abs(w * A.scale)[support]).any():
        return None
    return part @ d


class _Rows:
    """y_i x̃_i / scale on some rows and columns, made when asked for; entries at most 1.

    Attributes
    ----------
    shape : (int, int)
    scale : float64 ndarray, one for each column
        The power of 2 above its largest entry: no column's digits drown in those of another.
    """

    def __init__(self, problem: Problem, rows: np.ndarray, columns: np.ndarray):
        self.design, self.y = problem.design, problem.y
        self.rows, self.columns = rows, columns
        self.shape = (len(rows), len(columns))
        self.scale = np.ones(len(columns))
        largest = np.zeros(len(columns))
        for start in range(0, len(rows), BLOCK_ROWS):
            np.maximum(largest, np.abs(self[start : start + BLOCK_ROWS]).max(axis=0), out=largest)
        self.scale = np.exp2(np.frexp(largest)[1])

    def __getitem__(self, some: slice) -> np.ndarray:
        block = self.rows[some]
        return self.design.dense(block, self.columns) * (self.y[block, None] / self.scale)
