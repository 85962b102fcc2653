"""The optimum for every C of a range: a path of straight pieces in λ = 1/(2C), from event to event.

    min over w of λ‖w‖₁ + ½ Σ_i s_i max(0, 1 − m_i)²,    m_i = a_iᵀw,    a_i = y_i x̃_i.

With I = {i : m_i < 1}, the support S and its signs σ, the optimum has v_S = λσ and |v_j| ≤ λ for
the others, where v = Σ_{i∈I} s_i (1 − m_i) a_i is the pull of the rows. As long as I, S and σ do
not change, that is linear: with G = Σ_{i∈I} s_i a_i a_iᵀ, λ falling by δ,

    w_S(δ) = w_S + δ d,    d = G_SS⁻¹σ,    m(δ) = m + δ A_S d,    v(δ) = v − δ G_:S d.

The next event is the smallest δ at which a weight is 0 (it leaves S), a |v_j| is λ (it enters S),
or a margin is 1 (its row enters or leaves I). None of them turns the direction of what caused it:
by the formula of Sherman and Morrison, the margin of a row moves to the same side whether or not
the row is in I. So events at the same λ (rows or columns that stand twice, integer pixels) are
taken one after the other, by steps of length 0.

G is kept for all columns, with the inverse of G_SS: both change by one row or column at a time
(:mod:`l1svc.gram_inverse`). Of the margins only those are looked at that can reach 1 before long
(:mod:`l1svc.watched`). When others could, a refresh computes all anew, and sets right what rounding
has moved.

References
----------
M. R. Osborne, B. Presnell, B. A. Turlach, "A new approach to variable selection in least squares
problems", IMA J. Numerical Analysis 20, 2000 (homotopy). J. Zhu, S. Rosset, T. Hastie, R.
Tibshirani, "1-norm support vector machines", NIPS 16, 2003. T. Hastie, S. Rosset, R. Tibshirani,
J. Zhu, "The entire regularization path for the support vector machine", JMLR 5, 2004. S. Rosset,
J. Zhu, "Piecewise linear regularized solution paths", Annals of Statistics 35, 2007.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .gram_inverse import GramInverse, Lost
from .path import solver_from
from .problem import Problem
from .watched import MANY_EVENTS, STILL, Watched

ENTERING_PULL = 0.8  # the least |v_j| / λ of a column that may enter S before the next refresh
CHEAP = 20_000_000  # the largest number of products for which every refresh builds G anew
DRIFT = 1e-10  # the largest error of the pull, over λ, at which G is kept; else it is summed anew
OFF = 1e-7  # the largest error, over λ or over a margin's 1, that rounding explains
MOST_AT_ONCE = 200  # the largest number of steps of length 0 in a row, beyond |S| of them
MOST_STEPS = 1000  # Newton steps of the solver that begins the path anew
CLOSING = 1e-9  # the least speed at which |v_j| and λ approach each other
# A restart leaves out RESTART of λ. One that led to no event is followed by one that leaves out
# ten times as much, up to MOST_LEFT_OUT.
RESTART, MOST_LEFT_OUT = 1e-9, 1e-4

ENTERS, LEAVES, ROW_IN, ROW_OUT = "enters", "leaves", "row in", "row out"


@dataclass
class Log:
    """What happened on the way, in the order of falling λ."""

    lam: list[float] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    index: list[int] = field(default_factory=list)  # of a column of X̃, or a row
    sign: list[int] = field(default_factory=list)  # of the weight that enters, or 0
    flips: list[tuple[float, int]] = field(default_factory=list)  # λ, and the row whose score turns
    restarts: int = 0


class Homotopy:
    """The path of one ±1 problem, from the optimum at C upward.

    Parameters
    ----------
    problem : Problem
    w : float64 ndarray of shape (p + 1,)
        The optimum at C.
    C : float
    scored : int ndarray
        Rows whose decision values' signs are followed.
    visit : callable, default=None
        Called with λ and w at the end of every piece.

    Attributes
    ----------
    lam : float
    columns : int ndarray of shape (q,)
        Those that are not all zero; vectors over columns are of these.
    w : float64 ndarray of shape (q,)
        The optimum at ``lam``.
    sign : float64 ndarray of shape (q,)
        σ on S, else 0. A weight that has just entered S is 0, its sign is not.
    pull : float64 ndarray of shape (q,)
        v, from the first refresh on.
    gram : GramInverse
        I, S, G and (G_SS)⁻¹.
    watched : Watched
        The margins of which an event may come, chosen at a refresh.
    blocked : bool ndarray of shape (q,)
        Columns that depend on those in S, and may not enter before the next event.
    positive : bool ndarray of shape (n,)
        Of the rows ``scored``: whether the decision value is above 0.
    log : Log
    """

    def __init__(
        self,
        problem: Problem,
        w: np.ndarray,
        C: float,
        scored: np.ndarray,
        visit: Callable[[float, np.ndarray], object] | None = None,
    ) -> None:
        self.problem = problem
        self.visit = visit
        self.columns = problem.design.used
        self.watched = Watched(problem, scored)
        self.events_at_restart, self.left_out = -1, RESTART  # the last restart's
        self.log = Log()
        self.lam = 0.5 / C
        self._begin(w)
        self.positive = np.zeros(len(problem.y), dtype=bool)
        self.positive[scored] = problem.design.dot(w)[scored] > 0

    def full(self, w: np.ndarray) -> np.ndarray:
        """w over all p + 1 columns."""
        full = np.zeros((*w.shape[:-1], self.problem.design.shape[1]))
        full[..., self.columns] = w
        return full

    def follow(self, lam: float) -> Iterator[int]:
        """Go on to this λ; gives, at each refresh and at the end, the number of events so far."""
        while self.lam > lam:
            try:
                self._refresh()
                self._until(lam)
            except Lost:
                self._restart(lam)
            yield len(self.log.lam)

    def _begin(self, w):
        """Begin at the optimum w at ``lam``, w of shape (p + 1,)."""
        # w alone tells I, S and σ, hence everything else.
        problem = self.problem
        active = (problem.weights > 0) & (problem.y * problem.design.dot(w) < 1.0)
        self.w = w[self.columns]
        self.sign = np.sign(self.w)
        self.gram = GramInverse(problem, active, np.flatnonzero(self.w))
        self.built_at = len(self.log.lam)  # the number of events when G was last built
        self.blocked = np.zeros(len(self.w), dtype=bool)
        # Where columns of S depend on one another, G_SS has no inverse, and w is one of many
        # optima. Another optimum with fewer weights does as well: each slide takes one
        # away, or adds a row to I.
        while (z := self.gram.null()) is not None:
            self._slide(z)

    def _slide(self, z):
        """Move w along z, which changes neither ‖w‖₁ nor the loss, until a weight is 0.

        The move ends before that where the margin of a row outside I falls to 1. The row then
        joins I, and z changes the loss from there on.
        """
        # Of the two ways along z, one on which some weight shrinks.
        problem, S = self.problem, self.gram.support
        step = np.zeros(len(self.w))
        step[S] = z if (self.w[S] * z < 0).any() else -z
        # The first weight that is 0, and how far away that is.
        back = np.flatnonzero(self.w * step < 0)
        delta = self.w[back] / -step[back]
        length, first = delta.min(), back[delta.argmin()]
        # The margins in I stand still. The others move, by m + δ·speed: which falls to 1 first?
        margins, speed = problem.y * problem.design.dot(self.full(np.array([self.w, step])))
        out = (problem.weights > 0) & ~self.gram.active & (speed < -STILL * np.abs(speed).max())
        reach = np.divide(1.0 - margins, speed, out=np.full(len(speed), np.inf), where=out)
        row = int(reach.argmin())
        if reach[row] < length:
            self.w += max(reach[row], 0.0) * step
            self.gram.add_row(row)
        else:
            self.w += length * step
            self.w[first] = self.sign[first] = 0.0
            self.gram.support = np.flatnonzero(self.w)

    def _restart(self, lam):
        """Begin the path anew at the solver's optimum, a little further on."""
        # At λ itself the solver would find the same knot of events that rounding has lost. So
        # the new path begins a little below; further below where the last restart led nowhere.
        self.log.restarts += 1
        before, before_active = self.sign, self.gram.active
        again = len(self.log.lam) == self.events_at_restart
        self.left_out = 10.0 * self.left_out if again else RESTART
        if self.left_out > MOST_LEFT_OUT:
            raise ArithmeticError(
                f"The path is lost at C = {0.5 / self.lam}: rows or columns all but depend on one"
                " another. A C_max below it would do."
            )
        self.lam = max(self.lam * (1.0 - self.left_out), lam)
        C = 0.5 / self.lam
        solver = solver_from(self.problem, self.full(self.w))
        solver.solve(C, MOST_STEPS)
        solver.polish(C, MOST_STEPS)
        self._begin(solver.w)
        # Between the two points events are unknown, in number and order. What differs between the
        # two states is logged, all at the new λ: whoever replays the log ends in the right state.
        for j in np.flatnonzero((before != 0) & (self.sign != before)):
            self._write(LEAVES, self.columns[j])
        for j in np.flatnonzero((self.sign != 0) & (self.sign != before)):
            self._write(ENTERS, self.columns[j], self.sign[j])
        active = self.gram.active
        for i in np.flatnonzero(active != before_active):
            self._write(ROW_IN if active[i] else ROW_OUT, i)
        self.events_at_restart = len(self.log.lam)

    def _write(self, kind, index, sign=0):
        self.log.lam.append(self.lam)
        self.log.kind.append(kind)
        self.log.index.append(int(index))
        self.log.sign.append(int(sign))

    # ------------------------------------------------------------------ what is computed anew

    def _refresh(self):
        """Compute margins, the pull and the inverse from the data; choose the margins to watch."""
        problem, gram = self.problem, self.gram
        if gram.active.sum() * len(self.w) ** 2 <= CHEAP:
            self._build()
        gram.invert()
        # Margins and speeds of all n rows, in one product with X. From here to the next refresh
        # only the few margins that are watched are known.
        d, _ = gram.direction(self.sign[gram.support])
        margins, speeds = problem.y * problem.design.dot(self.full(np.array([self.w, d])))
        astray = (problem.weights > 0) & (gram.active != (margins < 1.0))
        b = np.where(gram.active, 1.0 - margins, 0.0)
        self.pull = problem.design.transpose_dot(problem.weights * problem.y * b)[self.columns]
        # At the optimum v_S = λσ. The difference is rounding: where there is much of it, G has
        # gathered it, and everything is computed once more from a new G.
        S = gram.support
        left = self.pull[S] - self.lam * self.sign[S]
        if np.abs(left).max(initial=0.0) > DRIFT * self.lam and self._build():
            self._refresh()
            return
        # One Newton step takes the rounding out of w.
        step = gram.solve(left)
        self.w += step
        self.pull -= gram.dot(step)
        self.pull[S] = self.lam * self.sign[S]
        # More than rounding: an event was missed.
        if (
            (np.abs(1.0 - margins[astray]) > OFF).any()
            or np.abs(left).max(initial=0.0) > OFF * self.lam
            or np.abs(self.pull).max() > (1.0 + OFF) * self.lam
            or (self.w[S] * self.sign[S] < -OFF).any()
        ):
            raise Lost
        # Only weights in S move, and those that enter. Columns with |v_j| far below λ cannot enter
        # soon: the bound is smaller without them.
        there = (self.sign != 0) | (np.abs(self.pull) > ENTERING_PULL * self.lam)
        self.watched.choose(margins, speeds, self.w, d, there, self.lam)

    def _build(self):
        """Sum G anew if there was an event since it was; whether so."""
        changed = self.built_at < len(self.log.lam)
        if changed:
            self.gram.build()
            self.built_at = len(self.log.lam)
        return changed

    # ------------------------------------------------------------------ from event to event

    def _until(self, lam):
        """Take event after event until λ is ``lam`` or a refresh is due."""
        watched = self.watched
        idle = 0  # steps of length 0 in a row
        before = len(self.log.lam)
        while True:
            # The piece: how fast w, the pull and the margins that are watched move while λ falls.
            d, pull_speed = self.gram.direction(self.sign[self.gram.support])
            margin_speed = watched.speeds(d)
            # It ends at the next event, at the end of the path, at the horizon, or where a margin
            # that nobody watches could be at its level, whichever comes first.
            delta, event = self._next(d, pull_speed, margin_speed)
            rest, ahead = self.lam - lam, watched.ahead - watched.since
            reach = watched.reach(self.w, d, min(delta, rest, ahead))
            length = min(delta, rest, ahead, reach)
            self._advance(length, d, pull_speed, margin_speed)
            if length == rest:
                self.lam = lam
                return
            # At the horizon, and where the bound is used up, the event is not there yet: all
            # margins must be known first. After many events the rounding calls for that.
            events = len(self.log.lam) - before
            if length in (ahead, reach) or events >= MANY_EVENTS:
                watched.plan(length == reach, length == ahead, events)
                return
            # Events at the same λ are taken one by one, by steps of length 0. In exact arithmetic
            # none comes twice: so many of them mean that rounding makes them come again and again.
            idle = idle + 1 if length <= 1e-15 * self.lam else 0
            if idle > MOST_AT_ONCE + len(self.gram.support):
                raise Lost
            # A column that did not seem near has entered: the watched margins lack it.
            self._take(*event)
            if event[0] == ENTERS and not watched.there[event[1]]:
                return

    def _next(self, d, pull_speed, margin_speed):
        """δ of the next event, and what it is."""
        candidates = [(np.inf, ("", 0, 0.0))]
        S = self.gram.support
        # a weight reaches 0
        back = np.flatnonzero(d[S] * self.sign[S] < 0)
        if len(back):
            delta = np.maximum(self.w[S[back]] / -d[S[back]], 0.0)
            k = delta.argmin()
            candidates.append((delta[k], (LEAVES, back[k], 0.0)))
        # |v_j| reaches λ
        out = (self.sign == 0) & ~self.blocked
        for sign in (1.0, -1.0):
            closing = 1.0 + sign * pull_speed
            open_ = np.flatnonzero(out & (closing > CLOSING))
            if len(open_):
                delta = np.maximum(self.lam - sign * self.pull[open_], 0.0) / closing[open_]
                k = delta.argmin()
                candidates.append((delta[k], (ENTERS, open_[k], sign)))
        # a margin reaches 1
        active = self.gram.active
        delta, k = self.watched.next(active, margin_speed, d)
        kind = ROW_OUT if active[self.watched.rows[k]] else ROW_IN
        candidates.append((delta, (kind, k, 0.0)))
        return min(candidates, key=lambda candidate: candidate[0])

    def _advance(self, delta, d, pull_speed, margin_speed):
        """Move everything along the piece by ``delta``, and log the scores that turn on it."""
        watched, at = self.watched, self.watched.scored_at
        before = watched.margins[at]
        watched.advance(delta, margin_speed)
        after = watched.margins[at]
        rows = watched.rows[at]
        turned = np.flatnonzero(self.positive[rows] != (after * self.problem.y[rows] > 0))
        for k in turned:
            speed = margin_speed[at[k]]
            gone = min(max(-before[k] / speed, 0.0), delta) if speed else 0.0
            self.log.flips.append((self.lam - gone, int(rows[k])))
            self.positive[rows[k]] ^= True
        self.w += delta * d
        self.pull += delta * pull_speed
        self.lam -= delta
        if self.visit:
            self.visit(self.lam, self.w)

    def _take(self, kind, k, sign):
        """Take the event of k: a row's place among those watched, for LEAVES a place in S."""
        if kind == LEAVES:
            j = self.gram.support[k]
            self._write(kind, self.columns[j])
            self.w[j] = self.sign[j] = 0.0
            self.gram.leave(k)
        elif kind == ENTERS:
            if not self.gram.enter(k):
                self.blocked[k] = True  # as long as nothing else changes
                return
            self.w[k], self.sign[k], self.pull[k] = 0.0, sign, sign * self.lam
            self._write(kind, self.columns[k], sign)
        else:
            row = self.watched.rows[k]
            self._write(kind, row)
            self.gram.change_row(row, 1.0 if kind == ROW_IN else -1.0)
            self.watched.margins[k] = 1.0
        self.blocked = np.zeros(len(self.w), dtype=bool)
