"""Problems that are made, of kinds on which solvers of this one are known to struggle."""

import numpy as np
import scipy.sparse as sp


def text_like(n, p, seed, words=30):
    """(X, y): n rows of tf-idf over p words, as a CSR matrix, and labels 0 and 1.

    Word j has frequency ~ (j + 1)^-1.05; a twentieth of the words tells the label.
    """
    random = np.random.default_rng(seed)
    frequency = np.arange(1, p + 1) ** -1.05
    telling = np.exp(random.normal(0, 0.8, p) * (random.random(p) < 0.05))
    y = random.integers(0, 2, n)
    totals = np.cumsum([frequency / telling, frequency * telling], axis=1)
    totals /= totals[:, -1:]
    rows = []
    for label in y:
        size = max(5, int(random.lognormal(np.log(words), 0.5)))
        drawn = np.searchsorted(totals[label], random.random(min(size, p)), side="right")
        rows.append(np.unique(drawn))
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.concatenate(rows)
    X = sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(n, p))
    X.data *= np.log(n / (1 + np.bincount(indices, minlength=p)))[indices] + 1
    X.data /= np.repeat(np.sqrt(X.power(2) @ np.ones(p)), np.diff(indptr))
    return X, y


def timestamps(seed=0, n=300, p=12):
    """Ordinary columns, and one of unix times."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, p)) + 0.8 * np.outer(2 * y - 1, rng.normal(size=p) > 0.5)
    return np.column_stack([X, rng.integers(1_500_000_000, 1_700_000_000, n)]), y


def small_problem():
    """(X, y) of 120 rows and 12 columns, whose optimum is unique."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    return X, np.where(X[:, :4].sum(axis=1) + 0.8 * rng.normal(size=120) > 0, 1, -1)
