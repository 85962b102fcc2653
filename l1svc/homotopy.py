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

The path is followed in blocks of events (:mod:`l1svc.block`). A block begins with a refresh, which
sets right what rounding has moved. In it all columns are looked at, but of the margins only those
that are likely to reach 1. When it ends, what the others have done is verified
(:mod:`l1svc.crossings`); where one of them has reached 1, the block is taken up to there.

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

from .block import EVENTS, STILL, Block
from .crossings import Chord, nearest
from .gram_factor import Factor, Gram, Lost
from .path import solver_from
from .problem import Problem

CHEAP = 20_000_000  # the largest number of products for which every refresh builds G anew
DRIFT = 1e-10  # the largest error of the pull, over λ, at which G is kept; else it is summed anew
ASTRAY = 1e-9  # the largest such error of a block that is not taken again in smaller pieces
OFF = 1e-7  # the largest error, over λ or over a margin's 1, that rounding explains
MOST_STEPS = 1000  # Newton steps of the solver that begins the path anew
# A restart leaves out RESTART of λ. One that led to no event is followed by one that leaves out
# ten times as much, up to MOST_LEFT_OUT.
RESTART, MOST_LEFT_OUT = 1e-9, 1e-4
# A block looks AHEAD times as far as its events seem to reach, and halves λ at most.
AHEAD, LONGEST = 1.2, 0.5
# A block watches WATCHED margins, beside those that seem to cross 1. Where it missed another, the
# next one watches MORE times as many; else FEWER times, down to WATCHED.
WATCHED, MORE, FEWER = 300, 1.5, 0.95

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
        Called for every block with λ (m,) and w (m, q) at the ends of its pieces.

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
    active : bool ndarray of shape (n,)
        I.
    margins : float64 ndarray of shape (n,)
    gram : Gram
        G.
    idle : int
        The number of steps of length 0 that came last.
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
        visit: Callable[[np.ndarray, np.ndarray], object] | None = None,
    ) -> None:
        self.problem = problem
        self.visit = visit
        self.columns = problem.design.used
        self.train, self.scored = np.flatnonzero(problem.weights > 0), scored
        self.watched = WATCHED  # the number of rows, beside those that seem to cross 1
        self.events_at_restart, self.left_out = -1, RESTART  # the last restart's
        self.log = Log()
        self.lam = 0.5 / C
        self._begin(w)
        self.positive = np.zeros(len(problem.y), dtype=bool)
        self.positive[scored] = (problem.y * self.margins)[scored] > 0

    def full(self, w: np.ndarray) -> np.ndarray:
        """w over all p + 1 columns."""
        full = np.zeros((*w.shape[:-1], self.problem.design.shape[1]))
        full[..., self.columns] = w
        return full

    def follow(self, lam: float) -> Iterator[int]:
        """Go on to this λ; gives, after each block, the number of events so far."""
        while self.lam > lam:
            try:
                self._block(lam)
            except Lost:
                self._restart(lam)
            yield len(self.log.lam)

    def _begin(self, w):
        """Begin at the optimum w at ``lam``, w of shape (p + 1,)."""
        # w alone tells I, S and σ, hence everything else.
        problem = self.problem
        self.margins = problem.y * problem.design.dot(w)
        self.active = (problem.weights > 0) & (self.margins < 1.0)
        self.w = w[self.columns]
        self.sign = np.sign(self.w)
        self.gram = Gram(problem, self.active)
        self.built_at = len(self.log.lam)  # the number of events when G was last built
        self.idle, self.most_events = 0, EVENTS
        self.slopes = np.zeros(len(problem.y))  # dm/dδ, about
        # Where columns of S depend on one another, G_SS has no inverse, and w is one of many
        # optima. Another optimum with fewer weights does as well: each slide takes one
        # away, or adds a row to I.
        while (z := self.gram.null(np.flatnonzero(self.sign))) is not None:
            self._slide(z)
        self.pull = self._pull(self.margins, self.active)

    def _slide(self, z):
        """Move w along z, which changes neither ‖w‖₁ nor the loss, until a weight is 0.

        The move ends before that where the margin of a row outside I falls to 1. The row then
        joins I, and z changes the loss from there on.
        """
        # Of the two ways along z, one on which some weight shrinks.
        problem, S = self.problem, np.flatnonzero(self.sign)
        step = np.zeros(len(self.w))
        step[S] = z if (self.w[S] * z < 0).any() else -z
        # The first weight that is 0, and how far away that is.
        back = np.flatnonzero(self.w * step < 0)
        delta = self.w[back] / -step[back]
        length, first = delta.min(), back[delta.argmin()]
        # The margins in I stand still. The others move, by δ·speed: which falls to 1 first?
        speed = problem.y * problem.design.dot(self.full(step))
        out = (problem.weights > 0) & ~self.active & (speed < -STILL * np.abs(speed).max())
        reach = np.divide(1.0 - self.margins, speed, out=np.full(len(speed), np.inf), where=out)
        row = int(reach.argmin())
        if reach[row] < length:
            length = max(reach[row], 0.0)
            self.active[row] = True
            a = problem.design.dense(np.array([row]), self.columns)
            self.gram.add(a, problem.weights[[row]])
        else:
            self.sign[first] = 0.0
        self.w = np.where(self.sign != 0, self.w + length * step, 0.0)
        self.margins += length * speed

    def _restart(self, lam):
        """Begin the path anew at the solver's optimum, a little further on."""
        # At λ itself the solver would find the same knot of events that rounding has lost. So
        # the new path begins a little below; further below where the last restart led nowhere.
        self.log.restarts += 1
        before, before_active = self.sign, self.active
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
            self._write(self.lam, LEAVES, self.columns[j])
        for j in np.flatnonzero((self.sign != 0) & (self.sign != before)):
            self._write(self.lam, ENTERS, self.columns[j], self.sign[j])
        for i in np.flatnonzero(self.active != before_active):
            self._write(self.lam, ROW_IN if self.active[i] else ROW_OUT, i)
        self.events_at_restart = len(self.log.lam)

    def _write(self, lam, kind, index, sign=0):
        self.log.lam.append(float(lam))
        self.log.kind.append(kind)
        self.log.index.append(int(index))
        self.log.sign.append(int(sign))

    # ------------------------------------------------------------------ a block of events

    def _block(self, lam):
        """Take the events of one block, as far as it is right; λ does not fall below ``lam``."""
        problem, design = self.problem, self.problem.design
        factor = self._refresh()
        rows = self._to_watch()
        A = design.dense(rows, self.columns)
        A *= problem.y[rows, None]
        block = Block(
            self.lam,
            factor,
            self.sign,
            self.w,
            self.pull,
            A,
            problem.weights[rows],
            self.margins[rows],
            design.row_norms[rows],
            self.active[rows],
        )
        block.run(max(lam, (1.0 - LONGEST) * self.lam), self.most_events, self.idle)
        # The margins of all n rows at the block's end tell which pieces are right. Only these are
        # taken: the first m, at the end of which λ, w and all margins are known.
        lams, W = np.array(block.lams), np.array(block.W)
        margins = problem.y * design.dot(self.full(W[-1]))
        m = self._right_pieces(Chord(problem, self.lam, self.w, lams, W), rows, margins)
        missed = m < len(lams)
        self.watched = int(max(self.watched * (MORE if missed else FEWER), WATCHED))
        if not m:
            return
        lams, W = lams[:m], W[:m]
        if missed:
            margins = problem.y * design.dot(self.full(W[-1]))
        # S, σ and I after the events of these pieces.
        q, sign, active = len(self.w), self.sign.copy(), self.active.copy()
        events = [event for event in block.events if event.piece < m]
        for event in events:
            if event.item < q:
                sign[event.item] = event.sign
            else:
                active[rows[event.item - q]] ^= True
        # v from the data, to be λσ on S. A difference is rounding, gathered by G or on the way:
        # where there is much of it, the block is taken again, to the half of its events.
        pull = self._pull(margins, active)
        off = np.abs(pull - lams[-1] * sign)[sign != 0].max(initial=0.0)
        if off > ASTRAY * lams[-1] and len(events) > 1:
            self._build()
            self.most_events = len(events) // 2
            return
        self.most_events = min(2 * self.most_events, EVENTS)
        self._score(Chord(problem, self.lam, self.w, lams, W), lams, margins)
        changed, change = [], []
        for piece, item, new in events:
            if item < q:
                self._write(lams[piece], ENTERS if new else LEAVES, self.columns[item], new)
            else:
                row = rows[item - q]
                self.active[row] ^= True
                self._write(lams[piece], ROW_IN if self.active[row] else ROW_OUT, row)
                changed.append(item - q)
                change.append(problem.weights[row] * (1.0 if self.active[row] else -1.0))
        self.gram.add(A[changed], np.array(change))
        if lams[-1] < self.lam:
            self.slopes = (margins - self.margins) / (self.lam - lams[-1])
        self.lam, self.idle = float(lams[-1]), block.idle[m - 1]
        self.w, self.sign, self.margins, self.pull = W[-1] * (sign != 0), sign, margins, pull
        if self.visit:
            self.visit(lams, np.array([*W[:-1], self.w]))

    def _refresh(self) -> Factor:
        """The factor of G_SS at the present state, from which rounding is taken."""
        if self.active.sum() * len(self.w) ** 2 <= CHEAP:
            self._build()
        factor = self.gram.factor(self.sign)
        # At the optimum v_S = λσ. The difference is rounding: where there is much of it, G has
        # gathered it, and the factor is computed once more from a new G.
        S, sign = factor.support, self.sign[factor.support]
        left = self.pull[S] - self.lam * sign
        off = np.abs(left).max(initial=0.0) / self.lam
        if off > DRIFT and self._build():
            factor = self.gram.factor(self.sign)
        # One Newton step takes the rounding out of w.
        step = factor.solve(left)
        self.w[S] += step
        self.pull -= self.gram.G[:, S] @ step
        self.pull[S] = self.lam * sign
        # More than rounding: an event was missed.
        astray = (self.problem.weights > 0) & (self.active != (self.margins < 1.0))
        if (
            (np.abs(1.0 - self.margins[astray]) > OFF).any()
            or off > OFF
            or np.abs(self.pull).max() > (1.0 + OFF) * self.lam
            or (self.w[S] * sign < -OFF).any()
        ):
            raise Lost
        return factor

    def _pull(self, margins, active):
        """v over the q columns, by all margins and I."""
        problem = self.problem
        b = np.where(active, 1.0 - margins, 0.0)
        return problem.design.transpose_dot(problem.weights * problem.y * b)[self.columns]

    def _build(self):
        """Sum G anew if there was an event since it was; whether so."""
        changed = self.built_at < len(self.log.lam)
        if changed:
            self.gram.build(self.active)
            self.built_at = len(self.log.lam)
        return changed

    def _to_watch(self):
        """The rows, ascending, that are likely to reach 1 in the next block."""
        train, norms = self.train, self.problem.design.row_norms[self.train]
        left, speed = self.margins[train] - 1.0, self.slopes[train]
        # The block will reach about as far as EVENTS rows need, on straight lines, to reach 1.
        until = np.divide(-left, speed, out=np.full(len(left), np.inf), where=left * speed < 0)
        ahead = LONGEST * self.lam
        if len(until) > EVENTS:
            ahead = min(ahead, AHEAD * np.partition(until, EVENTS)[EVENTS])
        return train[nearest(left, ahead * speed, norms, self.watched)]

    def _right_pieces(self, chord, watched, margins):
        """How many pieces of a block are right: until a margin that was not watched reaches 1."""
        train = self.train
        norms = self.problem.design.row_norms[train]
        doubt = chord.in_doubt(self.margins[train] - 1.0, margins[train] - 1.0, norms)
        rows = np.setdiff1d(train[doubt], watched, assume_unique=True)
        if not len(rows):
            return len(chord.W)
        inside = self.problem.y[rows, None] * chord.values(rows) < 1.0
        wrong = (inside != self.active[rows, None]).any(axis=0)
        return int(wrong.argmax()) if wrong.any() else len(wrong)

    def _score(self, chord, lams, margins):
        """Log the scores that turn in a block whose pieces end at ``lams``."""
        rows, y = self.scored, self.problem.y
        first, last = self.margins[rows], margins[rows]
        rows = rows[chord.in_doubt(first, last, self.problem.design.row_norms[rows])]
        if not len(rows):
            return
        # Values (k, m + 1) at the ends of the pieces, and the sides of 0 that these are on.
        values = np.column_stack([y[rows] * self.margins[rows], chord.values(rows)])
        lams = np.append(self.lam, lams)
        above = values > 0
        above[:, 0] = self.positive[rows]
        for k, piece in zip(*np.nonzero(above[:, 1:] != above[:, :-1]), strict=True):
            before, after = values[k, piece : piece + 2]
            share = before / (before - after) if before != after else 0.0
            gone = min(max(share, 0.0), 1.0) * (lams[piece] - lams[piece + 1])
            self.log.flips.append((lams[piece] - gone, int(rows[k])))
        self.positive[rows] = above[:, -1]
