"""Proximal Newton for min over w of ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)².

Divided by 2C it is λ‖w‖₁ + ½ Σ_i s_i max(0, 1 − m_i)², with margins m_i = y_i x̃_iᵀw, λ = 1/(2C).
Where I = {i : m_i < 1} does not change, the second term is the quadratic ½ wᵀGw − rᵀw + const with

    G = Σ_{i∈I} s_i x̃_i x̃_iᵀ,    r = Σ_{i∈I} s_i y_i x̃_i,

so each step minimises this quadratic plus λ‖w‖₁ (:mod:`l1svc.quadratic`), looks which rows crossed
m_i = 1, and adds those to, or takes them from, G and r. When none did, the point is the optimum
but for the rounding of one linear solve.

References
----------
G.-X. Yuan, C.-H. Ho, C.-J. Lin, "An improved GLMNET for l1-regularized logistic regression",
JMLR 13, 2012 (the outer loop). O. L. Mangasarian, "A finite Newton method for classification",
Optimization Methods and Software 17, 2002 (the generalised Hessian, finite termination).
"""

import copy

import numpy as np

from .quadratic import minimise
from .refine import refine

MAX_GRAM = 1024  # columns up to which G is kept for all of them, not for a working set
NEAR_SHARE = 6  # margins are recomputed for all rows once one in so many may have crossed 1
MIXED_ROWS = 128  # rows up to which those that enter and leave I share one product
REFERENCES = 4  # weights whose margins are kept
ROUNDING = 1e-12  # of margins interpolated between references, over ‖x̃_i‖
KKT_SLACK = 1e-10  # over λ
NEAR = 1e-6  # rows whose margin may lie on either side of 1 before refinement


class NewtonSolver:
    """One binary problem, with the state that carries over to a next C or a subset of the rows.

    Parameters
    ----------
    design : Design of shape (n, p + 1)
    y : float64 ndarray of shape (n,), of -1 and +1
    weights : float64 ndarray of shape (n,)
        s ≥ 0.
    w : float64 ndarray of shape (p + 1,), default=None
        Where to start; zero if None.

    Attributes
    ----------
    w : float64 ndarray of shape (p + 1,)
        The weights, the bias' last; zeros are exact.
    train : bool ndarray of shape (n,)
        The rows that count.
    """

    def __init__(self, design, y, weights, w=None):
        self.design = design
        self.y = y
        self.weights = weights
        self.train = weights > 0
        everything = len(design.used) <= MAX_GRAM
        self.columns = design.used if everything else design.used[:0]
        self._forget_gram()
        self.restart(np.zeros(design.shape[1]) if w is None else w)

    def restart(self, w):
        """Continue from w."""
        self.w = w
        self.references = []
        self._refresh(w)
        self.history = []

    def on_rows(self, train):
        """A copy of this solver, for a part of its rows."""
        part = copy.copy(self)
        part.G, part.r, part.active = self.G.copy(), self.r.copy(), self.active.copy()
        part.train = train
        part.history = []
        return part

    def reweighted(self, weights):
        """A copy of this solver, at the same w, for other weights of the rows."""
        part = copy.copy(self)
        part.weights = weights
        part.train = weights > 0
        part.history = []
        part._forget_gram()
        return part

    def solve(self, C, max_iter):
        """Move ``w`` to the optimum at C; the number of Newton steps it took."""
        lam = 0.5 / C
        active = self._predicted_active(lam)
        n_iter = 0
        while n_iter < max_iter:
            n_iter += 1
            predicted = active is not None
            self._update_gram(self._active() if active is None else active)
            active = None
            v, change, residual = self._newton_point(lam)
            step_is_final = self._move(v, change, lam, monotone=not predicted)
            if step_is_final and residual <= KKT_SLACK * lam and not self._extend(lam):
                break
        self.history = [*self.history[-1:], (lam, self.w, self.margins)]
        return n_iter

    def polish(self, C, max_iter):
        """Remove from ``w`` the rounding that G carries; the number of Newton steps it took.

        Newton steps with the gradient that X gives; then, I, support and signs being known,
        iterative refinement (:mod:`l1svc.refine`): what is left is the rounding of w itself.
        """
        self._refresh(self.w)
        self._update_gram(self._active())
        b = np.where(self.active, 1.0 - self.margins, 0.0)
        gradient = self.design.transpose_dot(self.weights * self.y * b)[self.columns]
        self.r = gradient + self.G @ self.w[self.columns]
        self.history = []
        n_iter = self.solve(C, max_iter)

        support = np.flatnonzero(self.w)
        near = np.flatnonzero(self.train & (self.margins < 1.0 + NEAR))
        rows = self.design.rows(near, support)
        rows *= self.y[near, None]
        refined = refine(rows, self.weights[near], 0.5 / C, self.w[support])
        if refined is not None:
            w = self.w.copy()
            w[support] = refined
            self.w = w
            self._refresh(w)
        return n_iter

    def _active(self):
        return self.train & (self.margins < 1.0)

    def _predicted_active(self, lam):
        """I at the next λ: w, hence every margin, is piecewise linear in λ."""
        if len(self.history) < 2 or self.history[0][0] == self.history[1][0]:
            return None
        (lam0, _, m0), (lam1, _, m1) = self.history
        margins = m1 + (lam - lam1) / (lam1 - lam0) * (m1 - m0)
        return self.train & (margins < 1.0)

    def _newton_point(self, lam):
        v = np.zeros_like(self.w)
        point, change, residual = minimise(self.G, self.r, lam, self.w[self.columns])
        v[self.columns] = point
        return v, change, residual

    def _move(self, v, change, lam, monotone):
        """w ← v, or a point between where the quadratic foresaw no decrease; whether I stayed."""
        margins = self._margins_at(v)
        entered = self.train & ~self.active & (margins < 1.0)
        left = self.active & ~(margins < 1.0)
        if monotone:
            beyond = np.where(entered, 1.0, 0.0) - np.where(left, 1.0, 0.0)
            change = change + 0.5 * np.sum(beyond * self.weights * (1.0 - margins) ** 2)
            if change > 0 and (entered.any() or left.any()):
                self._line_search(v, lam)
                return False
        self.w, self.margins = v, margins
        return not (entered.any() or left.any())

    def _line_search(self, v, lam):
        """The minimum between w and v, by bisection on the derivative."""
        step = v - self.w
        self._refresh(self.w)
        origin = self.margins
        slope = self.y * self.design.dot(step)
        weights = np.where(self.train, self.weights, 0.0)
        low, high = 0.0, 1.0
        for _ in range(40):
            t = 0.5 * (low + high)
            b = np.maximum(1.0 - origin - t * slope, 0.0)
            point = self.w + t * step
            derivative = lam * (np.sign(point) @ step) - (weights * b) @ slope
            low, high = (t, high) if derivative < 0 else (low, t)
        self.w = self.w + low * step
        self._refresh(self.w)

    def _refresh(self, w):
        """Margins of all rows at w, kept as a reference for others."""
        self.margins = self.y * self.design.dot(w)
        self.references = [*self.references[1 - REFERENCES :], (w, self.margins)]

    def _margins_at(self, w):
        """Margins at w, each on its side of 1, at the price of the few rows that are near 1.

        Margins are linear in w: known at the references, they are known on their affine hull.
        From its point nearest to w, at distance d, m_i changes by at most d·‖x̃_i‖; where that
        could cross 1, m_i is computed.
        """
        (last, margins), *others = reversed(self.references)
        nearest = last
        if others:
            directions = np.array([reference - last for reference, _ in others])
            coefficients = np.linalg.lstsq(directions.T, w - last)[0]
            nearest = last + coefficients @ directions
            margins = margins + sum(
                c * (known - margins) for c, (_, known) in zip(coefficients, others, strict=True)
            )
        distance = np.linalg.norm(w - nearest) + ROUNDING
        near = np.flatnonzero(np.abs(margins - 1.0) <= distance * self.design.row_norms)
        if len(near) * NEAR_SHARE > len(self.y):
            self._refresh(w)
            return self.margins
        margins = margins.copy()
        margins[near] = self.y[near] * self.design.dot(w, near)
        return margins

    def _forget_gram(self):
        q = len(self.columns)
        self.G, self.r = np.zeros((q, q)), np.zeros(q)
        self.active = np.zeros(len(self.y), dtype=bool)

    def _update_gram(self, active):
        change = active.astype(float) - self.active
        if np.count_nonzero(change) > np.count_nonzero(active):
            self._forget_gram()
            change = active.astype(float)
        parts = [np.flatnonzero(change)]
        if len(parts[0]) > MIXED_ROWS:
            parts = [np.flatnonzero(change > 0), np.flatnonzero(change < 0)]
        for rows in parts:
            self.design.add_gram(self.G, self.r, rows, self.columns, change * self.weights, self.y)
        self.active = active

    def _extend(self, lam):
        """Add the columns that violate |X̃ᵀ(s∘y∘b)|_j ≤ λ to the working set; whether any did."""
        if len(self.columns) == len(self.design.used):
            return False
        self._refresh(self.w)
        b = np.where(self._active(), 1.0 - self.margins, 0.0)
        violation = np.abs(self.design.transpose_dot(self.weights * self.y * b)) - lam
        violation[self.columns] = 0.0
        entering = np.flatnonzero(violation > KKT_SLACK * lam)
        if not len(entering):
            return False
        support = np.flatnonzero(self.w)
        limit = max(256, len(support))
        if len(entering) > limit:
            entering = entering[np.argpartition(-violation[entering], limit)[:limit]]
        self.columns = np.union1d(support, entering)
        self._forget_gram()
        return True
