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
from dataclasses import replace
from typing import Self

import numpy as np

from .blas import symmetric_dot
from .design import MAX_GRAM_COLUMNS
from .problem import Problem
from .quadratic import minimise
from .refine import refined_weights

# So many columns may enter the working set at a time, or as many as the support has if more.
MAX_ENTERING = 256
ENTERING_PULL = 0.8  # the least |X̃ᵀ(s∘y∘b)|_j / λ of a column that enters the working set
KKT_SLACK = 1e-10  # the largest violation of the optimality conditions, over λ
APPROACH_CROSSED_SHARE = 0.1  # an approach ends where no more than this share of I crosses 1
BISECTIONS = 40  # halvings of the interval in a line search
MOST_IDLE = 3  # idle steps, each short by damping alone, until one is made longer
FURTHEST = 2.0**60  # the longest step then, over the length of an idle one
# Where more than this share of the rows, or more rows than this, may have crossed 1, margins are
# computed for all: to pick so many rows takes longer.
ALL_MARGINS_SHARE, ALL_MARGINS_ROWS = 0.25, 8192
N_REFERENCES = 4  # the number of weight vectors whose margins are kept
MARGIN_ROUNDING = 1e-12  # the rounding of margins interpolated between references, over ‖x̃_i‖


class NewtonSolver:
    """One binary problem, with the state that carries over to a next C or a subset of the rows.

    Parameters
    ----------
    problem : Problem
    w : float64 ndarray of shape (p + 1,), default=None
        Where to start; zero if None.

    Attributes
    ----------
    w : float64 ndarray of shape (p + 1,)
        The weights, the bias' last; zeros are exact.
    train : bool ndarray of shape (n,)
        The rows that count.
    n_iter : int
        Newton steps taken.
    """

    def __init__(self, problem: Problem, w: np.ndarray | None = None) -> None:
        self._pose(problem)
        self.n_iter = 0
        self.points = np.empty((N_REFERENCES, self.design.shape[1]))  # where the margins
        self.known = np.empty((N_REFERENCES, len(self.y)))  # of all rows are known: the references
        self.restart(np.zeros(self.design.shape[1]) if w is None else w)
        self._keep(np.flatnonzero(self.w))

    def restart(self, w: np.ndarray) -> None:
        """Continue from w."""
        self.w = w
        self.n_references = 0
        self.margins = self._reference(w)
        self.blur = np.zeros(len(self.y))
        self.history: list[tuple[float, np.ndarray, np.ndarray]] = []

    def reweighted(self, weights: np.ndarray) -> Self:
        """A copy of this solver, at the same w, for other weights of the rows."""
        other = copy.copy(self)
        other.G, other.r = self.G.copy(), self.r.copy()
        other.points, other.known = self.points.copy(), self.known.copy()
        other._pose(replace(self.problem, weights=weights))
        other.n_iter = 0
        other.history = []
        return other

    def widen(self) -> None:
        """Keep G for all columns from now on, if they are not too many."""
        if len(self.columns) < len(self.design.used) <= MAX_GRAM_COLUMNS:
            self._keep(self.design.used)

    def solve(self, C: float, max_iter: int) -> None:
        """Move ``w`` to the optimum at C, by at most ``max_iter`` Newton steps."""
        self._steps(C, max_iter)

    def _steps(self, C, max_iter):
        # The path is piecewise linear in λ: its last two points tell I at this λ better than the
        # last margins do. Only the first step trusts that.
        lam = 0.5 / C
        active = self._predicted_active(lam)
        self._choose(lam)
        idle = 0  # steps that no row stopped, and that did not reach the minimum of their model
        for _ in range(max_iter):
            predicted = active is not None
            # The model: on the rows of I the objective is a quadratic plus λ‖w‖₁. From step to step
            # few rows come and go, so that G (q, q) costs these alone.
            self._update_gram(self._active() if active is None else active)
            active = None
            w = self.w
            # The point minimises the model over the working set's q columns. P itself may be
            # higher there, because rows crossed m_i = 1 on the way: then w moves part of the way.
            point, change, residual = self._newton_point(lam)
            crossed = self._move(point, change, lam, monotone=not predicted)
            # No row crossed: the model is P itself on the way, the point its minimum on these
            # columns. The point is the optimum unless a column outside wants to enter.
            if not crossed and residual <= KKT_SLACK * lam and not self._choose(lam):
                break
            # Where columns all but depend on one another, the proximal term keeps steps short.
            # After MOST_IDLE of these, a line search goes on in the same direction as P falls.
            idle = idle + 1 if not crossed and residual > KKT_SLACK * lam else 0
            if idle >= MOST_IDLE and self.w is point:
                self._line_search(point - w, lam, further=True)
        self.history = [*self.history[-1:], (lam, self.w, self.margins)]

    def approach(self, C: float, max_iter: int) -> None:
        """Move ``w`` near the optimum at C: until few rows cross 1, on one working set."""
        lam = 0.5 / C
        self._choose(lam)
        for _ in range(max_iter):
            self._update_gram(self._active())
            point, change, _ = self._newton_point(lam)
            crossed = self._move(point, change, lam, monotone=True)
            if crossed <= APPROACH_CROSSED_SHARE * np.count_nonzero(self.active):
                break

    def polish(self, C: float, max_iter: int, thorough: bool = False) -> None:
        """Remove from ``w`` the rounding that G carries.

        Newton steps with the gradient that X gives; then, I, support and signs being known,
        iterative refinement (:mod:`l1svc.refine`): what is left is the rounding of w itself.
        So ``thorough`` changes nothing.
        """
        # Rows that came and went have left their rounding in G and r. Rounding in G costs steps
        # at most, rounding in the gradient Gw − r moves the optimum. So r is set such that the
        # gradient at w is the one that X gives.
        self.margins = self._reference(self.w)
        self._update_gram(self._active())
        self.r = self._pull()[self.columns] + symmetric_dot(self.G, self.w[self.columns])
        self.history = []
        self._steps(C, max_iter)

        at = np.searchsorted(self.columns, np.flatnonzero(self.w))
        gram = self.G.take(at, axis=0).take(at, axis=1)
        w = refined_weights(self, 0.5 / C, gram, self.summed > 0)
        if w is not None:
            self.restart(w)

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
        self.n_iter += 1
        point = np.zeros_like(self.w)
        w, change, residual = minimise(self.G, self.r, lam, self.w[self.columns])
        point[self.columns] = w
        return point, change, residual

    def _reference(self, w):
        """Margins of all rows at w, kept as a reference for others."""
        margins = self.y * self.design.dot(w)
        oldest = self.n_references % N_REFERENCES
        self.points[oldest], self.known[oldest] = w, margins
        self.n_references += 1
        return margins

    def _margins_at(self, w):
        """Margins at w, each on its side of 1, at the price of the few rows that are near 1.

        Margins are linear in w: known at the references, they are known on their affine hull.
        From its point nearest to w, at distance d, m_i changes by at most d·‖x̃_i‖. Where that
        could cross 1, what is known at ``self.w`` may still tell the side; or m_i is computed.

        Returns
        -------
        margins : float64 ndarray of shape (n,)
        blur : float64 ndarray of shape (n,)
            m_i is at most blur_i·‖x̃_i‖ from where it should be.
        """
        # The point of the hull next to w, as shares (k,) of the references (k, p + 1) that add up
        # to 1. Its margins are the same shares of the margins (k, n) known there: no look at X.
        points, known = self.points[: self.n_references], self.known[: self.n_references]
        directions = points[:-1] - points[-1]
        shares = np.linalg.lstsq(
            directions @ directions.T, directions @ (w - points[-1]), rcond=None
        )[0]
        shares = np.append(shares, 1.0 - shares.sum())
        margins = shares @ known
        # |m_i(w) − m_i(hull)| ≤ ‖x̃_i‖·distance (Cauchy and Schwarz). Only the rows whose margin is
        # nearer to 1 than that may be on the other side.
        distance = np.linalg.norm(w - shares @ points) + MARGIN_ROUNDING
        norms = self.design.row_norms
        near = np.flatnonzero(np.abs(margins - 1.0) <= distance * norms)
        # The same bound from the last weights, whose margins are nearly right themselves: it often
        # tells the side where the hull does not.
        before = self.margins[near]
        reach = self.blur[near] + np.linalg.norm(w - self.w) + MARGIN_ROUNDING
        told = np.abs(before - 1.0) > reach * norms[near]
        # What neither bound tells is computed from X.
        unknown = near[~told]
        if len(unknown) > min(ALL_MARGINS_SHARE * len(self.y), ALL_MARGINS_ROWS):
            return self._reference(w), np.zeros(len(self.y))
        blur = np.full(len(self.y), distance)
        margins[near[told]], blur[near[told]] = before[told], reach[told]
        margins[unknown], blur[unknown] = self.y[unknown] * self.design.dot(w, unknown), 0.0
        return margins, blur

    def _move(self, point, change, lam, monotone):
        """w ← point, or between where P would not fall; how many rows cross m_i = 1 on the way.

        0 as well where P falls nowhere on the way: what the model promised is rounding, and w the
        optimum on its columns.
        """
        # ``change`` is what the model promises. P differs from the model by the rows that crossed:
        # those that left I count in the model but not in P, those that joined I in P alone.
        margins, blur = self._margins_at(point)
        crossed = np.flatnonzero(self.train & ((margins < 1.0) != self.active))
        if monotone and len(crossed):
            weights = np.where(self.active[crossed], -1.0, 1.0) * self.weights[crossed]
            change = change + 0.5 * weights @ (1.0 - margins[crossed]) ** 2
            if change > 0:
                return len(crossed) if self._line_search(point - self.w, lam) else 0
        self.w, self.margins, self.blur = point, margins, blur
        return len(crossed)

    def _line_search(self, step, lam, further=False):
        """w ← the minimum between w and w + step, by bisection on the derivative; whether w moved.

        ``further``: beyond w + step as well. Where columns all but depend on one another, damping
        makes steps short: hundreds of them would follow, each as the one before.
        """
        slope = self.y * self.design.dot(step)
        origin = self._reference(self.w)

        def falls(length):
            b = np.maximum(1.0 - origin - length * slope, 0.0)
            point = self.w + length * step
            return lam * (np.sign(point) @ step) < (self.weights * b) @ slope

        low, high = 0.0, 1.0
        while further and high < FURTHEST and falls(high):
            low, high = high, 2.0 * high
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if falls(middle) else (low, middle)
        self.w = self.w + low * step
        self.margins, self.blur = origin + low * slope, np.zeros(len(origin))
        return low > 0

    def _pose(self, problem: Problem) -> None:
        self.problem = problem
        self.design, self.y, self.weights = problem.design, problem.y, problem.weights
        self.train = problem.weights > 0

    def _keep(self, columns: np.ndarray) -> None:
        """Begin G and r anew, on these columns."""
        self.columns = columns
        q = len(columns)
        self.G, self.r = np.zeros((q, q)), np.zeros(q)
        self.summed = np.zeros(len(self.y))

    def _update_gram(self, active: np.ndarray) -> None:
        """Make I = ``active``: the rows whose weight in G and r changes are added to them."""
        self.active = active
        weights = np.where(active, self.weights, 0.0)
        change = weights - self.summed
        rows = np.flatnonzero(change != 0)
        # Where more rows change than there are in I, the sum is shorter from the beginning.
        if len(rows) > np.count_nonzero(active):
            self._keep(self.columns)
            change, rows = weights, np.flatnonzero(active)
        entering = change[rows] > 0
        for some in (rows[entering], rows[~entering]):
            self.design.add_gram(self.G, self.r, some, self.columns, change, self.y)
        self.summed = weights

    def _pull(self):
        """X̃ᵀ(s∘y∘b), b = max(0, 1 − m): minus the gradient of the loss, over all columns."""
        b = np.where(self._active(), 1.0 - self.margins, 0.0)
        return self.design.transpose_dot(self.weights * self.y * b)

    def _choose(self, lam):
        """Begin another working set if a column outside violates |X̃ᵀ(s∘y∘b)|_j ≤ λ; whether so."""
        if len(self.columns) == len(self.design.used):
            return False
        self.margins = self._reference(self.w)
        pull = np.abs(self._pull())
        outside = np.ones(len(pull), dtype=bool)
        outside[self.columns] = False
        if pull[outside].max() <= (1.0 + KKT_SLACK) * lam:
            return False
        support = np.flatnonzero(self.w)
        pull[support] = 0.0
        entering = np.flatnonzero(pull > ENTERING_PULL * lam)
        limit = max(MAX_ENTERING, len(support))
        if len(entering) > limit:
            entering = entering[np.argpartition(-pull[entering], limit)[:limit]]
        self._keep(np.union1d(support, entering))
        return True
