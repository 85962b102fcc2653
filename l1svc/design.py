"""The design matrix X̃ = [X, bias·1], never formed: products, norms and blocks of rows."""

import copy
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from . import blas

BLOCK_ROWS = 256  # rows worked on at a time: bounds the memory that a Gram matrix costs
PRODUCT_ROWS = 1024  # rows of a dense X that a product takes at a time, as float64
DTYPES = [np.float64, np.float32, np.uint8]  # of a dense X that is used as it is
MAX_GRAM_COLUMNS = 1024  # up to which a Gram matrix holds all; beyond, a dense X is made float64
DENSE_SIZE = 4_000_000  # of a sparse X, up to which it is made dense, too, to pick rows from
LANES = 2  # parts that each sum over rows is made of, side by side
FEW_ENTRIES = 1_000_000  # of a sparse X: up to here another part costs more than its thread saves
DERIVED = ["parts", "by_rows"]  # attributes of a Design
MANY_VECTORS = 4  # from which on SciPy's product with all is faster than one after the other
SPARSE_SHARE = 0.3  # of non-zero entries, up to which those of a dense X are kept apart, too

MatrixLike: TypeAlias = ArrayLike | sp.spmatrix | sp.sparray

_map: ContextVar[Callable[..., Any]] = ContextVar(
    "map", default=map
)  # what another thread starts with


@contextmanager
def side_by_side(n_threads: int) -> Iterator[None]:
    """Within it, work on X̃ is done part by part on ``n_threads`` threads.

    The parts and the order of their sums, hence the results' bits, are the same for any number.
    """
    if n_threads == 1:
        yield
        return
    with ThreadPoolExecutor(min(n_threads, LANES) - 1) as pool:

        def together(work, parts):
            own, *others = parts
            futures = [pool.submit(work, part) for part in others]
            return [work(own), *(future.result() for future in futures)]

        token = _map.set(together)
        try:
            yield
        finally:
            _map.reset(token)


class Design:
    """X̃ = [X, bias·1] of shape (n, p + 1), on top of an X that is shared, not copied.

    Parameters
    ----------
    X : ndarray (C order) or CSR matrix of shape (n, p)
        An ndarray of any of DTYPES, on the disk too (a memory map): what is computed with is
        float64, some rows at a time.
    bias : float
        Value of the constant column; 0.0 leaves the column zero, hence its weight too.

    Attributes
    ----------
    entries : CSR matrix of shape (n, p), or None
        The entries of X that are not zero, where few are: products then cost these alone.
    row_norms : float64 ndarray of shape (n,)
        ‖x̃_i‖₂.
    largest : float
        max_ij |x̃_ij|.
    used : int ndarray
        The columns of X̃ that are not all zero: no other can leave w_j = 0.
    """

    def __init__(self, X: Any, bias: float) -> None:
        if sp.issparse(X) or X.shape[1] > MAX_GRAM_COLUMNS:
            X = _float64(X)
        self.X = X
        self.bias = bias
        if sp.issparse(X):
            self.entries = X
            squares = X.power(2) @ np.ones(X.shape[1])
            used = np.bincount(X.indices, minlength=X.shape[1]) > 0
            largest = _largest(X.data)
        else:
            counts, squares, used, largest = _survey(X)
            self.entries = _entries(X, counts) if counts.sum() <= SPARSE_SHARE * X.size else None
        self.row_norms = np.sqrt(squares + bias**2)
        self.largest = max(largest, abs(bias))
        self.used = np.flatnonzero(np.append(used, bias != 0))
        self._divide()

    def __getstate__(self) -> dict[str, Any]:
        """Without what follows from the rest: views would be copied beside what they show."""
        return {name: value for name, value in vars(self).items() if name not in DERIVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._divide()

    def _divide(self) -> None:
        self.shape = (self.X.shape[0], self.X.shape[1] + 1)
        few = self.entries is not None and self.entries.nnz <= FEW_ENTRIES
        self.ends = _ends(self.shape[0], 1 if few else LANES)
        self.parts = [self._rows_from(*ends) for ends in itertools.pairwise(self.ends)]
        n, p = self.X.shape
        small = p <= MAX_GRAM_COLUMNS and n * p <= DENSE_SIZE
        self.by_rows = self.X.toarray() if small and sp.issparse(self.X) else self.X

    def _rows_from(self, start, stop):
        """The rows start … stop − 1 of X, of its entries if they are kept, without a copy."""
        if self.entries is None:
            return self.X[start:stop]
        if stop - start == self.shape[0]:
            return self.entries
        indptr = self.entries.indptr[start : stop + 1]
        inside = slice(indptr[0], indptr[-1])
        data, indices = self.entries.data[inside], self.entries.indices[inside]
        shape = (stop - start, self.X.shape[1])
        return compressed(sp.csr_matrix, shape, data, indices, indptr - indptr[0])

    def dot(self, w: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """X̃w, or WX̃ᵀ of shape (m, n) for W of shape (m, p + 1); only of ``rows`` if given."""
        features = w[..., :-1]
        if rows is not None:
            few = self.entries is None or len(rows) <= BLOCK_ROWS  # SciPy is slow to pick few rows
            chosen = _float64(self.by_rows[rows]) if few else self.entries[rows]
            product = (chosen @ features.T).T
        else:
            parts = _map.get()(lambda part: _dot(part, features), self.parts)
            product = np.concatenate(list(parts), axis=-1)
        return product + self.bias * w[..., -1:]

    def transpose_dot(self, u: np.ndarray) -> np.ndarray:
        """X̃ᵀu of shape (p + 1,), or UX̃ of shape (m, p + 1) for U of shape (m, n)."""

        def product(k):
            part, v = self.parts[k], u[..., self.ends[k] : self.ends[k + 1]]
            rows = np.flatnonzero(v.any(axis=0) if v.ndim == 2 else v)
            return _transpose_dot(part, v, rows if 2 * len(rows) < part.shape[0] else None)

        total = sum(_map.get()(product, range(len(self.parts))))
        return np.concatenate([total, self.bias * u.sum(axis=-1, keepdims=True)], axis=-1)

    def subsample(self, stride: int) -> "Design":
        """Every ``stride``-th row of X̃, as a design of its own."""
        part = copy.copy(self)
        part.X = self.X[::stride]
        if self.entries is not None:
            part.entries = self.entries[::stride]
        part.row_norms = self.row_norms[::stride]
        part._divide()
        return part

    def add_gram(
        self,
        G: np.ndarray,
        r: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        weights: np.ndarray,
        y: np.ndarray,
    ) -> None:
        """G += Σ_{i∈rows} s_i x̃_i x̃_iᵀ and r += Σ_{i∈rows} s_i y_i x̃_i on ``columns``, in place.

        Parameters
        ----------
        G : float64 ndarray of shape (q, q)
            Its lower triangle alone is updated.
        r : float64 ndarray of shape (q,)
        rows, columns : int ndarray, the latter of length q, ascending
        weights : float64 ndarray of shape (n,)
            s; of one sign on ``rows``: negative where they leave.
        y : float64 ndarray of shape (n,), of -1 and +1
        """
        if not len(rows):
            return
        blocks = [rows[i : i + BLOCK_ROWS] for i in range(0, len(rows), BLOCK_ROWS)]
        lanes = [blocks[i::LANES] for i in range(min(LANES, len(blocks)))]
        sums = [(G, r), *((np.zeros_like(G), np.zeros_like(r)) for _ in lanes[1:])]

        def add(k):
            for block in lanes[k]:
                B, s = self.dense(block, columns), weights[block]
                np.add(sums[k][1], (s * y[block]) @ B, out=sums[k][1])
                size = np.abs(s)
                if (size != 1.0).any():
                    B *= np.sqrt(size)[:, None]
                blas.add_gram(sums[k][0], B, np.sign(s[0]))

        list(_map.get()(add, range(len(lanes))))
        for part_G, part_r in sums[1:]:
            G += part_G
            r += part_r

    def dense(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """X̃ at ``rows`` and ``columns``, both ascending, as an ndarray."""
        if len(rows) > BLOCK_ROWS:
            B = np.empty((len(rows), len(columns)))
            for start in range(0, len(rows), BLOCK_ROWS):
                block = slice(start, start + BLOCK_ROWS)
                B[block] = self.dense(rows[block], columns)
            return B
        bias_at = np.searchsorted(columns, self.X.shape[1])
        if sp.issparse(self.by_rows):
            B = np.empty((len(rows), len(columns)))
            B[:, :bias_at] = self.by_rows[rows][:, columns[:bias_at]].toarray()
        else:
            B = _float64(
                self.by_rows[rows].take(columns, axis=1, mode="clip")
            )  # with the bias' place
        B[:, bias_at:] = self.bias
        return B


def _float64(X):
    return X.astype(np.float64, copy=False)


def _dot(part, w):
    """WAᵀ for some rows A of X, dense or sparse, and W of shape (p,) or (m, p)."""
    if sp.issparse(part):
        return _sparse_dot(part, w)
    product = np.empty((*w.shape[:-1], len(part)))
    for start in range(0, len(part), PRODUCT_ROWS):
        rows = slice(start, start + PRODUCT_ROWS)
        product[..., rows] = (_float64(part[rows]) @ w.T).T
    return product


def _sparse_dot(A, w):
    """WAᵀ for a sparse A, and W of shape (p,) or (m, p)."""
    if w.ndim == 2 and 0 < len(w) < MANY_VECTORS:
        return np.array([A @ row for row in w])
    return (A @ w.T).T


def _transpose_dot(part, u, rows):
    """UA for some rows A of X, and U of shape (n,) or (m, n), zero but at ``rows`` if given."""
    if sp.issparse(part):
        if rows is not None:
            part, u = part[rows], u[..., rows]
        return _sparse_dot(_transposed(part), u)
    total = np.zeros((*u.shape[:-1], part.shape[1]))
    for start in range(0, len(part) if rows is None else len(rows), PRODUCT_ROWS):
        some = slice(start, start + PRODUCT_ROWS)
        at = some if rows is None else rows[some]
        total += u[..., at] @ _float64(part[at])
    return total


def compressed(kind, shape, data, indices, indptr):
    """``kind(…)`` that shares these arrays; the constructor copies views of a small part of one."""
    matrix = kind(shape)
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    return matrix


def _transposed(csr):
    return compressed(sp.csc_matrix, csr.shape[::-1], csr.data, csr.indices, csr.indptr)


def _ends(n, lanes=LANES):
    """Where the parts of n rows begin, and n."""
    lanes = min(lanes, n)
    return [n * k // lanes for k in range(lanes + 1)]


def _blocks(lane):
    first, end = lane
    for start in range(first, end, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, end))


def _survey(X):
    """Of a dense X: the entries in each row that are not zero, Σ_j x_ij², columns not all zero,
    max_ij |x_ij|.
    """

    def survey(lane):
        used, largest = np.zeros(X.shape[1], dtype=bool), 0.0
        for rows in _blocks(lane):
            block = _float64(X[rows])
            there = block != 0
            there.sum(axis=1, out=counts[rows])
            np.einsum("ij,ij->i", block, block, out=squares[rows])
            used |= there.any(axis=0)
            largest = max(largest, _largest(block))
        return used, largest

    counts, squares = np.empty(len(X), dtype=np.int32), np.empty(len(X))
    lanes = itertools.pairwise(_ends(len(X)))
    used, largest = zip(*_map.get()(survey, lanes), strict=True)
    return counts, squares, np.any(used, axis=0), max(largest)


def _largest(values):
    """max |x|."""
    return float(max(values.max(initial=0.0), -values.min(initial=0.0)))


def _entries(X, counts):
    """The entries of a dense X that are not zero, so many in each row, as a CSR matrix."""
    n, p = X.shape

    def fill(lane):
        for rows in _blocks(lane):
            block = X[rows]
            at = np.flatnonzero(block != 0)
            inside = slice(ends[rows.start], ends[rows.stop])
            values[inside] = block.ravel().take(at)
            columns[inside] = at - at // p * p  # at % p, in a third of the time

    ends = np.concatenate([[0], np.cumsum(counts)])
    values, columns = np.empty(ends[-1]), np.empty(ends[-1], dtype=np.int32)
    list(_map.get()(fill, itertools.pairwise(_ends(n))))
    return sp.csr_matrix((values, columns, ends), shape=X.shape)
