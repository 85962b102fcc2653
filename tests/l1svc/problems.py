"""Small problems on which a solver may fail: X and labels 0 and 1, made."""

import numpy as np
from scipy import sparse


def text_like(n, p, seed, words=30):
    """Rows of tf-idf: word j has frequency ~ 1/(j + 1)^1.05, one in twenty tells the label."""
    rng = np.random.default_rng(seed)
    frequency = np.arange(1, p + 1) ** -1.05
    telling = np.exp(rng.normal(0, 0.8, p) * (rng.random(p) < 0.05))
    y = rng.integers(0, 2, n)
    count = np.zeros((n, p))
    for i in range(n):
        chance = frequency * (telling if y[i] else 1 / telling)
        size = max(5, int(rng.lognormal(np.log(words), 0.5)))
        count[i, rng.choice(p, size=min(size, p), p=chance / chance.sum())] = 1
    count *= np.log(n / (1 + count.sum(axis=0))) + 1
    norm = np.linalg.norm(count, axis=1, keepdims=True)
    return sparse.csr_matrix(count / np.where(norm > 0, norm, 1)), y


def timestamps(seed=0, n=300, p=12):
    """Ordinary columns, and one of unix times."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, p)) + 0.8 * np.outer(2 * y - 1, rng.normal(size=p) > 0.5)
    return np.column_stack([X, rng.integers(1_500_000_000, 1_700_000_000, n)]), y
