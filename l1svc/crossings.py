"""Which rows cross a level in a block of events: a few of n, told without a look at the others.

To know every margin at the end of every piece would take n·|S| products for each event. But w is
never far from the chord, the straight line between its values at the two ends of the block. So a
margin is at most ‖x̃_i‖ times that distance away from its own chord, whose ends are known. Only the
rows that can reach their level by that bound are computed at the end of each piece.
"""

import numpy as np

from .problem import Problem

ROUNDING = 1e-12  # of a margin


def nearest(distance: np.ndarray, move: np.ndarray, norms: np.ndarray, number: int) -> np.ndarray:
    """The rows, ascending, that may well cross 0 from ``distance`` on to ``distance + move``.

    Those that do so on a straight line, and ``number`` more: the nearest, over ‖x̃_i‖. All are
    vectors of shape (n,).
    """
    near = _from_level(distance, distance + move)
    near = np.divide(near, norms, out=np.full(len(norms), np.inf), where=norms > 0)
    number += int(np.count_nonzero(near == 0))
    if number >= len(near):
        return np.arange(len(near))
    return np.sort(np.argpartition(near, number)[:number])


class Chord:
    """The pieces of a block, beside the straight line between its ends.

    Parameters
    ----------
    problem : Problem
    lam : float
        λ at the beginning.
    w : float64 ndarray of shape (q,)
        w there.
    lams : float64 ndarray of shape (m,)
        λ at the end of each piece.
    W : float64 ndarray of shape (m, q)
        w there.
    """

    def __init__(
        self, problem: Problem, lam: float, w: np.ndarray, lams: np.ndarray, W: np.ndarray
    ) -> None:
        self.design, self.W = problem.design, W
        # The largest distance of w from the chord: at the end of a piece, as both are straight.
        share = (lam - lams) / max(lam - lams[-1], 1e-300)
        off = W - w - share[:, None] * (W[-1] - w)
        self.distance = float(np.sqrt(np.einsum("ij,ij->i", off, off).max()))

    def in_doubt(self, first: np.ndarray, last: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """Whether x̃_iᵀw, less its level, may change its sign, by its values at both ends."""
        return _from_level(first, last) <= self.distance * norms + ROUNDING

    def values(self, rows: np.ndarray) -> np.ndarray:
        """x̃_iᵀw of shape (|rows|, m), at the end of each piece."""
        moving = np.flatnonzero(self.W.any(axis=0))
        columns = self.design.used[moving]
        return self.design.dense(rows, columns) @ self.W[:, moving].T


def _from_level(first, last):
    """How near a straight line from ``first`` to ``last`` comes to 0."""
    return np.where(first * last <= 0, 0.0, np.minimum(np.abs(first), np.abs(last)))
