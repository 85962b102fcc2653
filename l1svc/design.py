"""The design matrix X̃ = [X, bias·1], never formed: products, norms and blocks of rows."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import scipy.sparse as sp

from . import blas

BLOCK_ROWS = 512  # rows worked on at a time: bounds the memory that a Gram matrix costs
LANES = 2  # parts that each sum over rows is made of, side by side
THIN = 0.3  # share of entries up to which the non-zero ones of a dense X are kept apart, too

_map = ContextVar("map", default=map)  # a thread of joblib's starts with the default


@contextmanager
def side_by_side(n_threads):
    """Within it, work on X̃ is cut into blocks of rows for ``n_threads`` threads.

    The blocks and the order of the sums, hence the results' bits, are the same for any number.
    """
    if n_threads == 1:
        yield
        return
    with ThreadPoolExecutor(n_threads - 1) as pool:

        def in_turns(work, blocks):  # not all at once: each result has a Gram matrix' size
            for first in range(0, len(blocks), n_threads):
                own, *others = blocks[first : first + n_threads]
                futures = [pool.submit(work, block) for block in others]
                yield work(own)
                yield from (future.result() for future in futures)

        token = _map.set(in_turns)
        try:
            yield
        finally:
            _map.reset(token)


class Design:
    """X̃ = [X, bias·1] of shape (n, p + 1), on top of an X that is shared, not copied.

    Parameters
    ----------
    X : float64 ndarray (C order) or CSR matrix of shape (n, p)
    bias : float
        Value of the constant column; 0.0 leaves the column zero, hence its weight too.

    Attributes
    ----------
    entries : CSR matrix of shape (n, p), or None
        The entries of X that are not zero, where few are: products then cost these alone.
    row_norms : float64 ndarray of shape (n,)
        ‖x̃_i‖₂.
    used : int ndarray
        The columns of X̃ that are not all zero: no other can leave w_j = 0.
    """

    def __init__(self, X, bias):
        self.X = X
        self.bias = bias
        self.shape = (X.shape[0], X.shape[1] + 1)
        self.entries = X if sp.issparse(X) else _thin(X)
        if self.entries is None:
            squares = np.einsum("ij,ij->i", X, X)
        else:
            squares = self.entries.power(2) @ np.ones(X.shape[1])
        self.row_norms = np.sqrt(squares + bias**2)
        if self.entries is None:
            used = X.any(axis=0)
        else:
            used = np.zeros(X.shape[1], dtype=bool)
            used[self.entries.indices] = True
        self.used = np.flatnonzero(np.append(used, bias != 0))
        lanes = min(LANES, self.shape[0])
        self.ends = [self.shape[0] * k // lanes for k in range(lanes + 1)]
        self.parts = [self._rows_from(*ends) for ends in itertools.pairwise(self.ends)]

    def _rows_from(self, start, stop):
        """The rows start … stop − 1 of X, of its entries if they are kept, without a copy."""
        if self.entries is None:
            return self.X[start:stop]
        indptr = self.entries.indptr[start : stop + 1]
        inside = slice(indptr[0], indptr[-1])
        data, indices = self.entries.data[inside], self.entries.indices[inside]
        shape = (stop - start, self.X.shape[1])
        return sp.csr_matrix((data, indices, indptr - indptr[0]), shape=shape)

    def dot(self, w, rows=None):
        """X̃w, or WX̃ᵀ of shape (m, n) for W of shape (m, p + 1); only of ``rows`` if given."""
        features = w[..., :-1]
        if rows is not None:
            X = self.X if self.entries is None else self.entries
            product = (X[rows] @ features.T).T
        else:
            parts = _map.get()(lambda part: (part @ features.T).T, self.parts)
            product = np.concatenate(list(parts), axis=-1)
        return product + self.bias * w[..., -1:]

    def transpose_dot(self, u):
        """X̃ᵀu of shape (p + 1,), or UX̃ of shape (m, p + 1) for U of shape (m, n)."""

        def product(k):
            part, v = self.parts[k], u[..., self.ends[k] : self.ends[k + 1]]
            rows = np.flatnonzero(v.any(axis=0) if v.ndim == 2 else v)
            if 2 * len(rows) < part.shape[0]:
                part, v = part[rows], v[..., rows]
            return (part.T @ v.T).T if sp.issparse(part) else v @ part

        total = sum(_map.get()(product, range(len(self.parts))))
        return np.concatenate([total, self.bias * u.sum(axis=-1, keepdims=True)], axis=-1)

    def subsample(self, stride):
        """Every ``stride``-th row of X̃, as a design of its own."""
        X = self.X[::stride]
        return Design(X if sp.issparse(X) else np.ascontiguousarray(X), self.bias)

    def add_gram(self, G, r, rows, columns, weights, y):
        """G += Σ_{i∈rows} σ_i x̃_i x̃_iᵀ and r += Σ_{i∈rows} σ_i y_i x̃_i on ``columns``, in place.

        Parameters
        ----------
        G : float64 ndarray of shape (q, q)
            Its lower triangle alone is updated.
        r : float64 ndarray of shape (q,)
        rows, columns : int ndarray, the latter of length q, ascending
        weights : float64 ndarray of shape (n,)
            σ; of one sign on ``rows``: negative where they leave.
        y : float64 ndarray of shape (n,), of -1 and +1
        """
        blocks = [rows[i : i + BLOCK_ROWS] for i in range(0, len(rows), BLOCK_ROWS)]
        lanes = [blocks[i::LANES] for i in range(min(LANES, len(blocks)))]
        sums = [(G, r), *((np.zeros_like(G), np.zeros_like(r)) for _ in lanes[1:])]

        def add(k):
            for block in lanes[k]:
                B, sigma = self.rows(block, columns), weights[block]
                np.add(sums[k][1], (sigma * y[block]) @ B, out=sums[k][1])
                size = np.abs(sigma)
                if (size != 1.0).any():
                    B *= np.sqrt(size)[:, None]
                blas.add_gram(sums[k][0], B, np.sign(sigma[0]))

        list(_map.get()(add, range(len(lanes))))
        for part_G, part_r in sums[1:]:
            G += part_G
            r += part_r

    def rows(self, rows, columns):
        """X̃ at ``rows`` and ``columns``, both ascending, dense."""
        biased = len(columns) > 0 and columns[-1] == self.shape[1] - 1
        q = len(columns) - biased
        B = np.empty((len(rows), len(columns)))
        B[:, q:] = self.bias
        for start in range(0, len(rows), BLOCK_ROWS):
            X = self.X[rows[start : start + BLOCK_ROWS]]
            X = X[:, columns[:q]].toarray() if sp.issparse(X) else X.take(columns[:q], axis=1)
            B[start : start + BLOCK_ROWS, :q] = X
        return B


def _thin(X):
    """The non-zero entries of a dense X as a CSR matrix; None where they are too many."""
    n, p = X.shape

    def entries(start):
        block = X[start : start + BLOCK_ROWS]
        there = block != 0
        at = np.flatnonzero(there)
        return np.count_nonzero(there, axis=1), (at % p).astype(np.int32), block.ravel()[at]

    parts, total = [], 0
    for part in _map.get()(entries, range(0, n, BLOCK_ROWS)):
        parts.append(part)
        total += len(part[1])
        if total > THIN * n * p:
            return None
    counts, columns, values = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    ends = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_matrix((values, columns, ends), shape=X.shape)
