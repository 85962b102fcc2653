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

G is kept for all columns, and the inverse of G_SS; both change by one row at a time. Of the rows
only those are looked at that can reach 1 before long: at a refresh all margins m and their speeds
are computed; from there, m_i is at most ‖x̃_i‖·‖w − w_ref − δ d_ref‖ away from its line, and those
near 1 by that are the ones to watch. The next refresh, when that bound is used up, computes all
anew, and sets right what rounding has moved.

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

from .blas import add_gram, cholesky, half_solve, symmetric_dot
from .design import PRODUCT_ROWS, Design
from .path import solver_from

# A refresh watches WATCHED margins at least, beside those that cross before the horizon. Their
# number doubles, to MOST_WATCHED at most, where the next refresh is due after FEW_EVENTS events or
# fewer; it halves after MANY_EVENTS, which call for a refresh themselves.
WATCHED, MOST_WATCHED, FEW_EVENTS, MANY_EVENTS = 320, 2048, 12, 60
# A refresh looks FIRST_HORIZON of λ ahead at first, and LONGEST_HORIZON at most. The horizon is
# multiplied by SHORTER where the bound did not last until there, by LONGER where it did.
FIRST_HORIZON, LONGEST_HORIZON, SHORTER, LONGER = 0.02, 0.5, 0.7, 1.4
ENTERING_PULL = 0.8  # the least |v_j| / λ of a column that may enter S before the next refresh
MORE_COLUMNS = 1.3  # norms of rows on so many times the columns that may move are still used
PENDING = 32  # the number of rows that are added to G at a time: one BLAS call for all
REFINEMENTS = 4  # the largest number of corrections of a direction d
RESIDUAL = 1e-10  # the largest |G_SS d − σ| that needs no further correction
STILL = 1e-11  # the largest speed of a margin that may be rounding, over ‖x̃_i‖·‖d‖∞
DEPENDENT = 1e-10  # a column depends on those in S if they leave no more than this of its square
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


class Lost(ArithmeticError):
    """The state is not that of an optimum any more: rounding has won."""


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
    design : Design of shape (n, p + 1)
    y : float64 ndarray of shape (n,), of -1 and +1
    weights : float64 ndarray of shape (n,)
        s ≥ 0; rows left out have 0.
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
    support : int ndarray
        Where ``w`` is not 0, in the order of entry.
    active : bool ndarray of shape (n,)
        I.
    positive : bool ndarray of shape (n,)
        Of the rows ``scored``: whether the decision value is above 0.
    log : Log
    """

    def __init__(
        self,
        design: Design,
        y: np.ndarray,
        weights: np.ndarray,
        w: np.ndarray,
        C: float,
        scored: np.ndarray,
        visit: Callable[[float, np.ndarray], object] | None = None,
    ) -> None:
        # What never changes. An event of a margin is that of a row at a level: a training row
        # crosses m_i = 1, a row that is scored crosses m_i = 0. A row may be both.
        self.design, self.y, self.weights = design, y, weights
        self.visit = visit
        self.columns = design.used
        self.squares = None if design.entries is None else design.entries.power(2)
        train = np.flatnonzero(weights > 0)
        self.rows = np.concatenate([train, scored])
        self.levels = np.repeat([1.0, 0.0], [len(train), len(scored)])
        # What changes at a refresh (`_watch` and `_norms` say what else does).
        self.inside = np.zeros(design.shape[1])  # 1 at the columns that the norms are of
        self.norms = np.zeros(len(y))  # ‖x̃_i‖ on these columns
        self.horizon, self.watched = FIRST_HORIZON, WATCHED
        # What changes at a restart.
        self.events_at_restart, self.left_out = -1, RESTART
        # What changes at each event: λ, the log, and what `_begin` sets.
        self.log = Log()
        self.lam = 0.5 / C
        self._begin(w)
        self.positive = np.zeros(len(y), dtype=bool)
        self.positive[scored] = design.dot(w)[scored] > 0

    def full(self, w: np.ndarray) -> np.ndarray:
        """w over all p + 1 columns."""
        full = np.zeros((*w.shape[:-1], self.design.shape[1]))
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
        self.active = (self.weights > 0) & (self.y * self.design.dot(w) < 1.0)
        self.w = w[self.columns]
        self.support = np.flatnonzero(self.w)
        self.sign = np.sign(self.w)
        self._build()
        self.blocked = np.zeros(len(self.w), dtype=bool)  # columns that depend on those in S
        # Where columns of S depend on one another, G_SS has no inverse, and w is one of many
        # optima. Another optimum with fewer weights does as well: each slide takes one
        # away, or adds a row to I.
        while len(self.support) and (z := self._null()) is not None:
            self._slide(z)

    def _build(self):
        """Sum G anew from the rows of I."""
        self.G, r = np.zeros((len(self.w), len(self.w))), np.zeros(len(self.w))
        rows = np.flatnonzero(self.active)
        self.design.add_gram(self.G, r, rows, self.columns, self.weights, self.y)
        self.pending: list[tuple[np.ndarray, float]] = []  # (a_i, ±s_i) that G does not have yet
        self.built_at = len(self.log.lam)  # the number of events by then

    def _null(self):
        """z on S with G_SS z = 0, if columns of S depend on one another on the rows of I."""
        # The eigenvalues of G_SS itself would tell a small column from a dependent one badly: all
        # columns are first brought to length 1, and z is scaled back.
        G = self._symmetric(self.support)
        scale = np.sqrt(G.diagonal())
        values, vectors = np.linalg.eigh(G / np.outer(scale, scale))
        return vectors[:, 0] / scale if values[0] <= DEPENDENT else None

    def _slide(self, z):
        """Move w along z, which changes neither ‖w‖₁ nor the loss, until a weight is 0.

        The move ends before that where the margin of a row outside I falls to 1. The row then
        joins I, and z changes the loss from there on.
        """
        # Of the two ways along z, one on which some weight shrinks.
        S = self.support
        step = np.zeros(len(self.w))
        step[S] = z if (self.w[S] * z < 0).any() else -z
        # The first weight that is 0, and how far away that is.
        back = np.flatnonzero(self.w * step < 0)
        delta = self.w[back] / -step[back]
        length, first = delta.min(), back[delta.argmin()]
        # The margins in I stand still. The others move, by m + δ·speed: which falls to 1 first?
        margins, speed = self.y * self.design.dot(self.full(np.array([self.w, step])))
        out = (self.weights > 0) & ~self.active & (speed < -STILL * np.abs(speed).max())
        reach = np.divide(1.0 - margins, speed, out=np.full(len(speed), np.inf), where=out)
        row = int(reach.argmin())
        if reach[row] < length:
            self.w += max(reach[row], 0.0) * step
            self._count_row(row)
        else:
            self.w += length * step
            self.w[first] = self.sign[first] = 0.0
            self.support = np.flatnonzero(self.w)

    def _count_row(self, row):
        """Add a row to I and G."""
        self.active[row] = True
        a = self.design.dense(np.array([row]), self.columns)
        add_gram(self.G, np.sqrt(self.weights[row]) * a, 1.0)

    def _restart(self, lam):
        """Begin the path anew at the solver's optimum, a little further on."""
        # At λ itself the solver would find the same knot of events that rounding has lost. So
        # the new path begins a little below; further below where the last restart led nowhere.
        self.log.restarts += 1
        before, active = self.sign, self.active
        again = len(self.log.lam) == self.events_at_restart
        self.left_out = 10.0 * self.left_out if again else RESTART
        if self.left_out > MOST_LEFT_OUT:
            raise ArithmeticError(
                f"The path is lost at C = {0.5 / self.lam}: rows or columns all but depend on one"
                " another. A C_max below it would do."
            )
        self.lam = max(self.lam * (1.0 - self.left_out), lam)
        C = 0.5 / self.lam
        solver = solver_from(self.design, self.y, self.weights, self.full(self.w))
        solver.solve(C, MOST_STEPS)
        solver.polish(C, MOST_STEPS)
        self._begin(solver.w)
        # Between the two points events are unknown, in number and order. What differs between the
        # two states is logged, all at the new λ: whoever replays the log ends in the right state.
        for j in np.flatnonzero((before != 0) & (self.sign != before)):
            self._write(LEAVES, self.columns[j])
        for j in np.flatnonzero((self.sign != 0) & (self.sign != before)):
            self._write(ENTERS, self.columns[j], self.sign[j])
        for i in np.flatnonzero(self.active != active):
            self._write(ROW_IN if self.active[i] else ROW_OUT, i)
        self.events_at_restart = len(self.log.lam)

    def _write(self, kind, index, sign=0):
        self.log.lam.append(self.lam)
        self.log.kind.append(kind)
        self.log.index.append(int(index))
        self.log.sign.append(int(sign))

    # ------------------------------------------------------------------ what is computed anew

    def _refresh(self):
        """Compute margins, the pull and the inverse from the data; choose the margins to watch."""
        if self.active.sum() * len(self.w) ** 2 <= CHEAP and self.built_at < len(self.log.lam):
            self._build()
        self._add_pending()
        self._invert()
        # Margins and speeds of all n rows, in one product with X. From here to the next refresh
        # only the few margins that are watched are known.
        d = self._direction()[0]
        margins, speeds = self.y * self.design.dot(self.full(np.array([self.w, d])))
        astray = (self.weights > 0) & (self.active != (margins < 1.0))
        b = np.where(self.active, 1.0 - margins, 0.0)
        self.pull = self.design.transpose_dot(self.weights * self.y * b)[self.columns]
        # At the optimum v_S = λσ. The difference is rounding: where there is much of it, G has
        # gathered it, and everything is computed once more from a new G.
        S = self.support
        left = self.pull[S] - self.lam * self.sign[S]
        if np.abs(left).max(initial=0.0) > DRIFT * self.lam and self.built_at < len(self.log.lam):
            self._build()
            self._refresh()
            return
        # One Newton step takes the rounding out of w.
        step = np.zeros(len(self.w))
        step[S] = symmetric_dot(self.inverse, left)
        self.w += step
        self.pull -= symmetric_dot(self.G, step)
        self.pull[S] = self.lam * self.sign[S]
        # More than rounding: an event was missed.
        if (
            (np.abs(1.0 - margins[astray]) > OFF).any()
            or np.abs(left).max(initial=0.0) > OFF * self.lam
            or np.abs(self.pull).max() > (1.0 + OFF) * self.lam
            or (self.w[S] * self.sign[S] < -OFF).any()
        ):
            raise Lost
        self._watch(margins, speeds, d)

    def _invert(self):
        """The inverse H = G_SS⁻¹, by its lower triangle."""
        k = len(self.support)
        L = self._symmetric(self.support)
        smallest = DEPENDENT * 1e-3 * L.diagonal()
        if k and (not cholesky(L) or (L.diagonal() ** 2 <= smallest).any()):
            raise Lost
        self.inverse = np.zeros((k, k))
        if k:
            half = half_solve(L, np.eye(k))  # rows L⁻¹e: (L⁻¹)ᵀ
            add_gram(self.inverse, half.T, 1.0)

    def _symmetric(self, S):
        """G_SS, both triangles."""
        part = self.G[np.ix_(S, S)]
        other = self.G.T[np.ix_(S, S)]
        return np.where(S[:, None] >= S[None, :], part, other)

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

    def _watch(self, margins, speeds, d):
        """Choose the margins of which an event may come before the next refresh.

        Sets ``near_rows`` (k,), their margins ``m`` (k,), their a_i on the columns ``some`` as
        ``B`` (k, |some|); ``train_at`` and ``scored_at``, the places in these of the rows that
        cross 1, and 0; ``radius``; and the line of w that the bound starts from: ``origin`` and
        ``way``, with how much of it is gone (``since``) and how much there is (``ahead``).
        """
        # Only weights in S move, and those that enter. Columns with |v_j| far below λ cannot enter
        # soon: with them left out the norms, hence the bound, are smaller.
        self.there = (self.sign != 0) | (np.abs(self.pull) > ENTERING_PULL * self.lam)
        self.some = np.flatnonzero(self.there)
        # As long as d stays, a margin is on a straight line from now to the horizon. Its distance
        # to its level is then 0 if the ends lie on both sides, else that of the nearer end.
        first = margins[self.rows] - self.levels
        last = first + self.horizon * self.lam * speeds[self.rows]
        distance = np.where(first * last <= 0, 0.0, np.minimum(np.abs(first), np.abs(last)))
        # But events turn d. When w has left its line by a distance e, m_i has left its own by at
        # most e·‖x̃_i‖. So w must leave it by distance / ‖x̃_i‖ before m_i can be at its level.
        norms = self._norms(self.some)[self.rows]
        moves = norms > 0
        distance = np.divide(distance, norms, out=np.full(len(norms), np.inf), where=moves)
        # The nearest are watched. The nearest of the others says how far w may leave its line.
        self.radius = np.inf
        near = np.arange(len(distance))
        watched = self.watched + np.count_nonzero(distance == 0)  # which cross before the horizon
        if len(distance) > watched:
            order = np.argpartition(distance, watched)
            near = order[:watched]
            self.radius = distance[order[watched]]
        # A row that is near both of its levels stands in B once.
        rows, at = np.unique(self.rows[near], return_inverse=True)
        self.near_rows = rows
        self.B = self.design.dense(rows, self.columns[self.some])
        self.B *= self.y[rows, None]
        self.m = margins[rows]
        self.still = STILL * self.design.row_norms[rows]  # times ‖d‖∞: a speed up to this is none
        of_one = self.levels[near] == 1.0
        self.train_at, self.scored_at = at[of_one], at[~of_one]
        self.origin, self.way = self.w.copy(), d
        self.since, self.ahead = 0.0, self.horizon * self.lam

    # ------------------------------------------------------------------ from event to event

    def _until(self, lam):
        """Take event after event until λ is ``lam`` or a refresh is due."""
        idle = 0  # steps of length 0 in a row
        before = len(self.log.lam)
        while True:
            # The piece: how fast w, the pull and the margins that are watched move while λ falls.
            d, pull_speed = self._direction()
            margin_speed = self.B @ d[self.some]
            # It ends at the next event, at the end of the path, at the horizon, or where a margin
            # that nobody watches could be at its level, whichever comes first.
            delta, event = self._next(d, pull_speed, margin_speed)
            rest, ahead = self.lam - lam, self.ahead - self.since
            reach = self._reach(d, min(delta, rest, ahead))
            length = min(delta, rest, ahead, reach)
            self._advance(length, d, pull_speed, margin_speed)
            if length == rest:
                self.lam = lam
                return
            # At the horizon, and where the bound is used up, the event is not there yet: all
            # margins must be known first. After many events the rounding calls for that.
            events = len(self.log.lam) - before
            if length in (ahead, reach) or events >= MANY_EVENTS:
                self._plan(length == reach, length == ahead, events)
                return
            # Events at the same λ are taken one by one, by steps of length 0. In exact arithmetic
            # none comes twice: so many of them mean that rounding makes them come again and again.
            idle = idle + 1 if length <= 1e-15 * self.lam else 0
            if idle > MOST_AT_ONCE + len(self.support):
                raise Lost
            # A column that did not seem near has entered: B and the norms lack it.
            self._take(*event)
            if event[0] == ENTERS and not self.there[event[1]]:
                return

    def _plan(self, too_far, too_near, events):
        """How far to look ahead the next time, and at how many margins."""
        self.horizon *= SHORTER if too_far else LONGER if too_near else 1.0
        self.horizon = min(self.horizon, LONGEST_HORIZON)
        if too_far and events <= FEW_EVENTS:
            self.watched = min(2 * self.watched, MOST_WATCHED)
        elif events >= MANY_EVENTS:
            self.watched = max(WATCHED, self.watched // 2)

    def _direction(self):
        """dw/dδ and dv/dδ, each of shape (q,); the rounding that H has gathered is refined away."""
        # d = H σ would do, had not each event added its rounding to H. A new inverse would cost
        # |S|³; that G_SS d = σ can be seen, and corrected, for a few products.
        S, d = self.support, np.zeros(len(self.w))
        left = self.sign[S]
        pull_speed = np.zeros(len(self.w))
        for _ in range(REFINEMENTS):
            step = np.zeros(len(self.w))
            step[S] = symmetric_dot(self.inverse, left)
            d += step
            pull_speed -= self._gram_dot(step)
            left = self.sign[S] + pull_speed[S]
            if np.abs(left).max(initial=0.0) <= RESIDUAL:
                break
        pull_speed[S] = -self.sign[S]
        return d, pull_speed

    def _gram_dot(self, x):
        """Gx, the pending rows included."""
        product = symmetric_dot(self.G, x)
        if self.pending:
            rows = np.array([row for row, _ in self.pending])
            product += (rows @ x * [s for _, s in self.pending]) @ rows
        return product

    def _reach(self, d, most):
        """δ until the bound of the margins that are not watched is used up, if below ``most``."""
        if self.radius == np.inf:
            return np.inf
        # w is ``off`` its line now, and ‖off + δ·turn‖ after δ: where that is the radius is the
        # root of a quadratic in δ.
        off, turn = self.w - self.origin - self.since * self.way, d - self.way
        square, half, constant = turn @ turn, off @ turn, off @ off - self.radius**2
        if constant >= 0:
            return 0.0
        if square * most**2 + 2.0 * half * most + constant <= 0:
            return np.inf
        root = np.sqrt(max(half * half - square * constant, 0.0))
        return -constant / (half + root)  # the larger root, without cancelling

    def _next(self, d, pull_speed, margin_speed):
        """δ of the next event, and what it is."""
        best, event = np.inf, ("", 0, 0.0)
        S = self.support
        # a weight reaches 0
        back = np.flatnonzero(d[S] * self.sign[S] < 0)
        if len(back):
            delta = np.maximum(self.w[S[back]] / -d[S[back]], 0.0)
            k = delta.argmin()
            if delta[k] < best:
                best, event = delta[k], (LEAVES, back[k], 0.0)
        # |v_j| reaches λ
        out = (self.sign == 0) & ~self.blocked
        for sign in (1.0, -1.0):
            closing = 1.0 + sign * pull_speed
            open_ = np.flatnonzero(out & (closing > CLOSING))
            if len(open_):
                delta = np.maximum(self.lam - sign * self.pull[open_], 0.0) / closing[open_]
                k = delta.argmin()
                if delta[k] < best:
                    best, event = delta[k], (ENTERS, open_[k], sign)
        # a margin reaches 1
        at = self.train_at
        speed, left = margin_speed[at], 1.0 - self.m[at]
        inside = self.active[self.near_rows[at]]
        moving = np.flatnonzero(np.where(inside, speed, -speed) > self.still[at] * np.abs(d).max())
        if len(moving):
            delta = np.maximum(left[moving] / speed[moving], 0.0)
            k = delta.argmin()
            if delta[k] < best:
                i = at[moving[k]]
                best, event = delta[k], (ROW_OUT if inside[moving[k]] else ROW_IN, i, 0.0)
        return best, event

    def _advance(self, delta, d, pull_speed, margin_speed):
        """Move everything along the piece by ``delta``, and log the scores that turn on it."""
        before = self.m[self.scored_at]
        self.m += delta * margin_speed
        after = self.m[self.scored_at]
        rows = self.near_rows[self.scored_at]
        turned = np.flatnonzero(self.positive[rows] != (after * self.y[rows] > 0))
        for k in turned:
            speed = margin_speed[self.scored_at[k]]
            at = min(max(-before[k] / speed, 0.0), delta) if speed else 0.0
            self.log.flips.append((self.lam - at, int(rows[k])))
            self.positive[rows[k]] ^= True
        self.w += delta * d
        self.pull += delta * pull_speed
        self.since += delta
        self.lam -= delta
        if self.visit:
            self.visit(self.lam, self.w)

    def _take(self, kind, k, sign):
        """Take the event of k: a row's place among those watched, for LEAVES a place in S."""
        if kind == LEAVES:
            # The inverse of G_SS without a row and column is H without them, less an outer product.
            j = self.support[k]
            self._write(kind, self.columns[j])
            self.w[j] = self.sign[j] = 0.0
            column = self._of_inverse(k)
            others = np.arange(len(self.support)) != k
            self.inverse = self.inverse[np.ix_(others, others)]
            self.support = self.support[others]
            if len(self.support):
                add_gram(self.inverse, column[others][None] / np.sqrt(column[k]), -1.0)
        elif kind == ENTERS:
            if not self._enter(k, sign):
                self.blocked[k] = True  # as long as nothing else changes
                return
            self._write(kind, self.columns[k], sign)
        else:
            row = self.near_rows[k]
            self._write(kind, row)
            self._change_row(k, row, 1.0 if kind == ROW_IN else -1.0)
        self.blocked = np.zeros(len(self.w), dtype=bool)

    def _of_inverse(self, k):
        """The k-th column of H."""
        return np.concatenate([self.inverse[k, :k], self.inverse[k:, k]])

    def _of_gram(self, j):
        """The j-th column of G."""
        column = np.concatenate([self.G[j, :j], self.G[j:, j]])
        for row, s in self.pending:
            column += s * row[j] * row
        return column

    def _enter(self, j, sign):
        """The j-th column enters S; False if it depends on those that are there."""
        # The columns of S, in these shares, come nearest to column j. What they leave of its square
        # is ``rest``.
        S, k = self.support, len(self.support)
        column = self._of_gram(j)
        shares = symmetric_dot(self.inverse, column[S])
        rest = column[j] - column[S] @ shares
        if rest <= DEPENDENT * column[j]:
            return False
        # The inverse grows by one row (a Schur complement): with z the shares, it becomes
        # [H + zzᵀ/rest, −z/rest; −zᵀ/rest, 1/rest].
        inverse = np.zeros((k + 1, k + 1))
        inverse[:k, :k] = self.inverse
        inverse[k, k] = 1.0 / rest
        inverse[k, :k] = -shares / rest
        if k:
            part = np.ascontiguousarray(inverse[:k, :k])
            add_gram(part, shares[None] / np.sqrt(rest), 1.0)
            inverse[:k, :k] = part
        self.inverse, self.support = inverse, np.append(S, j)
        self.w[j], self.sign[j] = 0.0, sign
        self.pull[j] = sign * self.lam
        return True

    def _change_row(self, k, row, change):
        """A row enters I (change 1) or leaves it (−1)."""
        # G_SS changes by ± s a aᵀ, so its inverse by ∓ s z zᵀ / rest with z = H a (Sherman and
        # Morrison). Where ``rest`` is 0, G_SS is singular without the row.
        s = self.weights[row]
        a = self.y[row] * self.design.dense(np.array([row]), self.columns)[0]
        part = a[self.support]
        solved = symmetric_dot(self.inverse, part)
        rest = 1.0 + change * s * (part @ solved)
        if rest <= DEPENDENT:
            raise Lost
        if len(solved):
            add_gram(self.inverse, solved[None] * np.sqrt(s / rest), -change)
        self.active[row] = change > 0
        self.m[k] = 1.0
        self.pending.append((a, change * s))
        if len(self.pending) >= PENDING:
            self._add_pending()

    def _add_pending(self):
        """Add to G the rows that wait: those that enter, then, subtracted, those that leave."""
        for change in (1.0, -1.0):
            rows = [np.sqrt(abs(s)) * row for row, s in self.pending if s * change > 0]
            if rows:
                add_gram(self.G, np.array(rows), change)
        self.pending = []
