"""The same problem with more columns than a Gram matrix holds: F(w) = λ‖w‖₁ + ½ Σ_i s_i b_i².

Here b_i = max(0, 1 − m_i), m_i = a_iᵀw, a_i = y_i x̃_i, λ = 1/(2C), and I = {i : m_i < 1}.

C rises by factors of at most RUNG_FACTOR, each time to a gap of RUNG_GAP. At each C a working set
of columns is chosen, the support S and those whose pull |Σ_i s_i b_i a_i|_j is near λ or above
it, and F is minimised on the working set by two kinds of steps:

1. Coordinate descent on the Lasso that F is while I does not change, where zeros violate
   |pull|_j ≤ λ: it finds which columns are in the support.
2. Newton steps on S, whose signs are σ: (G + μ diag G) d = pull_S − λσ, G = Σ_{i∈I} s_i a_i a_iᵀ on
   S, by conjugate gradients, or by Cholesky where that is cheaper. Coordinates that change their
   sign on the way stay at zero. μ (Levenberg, Marquardt) grows where steps are short.

Then the duality gap is computed over all columns, and the working set chosen anew. What is kept are
entries of X by columns (of a dense X the working set's), and for Cholesky one matrix of S × S.

References
----------
G.-X. Yuan, C.-H. Ho, C.-J. Lin, "An improved GLMNET for l1-regularized logistic regression",
JMLR 13, 2012 (coordinate descent inside Newton). D. P. Bertsekas, "Projected Newton methods for
optimization problems with simple constraints", SIAM J. Control and Optimization 20, 1982.
D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11,
1963. R. S. Dembo, S. C. Eisenstat, T. Steihaug, "Inexact Newton methods", SIAM J. Numerical
Analysis 19, 1982.
"""

import copy
import threading
import warnings
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from .design import compressed
from .newton_system import LEAST_DAMPING, NewtonSystem, scaled_rows
from .problem import Problem
from .refine import refined_weights

GAP = 1e-10  # the relative duality gap to which each C is solved
POLISHED_GAP = 1e-12  # the gap that a polish aims at
# A C on the way up is solved to a gap of RUNG_GAP, or to RUNG_SHARE of its first gap if less.
RUNG_GAP, RUNG_SHARE = 0.3, 0.5
# The way up begins at FIRST_C_RATIO times the largest C that leaves w = 0, and C rises by
# RUNG_FACTOR at most from one value to the next.
FIRST_C_RATIO, RUNG_FACTOR = 20.0, 2.0
POLISH_STEPS = 4  # the steps of a polish that is not thorough
REFINED_ENTRIES = 1_000_000  # the largest number of the support's entries to refine: a second
# A descent ends after STALLED_ROUNDS rounds without progress: what is left is rounding. Progress
# is a fall of F by PROGRESS of itself.
STALLED_ROUNDS, PROGRESS = 3, 1e-13
ENTERING_PULL = 0.7  # the least |pull| / λ of a column that enters the working set
WORKING_SET = 500  # the most columns of the working set, or twice the support's if more
# F is minimised on the working set until the violation there is OUTSIDE_SHARE of the violation
# outside, or BEGINNING_SHARE of the first violation there.
OUTSIDE_SHARE, BEGINNING_SHARE = 0.2, 0.1
EPOCHS = 20  # passes that coordinate descent makes over the working set in its turn
NEWTON_STEPS = 6  # Newton steps in their turn
# A step must bring ARMIJO of the linear decrease. Where it does not, its length is multiplied by
# SHORTER, MAX_SHORTER times at most.
ARMIJO, SHORTER, MAX_SHORTER = 1e-4, 0.4, 30
# μ begins at FIRST_DAMPING and stays from LEAST_DAMPING to MOST_DAMPING. It is divided by
# DAMPING_FALL after a full step, else multiplied: by SHORT_RISE after a step up to SHORT_STEP
# long, by DAMPING_RISE after a longer one.
FIRST_DAMPING, MOST_DAMPING, DAMPING_FALL = 1e-6, 1e3, 20.0
DAMPING_RISE, SHORT_STEP, SHORT_RISE = 8.0, 0.1, 100.0


class WideSolver:
    """One binary problem, with the state that carries over to a next C or a subset of the rows.

    The parameters and attributes are those of :class:`l1svc.newton.NewtonSolver`; ``n_iter``
    counts Newton steps and turns of coordinate descent.
    """

    def __init__(self, problem: Problem, w: np.ndarray | None = None) -> None:
        self._pose(problem)
        self.n_iter = 0
        design = problem.design
        self.entries = None if design.entries is None else _by_columns(design, problem.y)
        self.restart(np.zeros(design.shape[1]) if w is None else w)

    def restart(self, w: np.ndarray) -> None:
        """Continue from w."""
        self.w = w
        self.margins = self.y * self.design.dot(w)
        self.C: float | None = None  # at which w is near the optimum, if that is known

    def reweighted(self, weights: np.ndarray) -> "WideSolver":
        """A copy of this solver, at the same w, for other weights of the rows."""
        other = copy.copy(self)
        other._pose(replace(self.problem, weights=weights))
        other.n_iter = 0
        return other

    def approach(self, C: float, max_iter: int) -> None:
        """Move ``w`` near the optimum at C: to a relative gap of RUNG_GAP."""
        self._rise(C, RUNG_GAP, self.n_iter + max_iter)

    def solve(self, C: float, max_iter: int) -> None:
        """Move ``w`` to the optimum at C, by at most ``max_iter`` steps."""
        self._rise(C, GAP, self.n_iter + max_iter)

    def polish(self, C: float, max_iter: int, thorough: bool = False) -> None:
        """A few steps more, from margins computed afresh.

        ``thorough``: as many steps as help; then a small support is refined, with residuals that
        are right however far apart the columns are.
        """
        lam, limit = 0.5 / C, self.n_iter + max_iter
        self._descend(lam, POLISHED_GAP, min(limit, self.n_iter + POLISH_STEPS))
        if thorough:
            self._descend(lam, POLISHED_GAP, limit)
            w = refined_weights(self, lam, most=REFINED_ENTRIES)
            if w is not None:
                self.restart(w)

    def _pose(self, problem: Problem) -> None:
        self.problem = problem
        self.design, self.y, self.weights = problem.design, problem.y, problem.weights
        self.train = problem.weights > 0

    def _rise(self, C, gap, limit):
        """Descend at each C on the way up to this one, and at this one to ``gap``."""
        # From w = 0 at a large C every row counts and many columns enter, only to leave again. At
        # a small C few do, and each C's support is near that of the next.
        first = self.C
        if first is None:
            lowest = 0.5 / max(
                np.abs(self.design.transpose_dot(self.weights * self.y)).max(), 1e-300
            )
            first = C if self.w.any() else min(C, FIRST_C_RATIO * lowest)
        steps = max(int(np.ceil(np.log(C / first) / np.log(RUNG_FACTOR))), 0)
        fresh = self.C is None
        for rung in np.geomspace(first, C, steps + 1)[0 if fresh else 1 : -1]:
            self._descend(0.5 / rung, RUNG_GAP, limit, RUNG_SHARE)
        self._descend(0.5 / C, gap, limit)
        self.C = C

    def _descend(self, lam, goal, limit, share=None):
        """Move w to a relative duality gap of ``goal``, as far as ``limit`` and rounding let it.

        To ``share`` of the gap at the beginning, if one is given and that is less.
        """
        self.damping = FIRST_DAMPING
        progress = Progress()
        while True:
            # Margins (n,) and pull (p + 1,): the two products of a round with all of X. The gap
            # follows from them, and bounds how far F is from its minimum.
            self.margins = self.y * self.design.dot(self.w)
            pull = self._pull()
            gap = self._gap(lam, pull)
            if share is not None:
                goal, share = min(goal, share * gap), None
            # The goal may be beyond what doubles can reach. So a descent also ends where neither
            # the gap nor F falls any more: to wait for the goal would be to wait for ever.
            if progress.ended(gap, self._value(lam, self.w)) or gap <= goal or self.n_iter >= limit:
                return
            # Most columns have weight 0 and stay there: the work is done without them.
            columns, outside = self._working_set(lam, np.abs(pull))
            self._descend_on(columns, outside, lam, goal, limit)

    def _pull(self):
        return self.design.transpose_dot(self.weights * self.y * self._b())

    def _b(self):
        return np.maximum(1.0 - self.margins, 0.0)

    def _value(self, lam, w):
        return lam * np.abs(w).sum() + 0.5 * self.weights @ self._b() ** 2

    def _gap(self, lam, pull):
        """The relative duality gap (:func:`l1svc.objective.certify`, divided by 2C)."""
        loss = 0.5 * self.weights @ self._b() ** 2
        t = lam / max(lam, np.abs(pull).max())
        slack = np.maximum(lam * np.abs(self.w) - t * self.w * pull, 0.0).sum()
        return (slack + (1.0 - t) ** 2 * loss) / self._value(lam, self.w)

    def _working_set(self, lam, pull):
        """The columns to work on, ascending, and the largest violation of the others."""
        # A column belongs there at once where |pull| > λ. Those just below are taken as well: they
        # would soon be above, and a new working set costs two products with X.
        support = np.flatnonzero(self.w)
        pull[support] = 0.0
        entering = np.flatnonzero(pull > ENTERING_PULL * lam)
        # At most as many as there is room for, the largest first: with all of them, where w is far
        # from the optimum, the steps would be on thousands of columns, most of them for nothing.
        room = max(WORKING_SET - len(support), len(support))
        if len(entering) > room:
            entering = entering[np.argpartition(-pull[entering], room)[:room]]
        # What is left is the violation that this round does not look at.
        pull[entering] = 0.0
        chosen = self.w != 0
        chosen[entering] = True
        return np.flatnonzero(chosen), max(pull.max() - lam, 0.0)

    def _descend_on(self, columns, outside, lam, goal, limit):
        """Minimise F on ``columns``, until the violation there is small beside what is known."""
        A, w = self._columns(columns), self.w[columns]  # (n, k) and (k,)
        slack = None
        progress = Progress()
        while True:
            # At the minimum here a weight has pull = λ sign w, or it is 0 and has |pull| ≤ λ.
            pull = A.T @ (self.weights * self._b())
            zero = w == 0
            violation = np.where(zero, np.abs(pull) - lam, np.abs(pull - lam * np.sign(w)))
            worst = violation.max()
            # Digits beyond what the columns outside allow would be lost on the next working set.
            if slack is None:
                slack = max(OUTSIDE_SHARE * outside, BEGINNING_SHARE * worst, 0.3 * goal * lam)
            if worst <= slack or self.n_iter >= limit:
                break
            if progress.ended(worst, self._value(lam, w)):
                break
            # Newton's steps leave zeros at 0: coordinate descent finds which of them are none.
            # Coordinate descent alone would take thousands of passes to the last digits.
            if violation[zero].max(initial=0.0) > slack:
                w = self._coordinate_descent(A, w, pull, lam)
            w = self._newton(A, w, lam, slack, limit)
        self.w = np.zeros_like(self.w)
        self.w[columns] = w

    def _columns(self, columns):
        """a_i of all rows on these columns, in CSC form or Fortran order."""
        if self.entries is not None:
            return self.entries[:, columns]
        A = np.empty((len(self.y), len(columns)), order="F")
        bias_at = np.searchsorted(columns, self.design.shape[1] - 1)
        A[:, :bias_at] = self.design.X[:, columns[:bias_at]]
        A[:, bias_at:] = self.design.bias
        A *= self.y[:, None]
        return A

    def _coordinate_descent(self, A, w, pull, lam):
        """Towards the minimum of λ‖w‖₁ + ½ Σ_{i∈I} s_i (1 − a_iᵀw)²."""
        self.n_iter += 1
        rows = np.flatnonzero(self.train & (self.margins < 1.0))
        root = np.sqrt(self.weights[rows])
        with _quiet:
            _, path, _ = enet_path(
                scaled_rows(A, rows, root),
                root,
                l1_ratio=1.0,
                alphas=[lam / len(rows)],
                coef_init=w.copy(),  # which it overwrites
                max_iter=EPOCHS,
                tol=1e-12,
                precompute=False,
                check_input=False,
            )
        step = path[:, 0] - w
        return self._search(A, w, lambda length: w + length * step, pull, lam)[0]

    def _newton(self, A, w, lam, slack, limit):
        """Some Newton steps on the support of w."""
        for _ in range(NEWTON_STEPS):
            support = np.flatnonzero(w)
            part, sign = A[:, support], np.sign(w[support])
            pull = part.T @ (self.weights * self._b())
            rhs = pull - lam * sign
            if self.n_iter >= limit or np.abs(rhs).max(initial=0.0) <= slack:
                break
            self.n_iter += 1
            rows = np.flatnonzero(self.train & (self.margins < 1.0))
            system = NewtonSystem(part, rows, self.weights, self.damping)
            d = system.solve(rhs, w[support], slack)

            def moved(length, start=w[support], sign=sign, d=d):
                point = start + length * d
                return np.where(point * sign > 0, point, 0.0)

            point, length = self._search(part, w[support], moved, pull, lam)
            w = w.copy()
            w[support] = point
            self._adapt_damping(length)
            if not length:
                break
        return w

    def _adapt_damping(self, length):
        factor = DAMPING_RISE if length > SHORT_STEP else SHORT_RISE
        if length == 1.0:
            factor = 1.0 / DAMPING_FALL
        self.damping = min(max(self.damping * factor, LEAST_DAMPING), MOST_DAMPING)

    def _search(self, A, w, moved, pull, lam):
        """The first of ``moved``(1), ``moved``(0.4), … at which F falls enough, and the
        length.

        (w, 0) where there is none. ``margins`` follow. The change of F is a sum of parts that are
        small themselves: its rounding does not hide it near the optimum.
        """
        active = self.train & (self.margins < 1.0)
        length = 1.0
        for _ in range(MAX_SHORTER):
            point = moved(length)
            step = point - w
            move = A @ step
            # F changes by two small parts: a linear one, and half the square of the move on rows of
            # I, corrected where rows cross m_i = 1. The difference of the two values of F would be
            # lost in their rounding.
            sign = np.where(w != 0, np.sign(w), np.sign(point))
            linear = (lam * sign - pull) @ step + 2.0 * lam * np.abs(point[point * sign < 0]).sum()
            left = 1.0 - self.margins - move
            crossed = np.flatnonzero(self.train & (active != (left > 0)))
            across = np.where(active[crossed], -1.0, 1.0) * self.weights[crossed]
            square = self.weights[active] @ move[active] ** 2 + across @ left[crossed] ** 2
            if linear < 0 and linear + 0.5 * square <= ARMIJO * linear:
                self.margins = self.margins + move
                return point, length
            length *= SHORTER
        return w, 0.0


class Progress:
    """Whether a descent still comes forward."""

    def __init__(self) -> None:
        self.error = self.value = np.inf
        self.idle = 0

    def ended(self, error: float, value: float) -> bool:
        """Whether neither ``error`` nor ``value`` has fallen for STALLED_ROUNDS rounds."""
        forward = error < 0.5 * self.error or value < (1.0 - PROGRESS) * self.value
        self.idle = 0 if forward else self.idle + 1
        self.error, self.value = min(self.error, error), min(self.value, value)
        return self.idle >= STALLED_ROUNDS


def _by_columns(design, y):
    """a_i of all rows, in CSC form."""
    # The bias is one more column, at the end: no stack of matrices is made for it.
    columns = design.entries.tocsc()
    added = design.shape[0] if design.bias else 0
    indices = np.append(columns.indices, np.arange(added, dtype=columns.indices.dtype))
    data = np.append(columns.data, np.full(added, design.bias)) * y[indices]
    indptr = np.append(columns.indptr, columns.indptr[-1:] + added)
    return compressed(sp.csc_matrix, design.shape, data, indices, indptr)


class _Quiet:
    """Within it, scikit-learn does not warn that so few epochs do not reach the optimum.

    ``warnings.catch_warnings`` is not for threads: the first one that comes in enters it, the last
    one that goes leaves it.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = 0

    def __enter__(self):
        with self.lock:
            if not self.inside:
                self.caught = warnings.catch_warnings()
                self.caught.__enter__()
                warnings.filterwarnings("ignore", "Objective did not", ConvergenceWarning)
            self.inside += 1

    def __exit__(self, *_):
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.caught.__exit__(None, None, None)


_quiet = _Quiet()
