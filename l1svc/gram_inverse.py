"""The matrix of the exact path and its inverse: G of all columns, and (G_SS)⁻¹ of the support S.

An event changes I by a row, or S by a column. To sum G anew takes |I|·q² products, and to invert
G_SS |S|³. To change both takes q² and |S|² at most. But each change leaves its rounding: from time
to time both are computed anew.
"""

import numpy as np

from .blas import add_gram, cholesky, half_solve, symmetric_dot
from .problem import Problem

PENDING = 32  # the number of rows that are added to G at a time: one BLAS call for all
REFINEMENTS = 4  # the largest number of corrections of a direction d
RESIDUAL = 1e-10  # the largest |G_SS d − σ| that needs no further correction
DEPENDENT = 1e-10  # a column depends on those in S if they leave no more than this of its square


class Lost(ArithmeticError):
    """The state is not that of an optimum any more: rounding has won."""


class GramInverse:
    """G = Σ_{i∈I} s_i a_i a_iᵀ and H = G_SS⁻¹, for I and S that change by one at a time.

    Vectors over columns are of the q columns that are not all zero. Vectors over S, and H, are in
    the order of ``support``.

    Parameters
    ----------
    problem : Problem
    active : bool ndarray of shape (n,)
        I.
    support : int ndarray
        S.

    Attributes
    ----------
    active, support
        As they are now; S in the order of entry.
    G : float64 ndarray of shape (q, q), by its lower triangle
        Without the rows that are pending.
    pending : list of (a_i, ±s_i)
        Rows that have entered I, or left it (−), since they were last added to G.
    inverse : float64 ndarray of shape (k, k), by its lower triangle
        H, the pending rows included.
    """

    def __init__(self, problem: Problem, active: np.ndarray, support: np.ndarray) -> None:
        self.design, self.y, self.weights = problem.design, problem.y, problem.weights
        self.columns = problem.design.used
        self.active, self.support = active, support
        self.build()

    def build(self) -> None:
        """Sum G anew from the rows of I."""
        q = len(self.columns)
        self.G, r = np.zeros((q, q)), np.zeros(q)
        rows = np.flatnonzero(self.active)
        self.design.add_gram(self.G, r, rows, self.columns, self.weights, self.y)
        self.pending: list[tuple[np.ndarray, float]] = []

    def null(self) -> np.ndarray | None:
        """z on S with G_SS z = 0, if columns of S depend on one another on the rows of I."""
        if not len(self.support):
            return None
        # The eigenvalues of G_SS itself would tell a small column from a dependent one badly: all
        # columns are first brought to length 1, and z is scaled back.
        G = self._support_gram()
        scale = np.sqrt(G.diagonal())
        values, vectors = np.linalg.eigh(G / np.outer(scale, scale))
        return vectors[:, 0] / scale if values[0] <= DEPENDENT else None

    def add_row(self, row: int) -> None:
        """A row enters I before H is computed."""
        self.active[row] = True
        a = self.design.dense(np.array([row]), self.columns)
        add_gram(self.G, np.sqrt(self.weights[row]) * a, 1.0)

    def invert(self) -> None:
        """Compute H anew from G."""
        self._add_pending()
        k = len(self.support)
        L = self._support_gram()
        smallest = DEPENDENT * 1e-3 * L.diagonal()
        if k and (not cholesky(L) or (L.diagonal() ** 2 <= smallest).any()):
            raise Lost
        self.inverse = np.zeros((k, k))
        if k:
            half = half_solve(L, np.eye(k))  # rows L⁻¹e: (L⁻¹)ᵀ
            add_gram(self.inverse, half.T, 1.0)

    def _support_gram(self):
        """G_SS, both triangles."""
        S = self.support
        lower, upper = self.G[np.ix_(S, S)], self.G.T[np.ix_(S, S)]
        return np.where(S[:, None] >= S[None, :], lower, upper)

    def direction(self, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """d with d_S = H σ, else 0, and −Gd: each of shape (q,), for the signs (k,) of S."""
        # One product with H would do, had not each event added its rounding to H. A new inverse
        # would cost |S|³; what G_SS d lacks of σ can be seen, and corrected, for a few products.
        S, left = self.support, sign
        d, minus_Gd = np.zeros(len(self.columns)), np.zeros(len(self.columns))
        for _ in range(REFINEMENTS):
            step = self.solve(left)
            d += step
            minus_Gd -= self.dot(step)
            left = sign + minus_Gd[S]
            if np.abs(left).max(initial=0.0) <= RESIDUAL:
                break
        minus_Gd[S] = -sign
        return d, minus_Gd

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x of shape (q,), with x_S = H·rhs and else 0."""
        x = np.zeros(len(self.columns))
        x[self.support] = symmetric_dot(self.inverse, rhs)
        return x

    def dot(self, x: np.ndarray) -> np.ndarray:
        """Gx, the pending rows included."""
        product = symmetric_dot(self.G, x)
        if self.pending:
            rows = np.array([row for row, _ in self.pending])
            product += (rows @ x * [s for _, s in self.pending]) @ rows
        return product

    def _column(self, j):
        """The j-th column of G, the pending rows included."""
        column = np.concatenate([self.G[j, :j], self.G[j:, j]])
        for row, s in self.pending:
            column += s * row[j] * row
        return column

    def enter(self, j: int) -> bool:
        """The j-th column enters S; False if it depends on those that are there."""
        # The columns of S, in these shares, come nearest to column j. What they leave of its square
        # is ``rest``.
        S, k = self.support, len(self.support)
        column = self._column(j)
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
        return True

    def leave(self, k: int) -> None:
        """The k-th column of S leaves it."""
        # Without a row and a column of G_SS, H is what was left of it, less the outer product of
        # its own column, over its diagonal entry.
        column = np.concatenate([self.inverse[k, :k], self.inverse[k:, k]])
        others = np.arange(len(self.support)) != k
        self.inverse = self.inverse[np.ix_(others, others)]
        self.support = self.support[others]
        if len(self.support):
            add_gram(self.inverse, column[others][None] / np.sqrt(column[k]), -1.0)

    def change_row(self, row: int, change: float) -> None:
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
