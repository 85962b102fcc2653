"""The optimum to the last bit: iterative refinement with residuals free of rounding.

Once the support S, its signs σ and the rows I = {i : m_i < 1} are known, the optimum solves

    Σ_{i∈I} s_i b_i a_i = λσ,    b_i = 1 − a_iᵀw,    a_i = y_i x̃_i on S,    λ = 1/(2C),

a linear system. A solver that sums in double precision leaves an error of about 1e-13, other
digits on every BLAS kernel. Here the residual is summed without error, so that the corrections
w ← w + (Σ_I s_i a_i a_iᵀ)⁻¹ residual end at the doubles next to the optimum, on every machine.

The factors are cut into slices of few bits: products of slices, and their sums, then fit into a
double, in any order, with or without fused multiply-add.

References
----------
J. H. Wilkinson, "Rounding Errors in Algebraic Processes", 1963 (refinement). K. Ozaki, T. Ogita,
S. Oishi, S. M. Rump, "Error-free transformations of matrix multiplication by using fast routines of
matrix multiplication and its applications", Numerical Algorithms 59, 2012 (slices).
"""

from typing import Any

import numpy as np

from .blas import add_gram, back_solve, cholesky, half_solve

BAND = 1e-6  # rows with m_i up to this above 1 are refined too: they may yet be in I
MAX_STEPS = 10  # corrections
DEPENDENT_SHARE = 1e-13  # a column depends on others that leave no more than this of its square
BLOCK_ROWS = 256  # rows worked on at a time: few enough to stay in the processor's cache
KEPT_SIZE = 1_000_000  # the largest matrix whose slices are kept, in 24 MB
SMALLEST_EXPONENT = -1022  # of a double with all its digits
UNIT = 2.0**-53  # the relative error of one operation, at most


def refined_weights(
    solver: Any,
    lam: float,
    gram: np.ndarray | None = None,
    inside: np.ndarray | None = None,
    most: float = np.inf,
) -> np.ndarray | None:
    """The optimum next to ``solver.w``, of shape (p + 1,), or None where :func:`refine` has none.

    Parameters
    ----------
    solver : l1svc.path.Solver with ``margins`` and ``train``
    lam : float
    gram : float64 ndarray of shape (k, k), default=None
        Of the support, over the rows ``inside``, as :func:`refine` has it.
    inside : bool ndarray of shape (n,), default=None
    most : float
        Entries that rows and support may have: None beyond.
    """
    support = np.flatnonzero(solver.w)
    near = np.flatnonzero(solver.train & (solver.margins < 1.0 + BAND))
    if len(near) * len(support) > most:
        return None
    rows = solver.problem.design.dense(near, support)
    rows *= solver.problem.y[near, None]
    known = None if inside is None else inside[near]
    refined = refine(rows, solver.problem.weights[near], lam, solver.w[support], gram, known)
    if refined is None:
        return None
    w = solver.w.copy()
    w[support] = refined
    return w


def refine(
    A: np.ndarray,
    weights: np.ndarray,
    lam: float,
    w: np.ndarray,
    gram: np.ndarray | None = None,
    inside: np.ndarray | None = None,
) -> np.ndarray | None:
    """The optimum next to w, or None where there is no single one nearby.

    Parameters
    ----------
    A : float64 ndarray of shape (n, k)
        Rows a_i, the labels multiplied in: all those with m_i < 1, and those near 1.
    weights : float64 ndarray of shape (n,)
        s.
    lam : float
    w : float64 ndarray of shape (k,)
        Near the optimum; none of it zero.
    gram : float64 ndarray of shape (k, k), default=None
        Σ s_i a_i a_iᵀ over the rows ``inside``, by its lower triangle, where it is known: it need
        not be summed again. Its rounding costs a step, no digit.
    inside : bool ndarray of shape (n,), default=None

    Returns
    -------
    w : float64 ndarray of shape (k,), or None
        None where columns depend on one another.
    """
    if gram is None:
        gram, inside = np.zeros((len(w), len(w))), np.zeros(len(A), dtype=bool)
    support = np.arange(len(w))
    while len(support):
        part = A if len(support) == A.shape[1] else A[:, support]
        G = gram.take(support, axis=0).take(support, axis=1)
        refined = _refine_support(part, weights, lam, w[support], G, inside)
        if refined is None:
            return None
        kept = refined * w[support] > 0
        if kept.all():
            w = np.zeros(len(w))
            w[support] = refined
            return w
        support = support[kept]  # a weight that changes its sign on the last digits is a zero
    return None


def _refine_support(A, weights, lam, w, G, inside):
    """w of shape (k,), none of it held at 0, by corrections until w stands still; or None."""
    target = lam * np.sign(w)
    sliced = Sliced(A)
    L = None
    for _ in range(MAX_STEPS):
        # b + rest is 1 − Aw to twice a double's digits, of shape (n,).
        b, rest = minus(1.0, sliced.dot(w))
        # G follows I. Its rounding, and that of the factor, only makes corrections less right:
        # the next residual sees what is left. So ordinary doubles will do for both.
        if L is None or not np.array_equal(inside, b > 0):
            _add(G, A, weights, np.flatnonzero(~inside & (b > 0)), 1.0)
            _add(G, A, weights, np.flatnonzero(inside & (b <= 0)), -1.0)
            inside = b > 0
            scale = np.where(inside, weights, 0.0)
            L = G.copy()
            smallest = DEPENDENT_SHARE * L.diagonal()
            if not cholesky(L) or (L.diagonal() ** 2 <= smallest).any():
                return None
        # The residual decides the digits of w. Near the optimum it is the small difference of two
        # nearly equal vectors (k,): the sum keeps three parts until the difference is taken.
        parts = sliced.transpose_dot(scale * b)
        parts[2] += (scale * rest) @ A
        residual, _ = minus(target, parts)
        before, w = w, w - back_solve(L, half_solve(L, residual))
        if np.array_equal(before, w):
            break
    return w


def _add(G, A, weights, rows, sign):
    """G += sign·Σ_{i∈rows} s_i a_i a_iᵀ, by its lower triangle."""
    for start in range(0, len(rows), BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS]
        add_gram(G, np.sqrt(weights[block])[:, None] * A[block], sign)


class Sliced:
    """A matrix, for products with vectors, from either side, in which no digit is lost.

    The slices of a large A are made anew for each product, a block of rows at a time: they take no
    memory. Those of a small one are kept.

    Parameters
    ----------
    A : float64 ndarray of shape (n, k), or what gives such rows for a slice of them
    largest : float, default=None
        At least max |A|; that of the ndarray A if None.
    """

    def __init__(self, A: Any, largest: float | None = None) -> None:
        self.A = A
        # max(n, k) products of integers below 2^(bits + 1), and two such sums, stay below 2^53
        self.bits = (49 - max(A.shape).bit_length()) // 2
        if largest is None:
            largest = max(A.max(initial=0.0), -A.min(initial=0.0))
        self.largest = largest
        self.kept = list(self._blocks()) if A.shape[0] * A.shape[1] <= KEPT_SIZE else None

    def error(self, x: np.ndarray) -> float:
        """The rounding, at most, of each entry of a product with x: that of its last part."""
        terms = max(self.A.shape)
        last_part = 4.0 * terms * self.largest * np.abs(x).max(initial=0.0) * 4.0**-self.bits
        return float(2.0 * (terms + 4) * UNIT * last_part)

    def dot(self, x: np.ndarray) -> np.ndarray:
        """Ax as a sum of three vectors; the first two are free of rounding, the last is tiny."""
        x_slices = slices(x, self.bits)
        parts = np.empty((3, self.A.shape[0]))
        for rows, block in self.kept or self._blocks():
            parts[:, rows] = _products(block, x_slices)
        return parts

    def transpose_dot(self, u: np.ndarray) -> np.ndarray:
        """Aᵀu as such a sum."""
        u_slices = slices(u, self.bits)
        parts = np.zeros((3, self.A.shape[1]))
        for rows, block in self.kept or self._blocks():
            parts += _products([part.T for part in block], [part[rows] for part in u_slices])
        return parts

    def _blocks(self):
        for start in range(0, self.A.shape[0], BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            yield rows, slices(self.A[rows], self.bits, self.largest)


def _products(A, x):
    """The product of sliced A and sliced x, by size."""
    first, second, rest = A
    return (
        first @ x[0],
        first @ x[1] + second @ x[0],
        first @ x[2] + second @ (x[1] + x[2]) + rest @ (x[0] + x[1] + x[2]),
    )


def slices(
    x: np.ndarray, bits: int, largest: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x = first + second + rest without error; two integers of ``bits`` bits times a power of 2.

    ``largest`` is max |x| of the whole that ``x`` is a part of; of ``x`` itself if None.
    """
    if largest is None:
        largest = np.abs(x).max(initial=0.0)
    # Both slices are whole multiples of one step each, whatever the size of an entry: so sums of
    # their products are whole multiples as well, and fit. To cut each entry by its own exponent
    # would keep more digits and lose that. Of numbers near the smallest of doubles no slice is
    # taken: they are all rest.
    step = 2.0 ** max(np.frexp(largest)[1] - bits, SMALLEST_EXPONENT + bits)
    first = np.rint(x / step) * step
    rest = x - first
    step *= 2.0**-bits
    second = np.rint(rest / step) * step
    return first, second, rest - second


def minus(value: float | np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``value`` − Σ parts as the nearest double, and what that leaves."""
    first, second, third = parts
    high, low = _two_sum(value, -first)
    high, lower = _two_sum(high, -second)
    return _two_sum(high, low + (lower - third))


def _two_sum(first, second):
    """first + second as the nearest double, and the error (D. E. Knuth)."""
    total = first + second
    part = total - first
    return total, (first - (total - part)) + (second - part)
