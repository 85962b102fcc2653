"""The design matrix X̃ = [X, bias·1], never formed: products, norms and blocks of rows."""

import numpy as np
import scipy.sparse as sp

BLOCK_ROWS = 1024  # rows gathered at a time: bounds the memory that a Gram matrix costs


class Design:
    """X̃ = [X, bias·1] of shape (n, p + 1), on top of an X that is shared, not copied.

    Parameters
    ----------
    X : float64 ndarray (C order) or CSR matrix of shape (n, p)
    bias : float
        Value of the constant column; 0.0 leaves the column zero, hence its weight too.

    Attributes
    ----------
    used : int ndarray
        The columns of X̃ that are not all zero: no other can leave w_j = 0.
    row_norms : float64 ndarray of shape (n,)
        ‖x̃_i‖₂.
    """

    def __init__(self, X, bias):
        self.X = X
        self.bias = bias
        self.shape = (X.shape[0], X.shape[1] + 1)
        if sp.issparse(X):
            squares = X.multiply(X)
            row_squares = np.asarray(squares.sum(axis=1)).ravel()
            used = np.asarray(squares.sum(axis=0)).ravel() > 0
        else:
            row_squares = np.einsum("ij,ij->i", X, X)
            used = X.any(axis=0)
        self.row_norms = np.sqrt(row_squares + bias**2)
        self.used = np.flatnonzero(np.append(used, bias != 0))

    def dot(self, w, rows=None):
        """X̃w, or WX̃ᵀ of shape (m, n) for W of shape (m, p + 1); only of ``rows`` if given."""
        X = self.X if rows is None else self.X[rows]
        product = X @ w[:-1] if w.ndim == 1 else w[:, :-1] @ X.T
        return product + self.bias * w[..., -1:]

    def transpose_dot(self, u):
        """X̃ᵀu of shape (p + 1,), or UX̃ of shape (m, p + 1) for U of shape (m, n)."""
        product = u @ self.X if not sp.issparse(self.X) else (self.X.T @ u.T).T
        return np.concatenate([product, self.bias * u.sum(axis=-1, keepdims=True)], axis=-1)

    def subsample(self, stride):
        """Every ``stride``-th row of X̃, as a design of its own."""
        return Design(self.X[::stride], self.bias)

    def add_gram(self, G, r, rows, columns, weights, y):
        """G += Σ_{i∈rows} σ_i x̃_i x̃_iᵀ and r += Σ_{i∈rows} σ_i y_i x̃_i on ``columns``, in place.

        Parameters
        ----------
        G : float64 ndarray of shape (q, q)
        r : float64 ndarray of shape (q,)
        rows, columns : int ndarray, the latter of length q, ascending
        weights : float64 ndarray of shape (n,)
            σ, of either sign: rows that leave have a negative one.
        y : float64 ndarray of shape (n,), of -1 and +1
        """
        biased = len(columns) > 0 and columns[-1] == self.shape[1] - 1
        q = len(columns) - biased
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            B = self._block(block, columns[:q])
            sigma = weights[block]
            sums = np.array([sigma * y[block], sigma])
            edges = sums @ B if not sp.issparse(B) else (B.T @ sums.T).T
            r[:q] += edges[0]
            if np.ptp(sigma) == 0:
                product = B.T @ B  # a symmetric product: half the work
                if sigma[0] != 1:
                    product *= sigma[0]
            elif sigma.min() > 0:
                B = _scale_rows(B, np.sqrt(sigma))
                product = B.T @ B
            else:
                product = _scale_rows(B, sigma).T @ B
            G[:q, :q] += product.toarray() if sp.issparse(product) else product
            if biased:
                r[q] += self.bias * sums[0].sum()
                edge = self.bias * edges[1]
                G[q, :q] += edge
                G[:q, q] += edge
                G[q, q] += self.bias**2 * sums[1].sum()

    def rows(self, rows, columns):
        """X̃ at ``rows`` and ``columns``, both ascending, dense."""
        biased = len(columns) > 0 and columns[-1] == self.shape[1] - 1
        q = len(columns) - biased
        B = np.full((len(rows), len(columns)), self.bias)
        for start in range(0, len(rows), BLOCK_ROWS):
            part = self._block(rows[start : start + BLOCK_ROWS], columns[:q])
            B[start : start + BLOCK_ROWS, :q] = part.toarray() if sp.issparse(part) else part
        return B

    def _block(self, rows, features):
        if sp.issparse(self.X):
            return self.X[rows][:, features]
        return self.X[rows].take(features, axis=1)


def _scale_rows(B, factors):
    return B.multiply(factors[:, None]).tocsr() if sp.issparse(B) else B * factors[:, None]
