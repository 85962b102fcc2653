"""The matrix of the exact path, G of all columns, and the factor of G_SS for the support S.

To sum G anew takes |I|·q² products. An event changes I by a row: a block of events changes G by as
many rows at a time. But each change leaves its rounding: from time to time G is summed anew.
"""

from dataclasses import dataclass

import numpy as np

from .blas import back_solve, cholesky, half_solve
from .problem import Problem

DEPENDENT = 1e-10  # a column depends on those in S if they leave no more than this of its square


class Lost(ArithmeticError):
    """The state is not that of an optimum any more: rounding has won."""


@dataclass
class Factor:
    """G, and G_SS = LLᵀ of k columns.

    Attributes
    ----------
    G : float64 ndarray of shape (q, q)
    support : int ndarray of shape (k,)
        S, ascending.
    L : float64 ndarray of shape (k, k), by its lower triangle
    direction : float64 ndarray of shape (k,)
        d_S = G_SS⁻¹σ.
    """

    G: np.ndarray
    support: np.ndarray
    L: np.ndarray
    direction: np.ndarray

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """G_SS⁻¹c of shape (k,), or for each row c of ``rhs``."""
        return solve(self.L, rhs)


def solve(L: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """(LLᵀ)⁻¹c for each row c of ``rhs``, of shape (k,) or (m, k)."""
    return back_solve(L, half_solve(L, rhs)) if rhs.size else rhs


class Gram:
    """G = Σ_{i∈I} s_i a_i a_iᵀ of the q columns that are not all zero.

    Parameters
    ----------
    problem : Problem
    active : bool ndarray of shape (n,)
        I.

    Attributes
    ----------
    G : float64 ndarray of shape (q, q)
    """

    def __init__(self, problem: Problem, active: np.ndarray) -> None:
        self.problem = problem
        self.build(active)

    def build(self, active: np.ndarray) -> None:
        """Sum G anew from the rows of I."""
        problem, columns = self.problem, self.problem.design.used
        q, rows = len(columns), np.flatnonzero(active)
        lower, r = np.zeros((q, q)), np.zeros(q)
        problem.design.add_gram(lower, r, rows, columns, problem.weights, problem.y)
        self.G = np.tril(lower) + np.tril(lower, -1).T

    def add(self, rows: np.ndarray, change: np.ndarray) -> None:
        """Rows (m, q) enter I, each times its ``change`` s_i, or leave it (−s_i)."""
        self.G += (rows.T * change) @ rows

    def null(self, support: np.ndarray) -> np.ndarray | None:
        """z on S with G_SS z = 0, if columns of S depend on one another on the rows of I."""
        if not len(support):
            return None
        # The eigenvalues of G_SS itself would tell a small column from a dependent one badly: all
        # columns are first brought to length 1, and z is scaled back.
        G = self.G[np.ix_(support, support)]
        scale = np.sqrt(G.diagonal())
        values, vectors = np.linalg.eigh(G / np.outer(scale, scale))
        return vectors[:, 0] / scale if values[0] <= DEPENDENT else None

    def factor(self, sign: np.ndarray) -> Factor:
        """The factor of G_SS, for σ of shape (q,), which is 0 outside S."""
        S = np.flatnonzero(sign)
        L = self.G.take(S, axis=0).take(S, axis=1)
        smallest = DEPENDENT * 1e-3 * L.diagonal()
        if len(S) and (not cholesky(L) or (L.diagonal() ** 2 <= smallest).any()):
            raise Lost
        return Factor(self.G, S, L, solve(L, sign[S]))
