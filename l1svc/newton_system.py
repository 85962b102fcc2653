"""The linear system of a Newton step on wide data, by the shorter of two ways.

Conjugate gradients need two products with the rows for each of their steps; Cholesky needs the Gram
matrix and its factor. Which takes less time is told from the number of entries.
"""

import numpy as np
import scipy.sparse as sp

from . import blas
from .design import BLOCK_ROWS

FORCING = 0.03  # the residual at which conjugate gradients end, over the right-hand side
# Conjugate gradients may take CG_SHARE of Cholesky's time, and MAX_CG_STEPS steps.
CG_SHARE, MAX_CG_STEPS = 1.0, 2000
SMALL_DENSE = 400_000  # the largest number of entries, zeros too, to work with as a dense matrix
SMALL_SUPPORT = 100  # the largest support for which Cholesky takes hardly any time
LEAST_DAMPING = 1e-12  # the least μ that is not 0
MAX_FACTOR = 8192  # the largest support for which Cholesky has the memory

# The seconds that each part of a step takes for each number it processes. They tell which of two
# ways to the same end is shorter: constants, not measured, so that every machine goes the same way.
DENSE_GRAM, SPARSE_GRAM, SPARSE_FILL, CHOLESKY = 2e-11, 3e-9, 2e-9, 1.1e-11
DENSE_PRODUCT, SPARSE_PRODUCT, CALL = 7e-10, 2.5e-9, 3e-5


class NewtonSystem:
    """(G + μ diag G) d = rhs, G = Σ_{i∈rows} s_i a_i a_iᵀ.

    Parameters
    ----------
    A : float64 CSC matrix or ndarray of shape (n, k)
    rows : int ndarray
    weights : float64 ndarray of shape (n,)
        s.
    damping : float
        μ.
    """

    def __init__(self, A, rows: np.ndarray, weights: np.ndarray, damping: float) -> None:
        # SciPy takes longer to pick rows of a small sparse matrix than NumPy to multiply all of it.
        if sp.issparse(A) and A.shape[0] * A.shape[1] <= SMALL_DENSE:
            A = A.toarray()
        self.sparse = sp.issparse(A)
        self.B = scaled_rows(A, rows, np.sqrt(weights[rows]))
        if self.sparse:
            squares = self.B.copy()
            squares.data **= 2
            self.diagonal = squares.T @ np.ones(self.B.shape[0])
        else:
            self.diagonal = np.einsum("ij,ij->j", self.B, self.B)
        self.diagonal[self.diagonal == 0] = 1.0  # of a column that no row in I has
        self.ridge = damping * self.diagonal

    def solve(self, rhs: np.ndarray, w: np.ndarray, slack: float) -> np.ndarray:
        """d, its residual below FORCING·‖rhs‖∞, or near ``slack``; to rounding where by Cholesky.

        By Cholesky, too, coordinates whose sign is another in w + d than in w are held at zero.
        """
        # One step of conjugate gradients is two products with B (|I|, k); Cholesky costs B's Gram
        # matrix and k³. How many steps fit into Cholesky's time is the number that are tried.
        k = len(rhs)
        nonzero = self.B.nnz if self.sparse else self.B.size
        product = CALL + (SPARSE_PRODUCT if self.sparse else DENSE_PRODUCT) * nonzero
        steps = int(min(CG_SHARE * self._cholesky_seconds() / product, MAX_CG_STEPS))
        if k > SMALL_SUPPORT and steps:
            goal = max(FORCING * np.abs(rhs).max(), 0.3 * slack)
            d, residual = self._conjugate_gradients(rhs, goal, steps)
            if residual <= goal or k > MAX_FACTOR:
                return d
        return self._by_cholesky(rhs, w)

    def _cholesky_seconds(self):
        return min(self._gram_seconds()) + CHOLESKY * len(self.diagonal) ** 3

    def _gram_seconds(self):
        """Of G, by its entries and by dense blocks."""
        n, k = self.B.shape
        dense = DENSE_GRAM * n * k**2
        if not self.sparse:
            return np.inf, dense
        in_row = np.bincount(self.B.indices, minlength=n).astype(float)
        return SPARSE_GRAM * in_row @ in_row + SPARSE_FILL * k**2, dense

    def _conjugate_gradients(self, rhs, goal, max_steps):
        """d and ‖residual‖∞, which is below ``goal`` if so many steps lead there."""
        diagonal = self.diagonal + self.ridge  # the preconditioner
        d, residual = np.zeros_like(rhs), rhs.copy()
        scaled = residual / diagonal
        direction, square = scaled, residual @ scaled
        for _ in range(max_steps):
            product = self.B.T @ (self.B @ direction) + self.ridge * direction
            length = square / (direction @ product)
            d += length * direction
            residual -= length * product
            if np.abs(residual).max() <= goal:
                break
            scaled = residual / diagonal
            square, before = residual @ scaled, square
            direction = scaled + square / before * direction
        return d, np.abs(residual).max()

    def _by_cholesky(self, rhs, w):
        L = self._factor()
        half = blas.half_solve(L, rhs)
        d = blas.back_solve(L, half)
        # Weights that would change their sign are to end at 0: w + d = 0 there. That bends the
        # other coordinates' step as well, by one multiplier for each such weight (a Schur
        # complement of the factor at hand). To set them to 0 afterwards would spoil the step.
        wrong = np.flatnonzero((w + d) * w < 0)
        if len(wrong):
            units = np.zeros((len(wrong), len(w)))
            units[np.arange(len(wrong)), wrong] = 1.0
            V = blas.half_solve(L, units)
            to_zero = blas.back_solve(L, half - np.linalg.solve(V @ V.T, V @ half + w[wrong]) @ V)
            to_zero[wrong] = -w[wrong]
            if rhs @ to_zero > 0:
                return to_zero
        return d

    def _factor(self):
        """The Cholesky factor of G + μ diag G; μ rises until there is one."""
        ridge = self.ridge
        while True:
            L = self._gram()
            L[np.diag_indices(len(L))] += ridge
            if blas.cholesky(L):
                return L
            ridge = np.maximum(100.0 * ridge, LEAST_DAMPING * self.diagonal)

    def _gram(self):
        """G, by its lower triangle."""
        n, k = self.B.shape
        by_entries, by_blocks = self._gram_seconds()
        G = np.zeros((k, k))
        if not self.sparse:
            blas.add_gram(G, self.B, 1.0)
        elif by_entries < by_blocks:
            by_rows, transposed = self.B.tocsr(), self.B.T
            for start in range(0, k, BLOCK_ROWS):
                block = slice(start, start + BLOCK_ROWS)
                G[block] = (transposed[block] @ by_rows).toarray()
        else:
            by_rows = self.B.tocsr()
            for start in range(0, n, BLOCK_ROWS):
                blas.add_gram(G, by_rows[start : start + BLOCK_ROWS].toarray(), 1.0)
        return G


def scaled_rows(A, rows, scale):
    """A[rows] with each row times its ``scale``, a new matrix of A's form."""
    if sp.issparse(A) and len(rows) == A.shape[0] and (scale == 1.0).all():
        return A.copy()
    B = A[rows]
    if sp.issparse(B):
        B.data *= scale[B.indices]
        return B
    return np.asfortranarray(B * scale[:, None])
