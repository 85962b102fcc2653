"""Families of problems, made and real: X (array or CSR matrix) and labels of two classes."""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.sparse as sp
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

from l1svc.benchmarks.data import load
from l1svc.tests.problems import text_like

PAIRS = 20  # of the 45 of MNIST's digits
RATIOS = (1.1, 10, 100, 1000, 10000)  # C over the least useful one

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


MADE = {  # with smaller sizes for a quick run
    "sparse": (sparse_wide, {"n": 200, "p": 1500, "density": 0.02}),
    "text": (partial(text_like, 2000, 20000, 0), {"n": 200, "p": 1500}),
    "text, wide": (partial(text_like, 2000, 200000, 0), {"n": 200, "p": 4000}),
    "text, tall": (partial(text_like, 20000, 20000, 0), {"n": 1500, "p": 1500}),
    "genes": (genes, {"n": 50, "p": 1200}),
    "one-hot": (one_hot, {"n": 500}),
    "polynomial": (polynomial, {"n": 200, "variables": 10}),
    "Gaussian": (noisy_square, {"n": 200, "p": 150}),
}


def digits(X, y):
    """Each of ten classes against the rest."""
    for digit in range(10):
        yield f"{digit} or not", X / X.max(), (y == digit).astype(int), RATIOS


def standardised(X, y):
    """Each class against the rest, or the one problem of two classes."""
    X = StandardScaler().fit_transform(X)
    classes = np.unique(y)
    for k in classes if len(classes) > 2 else classes[1:]:
        yield f"{k} or not", X, (y == k).astype(int), RATIOS


REAL = {
    "digits": lambda: digits(*datasets.load_digits(return_X_y=True)),
    "breast cancer": lambda: standardised(*datasets.load_breast_cancer(return_X_y=True)),
    "wine": lambda: standardised(*datasets.load_wine(return_X_y=True)),
}


def mnist_pairs():
    """Every second pair or so; each has one C of its own, by turns."""
    pairs = list(itertools.combinations(range(10), 2))
    for k in range(PAIRS):
        pair = pairs[k * len(pairs) // PAIRS]
        yield "{}-{}".format(*pair), *load(pair=pair), RATIOS[k % len(RATIOS) :][:1]


FAMILIES = (*MADE, *REAL, "MNIST pairs")


def problems(family: str, quick: bool = False) -> Iterator[tuple]:
    """(name, X, y, ratios of C) for each problem of the family; `quick`: small, or the first."""
    if family in MADE:
        make, small = MADE[family]
        if quick:
            make = partial(getattr(make, "func", make), **{"seed": 0, **small})
        yield "seed 0", *make(), RATIOS
        return
    found = REAL[family]() if family in REAL else mnist_pairs()
    yield from itertools.islice(found, 1 if quick else None)
