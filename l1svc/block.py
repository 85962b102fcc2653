"""Some events of the exact path in a row, with one factor of G_SS for all of them.

Each event changes the linear system of the direction d by a row or a column. A new factor would
take |S|³ products. But all systems of a block are bordered ones of its first. With S, σ and G as
they are where the block begins, and a number x_c for each event c so far,

    G_SS d_S + Σ_c x_c u_c = σ,

with one more equation for each event:

    row i enters I (ε = 1), or leaves it (−1):  u = (a_i)_S,   x = ε s_i a_iᵀd,
    column j enters S:                          u = G_Sj,      x = d_j, so that (Gd)_j = σ_j,
    column j leaves S:                          u = e_j,       x so that d_j = 0.

What moves, by λ that falls by 1, are weights, pulls and margins:

    y_j = d_j for j ∈ S,    y_j = (Gd)_j for j ∉ S,    y_i = a_iᵀd.

All of them are linear in x: y = y₀ + Σ_c x_c Z_c, with a row Z_c for each event, of the matrix
Z = M − W G_SS⁻¹ Wᵀ over columns and rows. W has the rows u_c, and M is G between columns that are
not in S, A between these and the rows, and else 0. The x solve a symmetric system with as many
unknowns as there are events so far. Its inverse grows by a row and a column with each of them.

References
----------
P. E. Gill, W. Murray, M. A. Saunders, M. H. Wright, "A Schur-complement method for sparse quadratic
programming", in "Reliable Numerical Computation", 1990: a fixed factor, bordered step by step.
"""

from typing import NamedTuple

import numpy as np

from .gram_factor import DEPENDENT, Factor, Lost

EVENTS = 80  # the largest number of events of a block
MOST_AT_ONCE = 200  # the largest number of steps of length 0 in a row, beyond |S| of them
CLOSING = 1e-9  # the least speed at which |v_j| and λ approach each other
STILL = 1e-11  # the largest speed of a margin that may be rounding, over ‖x̃_i‖·‖d‖∞


class Event(NamedTuple):
    """At the end of which piece of the block something happens, and to what."""

    piece: int
    item: int  # a column below q; else q + the place of a row among those watched
    sign: float  # of the weight that enters, else 0


class Block:
    """The pieces of the path from one optimum on, up to EVENTS events.

    An *item* is one of the q columns or, after these, one of the r rows that are watched. A *slot*
    is something that may come to its end and make an event, with what is left of it until then:

        slots 0 to q − 1      σ_j w_j for a column in S, else λ − v_j,
        slots q to 2q − 1     λ + v_j for a column that is not in S,
        slots 2q to 2q + r − 1    |1 − m_i|.

    Parameters
    ----------
    lam : float
    factor : Factor
        Of G_SS at ``lam``.
    sign, w, pull : float64 ndarray of shape (q,)
        σ, w and v there.
    A : float64 ndarray of shape (r, q)
        Rows a_i that are watched.
    weights, margins, norms : float64 ndarray of shape (r,)
        s_i, m_i and ‖x̃_i‖ of them.
    active : bool ndarray of shape (r,)
        Which of them are in I.

    Attributes
    ----------
    lams : list of float
        λ at the end of each piece.
    W : list of float64 ndarray of shape (q,)
        w there.
    events : list of Event
        In their order; at the end of a piece there is one at most.
    idle : list of int
        The number of steps of length 0 that came last, at the end of each piece.
    """

    def __init__(
        self,
        lam: float,
        factor: Factor,
        sign: np.ndarray,
        w: np.ndarray,
        pull: np.ndarray,
        A: np.ndarray,
        weights: np.ndarray,
        margins: np.ndarray,
        norms: np.ndarray,
        active: np.ndarray,
    ) -> None:
        self.lam, self.factor, self.A, self.weights = lam, factor, A, weights
        self.sign, self.active = sign.copy(), active.copy()
        self.lams: list[float] = []
        self.W: list[np.ndarray] = []
        self.events: list[Event] = []
        self.idle: list[int] = []
        self.blocked: list[tuple[int, float]] = []  # slots, with their least speeds
        q, S, out = len(sign), factor.support, sign == 0
        self.q, self.out = q, out
        # W (q + r, |S|): what couples each item to S. Those of S are unit vectors.
        self.couplings = np.empty((q + len(A), len(S)))
        factor.G.take(S, axis=1, out=self.couplings[:q], mode="clip")
        self.couplings[S] = np.eye(len(S))
        A.take(S, axis=1, out=self.couplings[q:], mode="clip")
        self.A_out = A * out
        self.start = self.couplings @ factor.direction  # y₀ (q + r,)
        # Of each slot: what is left; how fast that falls, as y·times + plus; and the least speed
        # that is no rounding.
        ones, none = np.ones(q), np.zeros(len(A))
        inside = np.where(active, 1.0, -1.0)
        self.left = np.concatenate(
            [np.where(out, lam - pull, sign * w), lam + pull, inside * (1.0 - margins)]
        )
        self.times = np.concatenate([np.where(out, -1.0, -sign), ones, inside])
        self.plus = np.concatenate([np.where(out, 1.0, 0.0), ones, none])
        self.least = np.concatenate(
            [np.where(out, CLOSING, 0.0), np.where(out, CLOSING, np.inf), none]
        )
        self.still = STILL * norms  # times ‖d‖∞
        # The n events so far: their items, rows Z_c, the inverse (n, n) of their system and its
        # solution x, and what y is of these items: shift + scale·x.
        self.n = 0
        self.members = np.zeros(EVENTS, dtype=int)
        self.is_member = np.zeros(q + len(A), dtype=bool)
        self.Z = np.empty((EVENTS, q + len(A)))
        self.inverse = np.zeros((EVENTS, EVENTS))
        self.x, self.shift, self.scale = np.zeros((3, EVENTS))

    def run(self, lam_end: float, most: int, idle: int) -> None:
        """Take ``most`` events at most, to ``lam_end`` at most; ``idle``: as before the block.

        Raises
        ------
        Lost
            Where not even the first event can be taken.
        """
        self._foresee()
        while len(self.events) < most:
            # The piece ends where the first slot does, at the rates of the present directions.
            rates = self._rates()
            lengths = self._lengths(rates)
            slot = int(lengths.argmin())
            length = min(lengths[slot], self.lam - lam_end)
            at_end = length == self.lam - lam_end
            self.lam = lam_end if at_end else self.lam - length
            self.left -= length * rates
            self.lams.append(self.lam)
            self.W.append(self.left[: self.q] * self.sign)
            # Events at the same λ are taken one by one, by steps of length 0. In exact arithmetic
            # none comes twice: so many of them mean that rounding makes them come again and again.
            idle = idle + 1 if length <= 1e-15 * self.lam else 0
            self.idle.append(idle)
            if at_end:
                return
            if idle > MOST_AT_ONCE + np.count_nonzero(self.sign):
                self._give_up()
                return
            item = slot if slot < self.q else slot - self.q
            # What has changed in this block, and now changes back, would need its row taken out of
            # the inverse. That is seldom: the next block begins there with a new factor.
            if self.is_member[item]:
                self._log(slot, item)
                return
            if not self._take(slot, item):
                return

    def _give_up(self):
        """Leave the rest to the next block and its new factor, if this one has come anywhere."""
        if not self.events:
            raise Lost

    def _foresee(self):
        """Z_c (·, q + r) of those that come first if d stays: products of many cost less each."""
        lengths = self._lengths(self._rates())
        soon = np.argpartition(lengths, min(EVENTS, len(lengths) - 1))[:EVENTS]
        soon = soon[lengths[soon] < np.inf]
        items = np.unique(np.where(soon < self.q, soon, soon - self.q))
        self.foreseen = dict(zip(items.tolist(), self._responses(items), strict=True))

    def _responses(self, items):
        """The rows Z_c of these items, (·, q + r)."""
        if not len(items):
            return np.empty((0, len(self.start)))
        q, G = self.q, self.factor.G
        # −W G_SS⁻¹ W_cᵀ for all items at once
        Z = -self.factor.solve(self.couplings[items]) @ self.couplings.T
        # M, between what is not in S: A between a row and a column, G between two columns.
        rows = np.flatnonzero(items >= q)
        Z[rows, :q] += self.A_out[items[rows] - q]
        columns = np.flatnonzero((items < q) & self.out[np.minimum(items, q - 1)])
        Z[columns, :q] += G[items[columns]] * self.out
        Z[columns, q:] += self.A[:, items[columns]].T
        return Z

    def _rates(self):
        """How fast what is left of each slot falls, for λ that falls by 1."""
        q, n = self.q, self.n
        y = self.start + self.x[:n] @ self.Z[:n]
        y[self.members[:n]] = self.shift[:n] + self.scale[:n] * self.x[:n]
        # A speed of a margin below the rounding of a_iᵀd is none.
        self.least[2 * q :] = self.still * np.abs(y[:q] * self.sign).max(initial=0.0)
        rates = np.empty(len(self.times))
        np.multiply(self.times[:q], y[:q], out=rates[:q])
        np.multiply(self.times[q:], y, out=rates[q:])
        rates += self.plus
        return rates

    def _lengths(self, rates):
        """By how much λ falls until each slot comes to its end; 0 where it is past it."""
        lengths = np.full(len(rates), np.inf)
        np.divide(self.left, rates, out=lengths, where=rates > self.least)
        return np.maximum(lengths, 0.0, out=lengths)

    def _take(self, slot, item):
        """Let the item change: x, the inverse and the slots follow. False if the block ends."""
        n, start = self.n, self.start[item]
        z = self.foreseen.get(item)
        self.Z[n] = self._responses(np.array([item]))[0] if z is None else z
        # The equation of the event is start + Σ_c x_c Z_c,item + extra·x_item = goal: from it
        # follows what y is of the item from now on.
        row, enters = item >= self.q, item < self.q and self.out[item]
        shift = goal = extra = 0.0
        if row:
            change = -1.0 if self.active[item - self.q] else 1.0
            scale = change / self.weights[item - self.q]
            extra = -scale
        elif enters:
            goal, scale = 1.0 if slot < self.q else -1.0, 1.0
        else:
            shift, scale = self.sign[item], -1.0
        # The system grows by one row: the pivot is what the others leave of its diagonal entry.
        border = self.Z[n, self.members[:n]]
        u = self.inverse[:n, :n] @ border
        pivot = self.Z[n, item] + extra - border @ u
        # Here it is what S leaves of the column's square. A column that depends on S may not enter
        # before something else changes.
        if enters and pivot <= DEPENDENT * self.factor.G[item, item]:
            self.blocked.append((slot, self.least[slot]))
            self.least[slot] = np.inf
            return True
        # Here it is 0 where G_SS would be singular without the row.
        if row and pivot / extra <= DEPENDENT:
            self._give_up()
            return False
        # With P the inverse, the new one is [P + uuᵀ/pivot, −u/pivot; −uᵀ/pivot, 1/pivot] (a Schur
        # complement), and x follows.
        x = (goal - start - border @ self.x[:n]) / pivot
        self.x[:n] -= x * u
        self.x[n] = x
        self.inverse[:n, :n] += np.outer(u, u / pivot)
        self.inverse[:n, n] = self.inverse[n, :n] = -u / pivot
        self.inverse[n, n] = 1.0 / pivot
        self.members[n], self.shift[n], self.scale[n] = item, shift, scale
        self.is_member[item] = True
        self.n += 1
        self._log(slot, item)
        self._change_slots(slot, item)
        return True

    def _log(self, slot, item):
        """The event of this slot, at the end of the last piece."""
        enters = item < self.q and not self.sign[item]
        sign = (1.0 if slot < self.q else -1.0) if enters else 0.0
        self.events.append(Event(len(self.lams) - 1, item, sign))

    def _change_slots(self, slot, item):
        """What is left of the item's slots, and the rate of that, after its event."""
        for blocked, least in self.blocked:
            self.least[blocked] = least
        self.blocked = []
        q, first, second = self.q, item, self.q + item
        if item >= q:  # 1 − m_i from now on, not m_i − 1, or the other way round
            self.active[item - q] ^= True
            self.times[slot] *= -1.0
            self.left[slot] = 0.0
        elif self.sign[item]:  # |v_j| = λ, no weight any more
            sign, self.sign[item] = self.sign[item], 0.0
            self.left[[first, second]] = self.lam * (1.0 - sign), self.lam * (1.0 + sign)
            self.times[[first, second]] = -1.0, 1.0
            self.plus[[first, second]], self.least[[first, second]] = 1.0, CLOSING
        else:
            sign = self.sign[item] = self.events[-1].sign
            self.left[first], self.times[first] = 0.0, -sign
            self.plus[first], self.least[first], self.least[second] = 0.0, 0.0, np.inf
