"""The margins of which an event may come next: a few of n, and how long these are enough.

To know which margin is next, one would need the speeds of all of them: n·|S| products for each
event. But far from its level a margin need not be looked at. A refresh computes all margins and
their speeds. From there each margin is at most ‖x̃_i‖·‖w − w_ref − δ d_ref‖ away from its straight
line. Those that may be at their level while that bound is small are watched. When the bound has
reached the next one, all margins are computed anew.
"""

import numpy as np

from .design import PRODUCT_ROWS
from .problem import Problem

# A refresh watches WATCHED margins at least, beside those that cross before the horizon. Their
# number doubles, to MOST_WATCHED at most, where the next refresh is due after FEW_EVENTS events or
# fewer; it halves after MANY_EVENTS, which call for a refresh themselves.
WATCHED, MOST_WATCHED, FEW_EVENTS, MANY_EVENTS = 320, 2048, 12, 60
# A refresh looks FIRST_HORIZON of λ ahead at first, and LONGEST_HORIZON at most. The horizon is
# multiplied by SHORTER where the bound did not last until there, by LONGER where it did.
FIRST_HORIZON, LONGEST_HORIZON, SHORTER, LONGER = 0.02, 0.5, 0.7, 1.4
MORE_COLUMNS = 1.3  # norms of rows on so many times the columns that may move are still used
STILL = 1e-11  # the largest speed of a margin that may be rounding, over ‖x̃_i‖·‖d‖∞


class Watched:
    """The margins that are watched, of the rows that cross m_i = 1 and of those whose score turns.

    Vectors over columns are of the q columns that are not all zero.

    Parameters
    ----------
    problem : Problem
        Rows with s_i > 0 may cross 1.
    scored : int ndarray
        Rows that may cross 0. A row may be both.

    Attributes
    ----------
    rows : int ndarray of shape (k,)
        The rows that are watched, chosen by a refresh, as is all that follows but ``margins``.
    train_at, scored_at : int ndarray
        The places among these of the rows that are near 1, and near 0.
    margins : float64 ndarray of shape (k,)
        As they are now.
    there : bool ndarray of shape (q,)
        The columns whose weights may move; those of the bound.
    radius : float
        How far w may leave its line before a margin that is not watched can be at its level.
    """

    def __init__(self, problem: Problem, scored: np.ndarray) -> None:
        # What never changes: which row's margin may be at which level.
        design = problem.design
        self.design, self.y, self.columns = design, problem.y, design.used
        self.squares = None if design.entries is None else design.entries.power(2)
        train = np.flatnonzero(problem.weights > 0)
        self.all_rows = np.concatenate([train, scored])
        self.levels = np.repeat([1.0, 0.0], [len(train), len(scored)])
        # What a refresh takes over from the one before.
        self.inside = np.zeros(design.shape[1])  # 1 at the columns that the norms are of
        self.norms = np.zeros(len(problem.y))  # ‖x̃_i‖ on these columns
        self.horizon, self.number = FIRST_HORIZON, WATCHED

    def choose(
        self,
        margins: np.ndarray,
        speeds: np.ndarray,
        w: np.ndarray,
        d: np.ndarray,
        there: np.ndarray,
        lam: float,
    ) -> None:
        """Choose anew at λ = ``lam``, from all margins and their speeds, both of shape (n,)."""
        self.there, self.some = there, np.flatnonzero(there)
        # As long as d stays, a margin is on a straight line from now to the horizon. Its distance
        # to its level is then 0 if the ends lie on both sides, else that of the nearer end.
        first = margins[self.all_rows] - self.levels
        last = first + self.horizon * lam * speeds[self.all_rows]
        distance = np.where(first * last <= 0, 0.0, np.minimum(np.abs(first), np.abs(last)))
        # But events turn d. When w has left its line by a distance e, m_i has left its own by at
        # most e·‖x̃_i‖. So w must leave it by distance / ‖x̃_i‖ before m_i can be at its level.
        norms = self._norms(self.some)[self.all_rows]
        moves = norms > 0
        distance = np.divide(distance, norms, out=np.full(len(norms), np.inf), where=moves)
        # The nearest are watched. The nearest of the others says how far w may leave its line.
        self.radius = np.inf
        near = np.arange(len(distance))
        watched = self.number + np.count_nonzero(distance == 0)  # which cross before the horizon
        if len(distance) > watched:
            order = np.argpartition(distance, watched)
            near = order[:watched]
            self.radius = distance[order[watched]]
        # a_i of these rows on these columns, (k, |some|): a row near both of its levels is one row.
        rows, at = np.unique(self.all_rows[near], return_inverse=True)
        self.rows = rows
        self.B = self.design.dense(rows, self.columns[self.some])
        self.B *= self.y[rows, None]
        self.margins = margins[rows]
        self.still = STILL * self.design.row_norms[rows]  # times ‖d‖∞: a speed up to this is none
        of_one = self.levels[near] == 1.0
        self.train_at, self.scored_at = at[of_one], at[~of_one]
        # The line of w that the bound is about, how much of it is gone, and how much there is.
        self.origin, self.way = w.copy(), d
        self.since, self.ahead = 0.0, self.horizon * lam

    def _norms(self, some):
        """‖x̃_i‖ of all rows on these columns, or the last ones, if those had few more columns."""
        n, p = self.design.X.shape
        inside = np.zeros(p + 1)
        inside[self.columns[some]] = 1.0
        if (inside <= self.inside).all() and self.inside.sum() <= MORE_COLUMNS * len(some):
            return self.norms
        if self.squares is not None:
            squares = self.squares @ inside[:p]
        else:
            squares = np.empty(n)
            for start in range(0, n, PRODUCT_ROWS):
                rows = slice(start, start + PRODUCT_ROWS)
                squares[rows] = self.design.X[rows].astype(np.float64) ** 2 @ inside[:p]
        self.inside, self.norms = inside, np.sqrt(squares + inside[p] * self.design.bias**2)
        return self.norms

    def speeds(self, d: np.ndarray) -> np.ndarray:
        """dm/dδ of shape (k,), for w that moves by d."""
        return self.B @ d[self.some]

    def next(self, active: np.ndarray, speeds: np.ndarray, d: np.ndarray) -> tuple[float, int]:
        """δ at which the first of these margins is 1, and its place; ∞ if none comes there."""
        at = self.train_at
        speed, left = speeds[at], 1.0 - self.margins[at]
        moving = np.flatnonzero(
            np.where(active[self.rows[at]], speed, -speed) > self.still[at] * np.abs(d).max()
        )
        if not len(moving):
            return np.inf, -1
        delta = np.maximum(left[moving] / speed[moving], 0.0)
        first = delta.argmin()
        return delta[first], at[moving[first]]

    def reach(self, w: np.ndarray, d: np.ndarray, most: float) -> float:
        """δ until the bound of the margins that are not watched is used up, if below ``most``."""
        if self.radius == np.inf:
            return np.inf
        # w is ``off`` its line now, and ‖off + δ·turn‖ after δ: where that is the radius is the
        # root of a quadratic in δ.
        off, turn = w - self.origin - self.since * self.way, d - self.way
        square, half, constant = turn @ turn, off @ turn, off @ off - self.radius**2
        if constant >= 0:
            return 0.0
        if square * most**2 + 2.0 * half * most + constant <= 0:
            return np.inf
        root = np.sqrt(max(half * half - square * constant, 0.0))
        return -constant / (half + root)  # the larger root, without cancelling

    def advance(self, delta: float, speeds: np.ndarray) -> None:
        """Go on by δ."""
        self.margins += delta * speeds
        self.since += delta

    def plan(self, too_far: bool, too_near: bool, events: int) -> None:
        """How far to look ahead the next time, and at how many margins."""
        self.horizon *= SHORTER if too_far else LONGER if too_near else 1.0
        self.horizon = min(self.horizon, LONGEST_HORIZON)
        if too_far and events <= FEW_EVENTS:
            self.number = min(2 * self.number, MOST_WATCHED)
        elif events >= MANY_EVENTS:
            self.number = max(WATCHED, self.number // 2)
