"""Families of wide problems, made: each gives X (array or CSR matrix) and labels 0 and 1."""

import itertools

import numpy as np
import scipy.sparse as sp

from tests.l1svc.problems import text_like

LEVELS = (10000, 3000, 1000, 500, 300, 150, 100, 50, 30, 20, 10, 7, 5, 3, 2)


def sparse_wide(n=3000, p=20000, density=0.002, seed=0):
    """Gaussian entries at random places; a fiftieth of the columns tells the label."""
    random = np.random.default_rng(seed)
    X = sp.csr_matrix(
        sp.random_array(
            (n, p), density=density, format="csr", rng=random, data_sampler=random.standard_normal
        )
    )
    score = X @ (random.normal(size=p) * (random.random(p) < 0.02))
    return X, (score + 0.3 * score.std() * random.normal(size=n) > 0).astype(int)


def genes(n=200, p=10000, seed=0):
    """Few rows of dense, correlated columns."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 20))
    X = factors @ random.normal(size=(20, p)) + random.normal(size=(n, p))
    return X, (X[:, :10].sum(axis=1) + random.normal(size=n) > 0).astype(int)


def one_hot(n=20000, seed=0):
    """Fifteen categorical variables, a column for each of their 15177 levels."""
    random = np.random.default_rng(seed)
    score, blocks = np.zeros(n), []
    for levels in LEVELS:
        chance = np.arange(1, levels + 1) ** -0.8
        level = random.choice(levels, size=n, p=chance / chance.sum())
        effect = random.normal(size=levels) * (random.random(levels) < 0.3)
        score += effect[level]
        blocks.append(sp.csr_matrix((np.ones(n), (np.arange(n), level)), shape=(n, levels)))
    y = score + 0.7 * random.logistic(size=n) > np.median(score)
    return sp.hstack(blocks, format="csr"), y.astype(int)


def polynomial(n=2000, variables=30, degree=3, seed=0):
    """All products of up to three of thirty Gaussian variables: 5455 columns."""
    random = np.random.default_rng(seed)
    Z = random.normal(size=(n, variables))
    products = [
        Z[:, factors].prod(axis=1)
        for k in range(1, degree + 1)
        for factors in itertools.combinations_with_replacement(range(variables), k)
    ]
    score = Z[:, :8].sum(axis=1) + (Z[:, :6] * Z[:, 1:7]).sum(axis=1)
    return np.column_stack(products), (score + random.normal(size=n) > 0).astype(int)


def noisy_square(n=2000, p=1500, flipped=0.2, seed=0):
    """About as many rows as Gaussian columns, labels partly wrong."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p))
    y = X[:, :30].sum(axis=1) > 0
    return X, np.where(random.random(n) < flipped, ~y, y).astype(int)


WIDE = {
    "sparse 3000 x 20000": sparse_wide,
    "text 2000 x 20000": lambda: text_like(2000, 20000, 0),
    "text 2000 x 200000": lambda: text_like(2000, 200000, 0),
    "text 20000 x 20000": lambda: text_like(20000, 20000, 0),
    "genes 200 x 10000": genes,
    "one-hot 20000 x 15177": one_hot,
    "polynomial 2000 x 5455": polynomial,
    "Gaussian 2000 x 1500": noisy_square,
}
