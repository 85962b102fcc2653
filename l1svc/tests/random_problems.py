"""A random problem for every seed, of many kinds: what users have, and what solvers dislike."""

import itertools
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
import scipy.sparse as sp

from l1svc.tests.problems import text_like

LARGEST = (3000, 4000)  # rows and columns
CLASS_CHANCE = 0.12  # of a problem with more than two classes
CHANGE_CHANCE = 0.15  # of each of the changes that make data harder
C_POWERS = (-0.5, 5.0)  # log10 of C over the one that is useful to the first column, or to half
TASKS = ["fit"] * 8 + ["path", "search"]


@dataclass(frozen=True)
class Problem:
    """What is to be solved.

    Attributes
    ----------
    kind : str
        Its family, and the changes that were made to it.
    task : "fit", "path" or "search"
    X : ndarray or CSR matrix of shape (n, p)
    y : int ndarray of shape (n,)
    sample_weight : float64 ndarray of shape (n,), or None
    Cs : list of float, ascending
        Of a fit, one.
    parameters : dict
        Of L1LinearSVC, and of LinearSVC.
    """

    kind: str
    task: str
    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None
    Cs: list[float]
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        form = "CSR" if sp.issparse(self.X) else "dense"
        weights = "" if self.sample_weight is None else ", sample weights"
        return (
            f"{self.task} of {self.kind}: {self.X.shape[0]} x {self.X.shape[1]} {form}"
            f" {self.X.dtype}, {len(np.unique(self.y))} classes{weights}, C"
            f" {', '.join(f'{C:.3g}' for C in self.Cs)}, {self.parameters}"
        )


def random_problem(seed: int, largest: tuple[int, int] = LARGEST) -> Problem:
    """The problem of this seed, of at most so many rows and columns (some columns more)."""
    random = np.random.default_rng(seed)
    family = FAMILIES[random.integers(len(FAMILIES))]
    n, p = (int(np.exp(random.uniform(np.log(low), np.log(high)))) for low, high in
            zip((5, 1), largest, strict=True))  # fmt: skip
    X, y = family(random, n, p, largest)
    kind = [family.__name__]
    for change in CHANGES:
        if random.random() < CHANGE_CHANCE:
            X, y = change(random, X, y)
            kind.append(change.__name__)
    X, form = _as_given(random, X)
    kind += form
    y = _with_two_classes(y)
    sample_weight = _sample_weight(random, y)
    parameters = {
        "fit_intercept": bool(random.random() < 0.8),
        "intercept_scaling": float(random.choice([1.0, 1.0, 1.0, 100.0, 0.01])),
        "class_weight": _class_weight(random, y),
    }
    task = TASKS[random.integers(len(TASKS))]
    least_common = np.unique(y, return_counts=True)[1].min()
    if (task == "search" and least_common < 3) or (task == "path" and len(np.unique(y)) > 2):
        task = "fit"
    if task != "fit":
        sample_weight = None
    if task == "path":  # which has no other parameters
        parameters = {"fit_intercept": True, "intercept_scaling": 1.0, "class_weight": None}
    low = useful_C(X, y, sample_weight, parameters, random.choice([0.0, 0.5]))
    power = random.uniform(*C_POWERS)
    powers = [power] if task == "fit" else np.linspace(max(power - 2.0, C_POWERS[0]), power, 4)
    Cs = [float(low * 10.0**power) for power in powers]
    return Problem(", ".join(kind), task, X, y, sample_weight, Cs, parameters)


def useful_C(X, y, sample_weight, parameters, share: float) -> float:
    """0.5 / |Σ_i s_i y_i x̃_i|_j, of the column that comes first but for ``share`` of them.

    With 0 it is the least C that leaves any weight. 1 where no column pulls.
    """
    s = np.ones(len(y)) if sample_weight is None else sample_weight
    labels = np.unique(y)
    targets = labels if len(labels) > 2 else labels[1:]
    U = s[:, None] * np.where(y[:, None] == targets, 1.0, -1.0)
    pulls = np.abs(X.T.astype(np.float64) @ U).max(axis=1)
    if parameters["fit_intercept"]:
        pulls = np.append(pulls, parameters["intercept_scaling"] * np.abs(U.sum(axis=0)).max())
    pulls = np.sort(pulls[pulls > 0])[::-1]
    return 0.5 / pulls[int(share * len(pulls))] if len(pulls) else 1.0


def _labels(random, score):
    """From a score of each row: separable, noisy or partly flipped, of two classes or more."""
    scale = score.std() or 1.0
    score = score + random.choice([0.0, 0.3, 1.0]) * scale * random.normal(size=len(score))
    if random.random() < CLASS_CHANCE:
        cuts = np.quantile(score, np.sort(random.random(random.integers(2, 4))))
        return np.searchsorted(cuts, score)
    y = (score > np.quantile(score, random.choice([0.5, 0.5, 0.5, 0.1, 0.9]))).astype(int)
    return np.where(random.random(len(y)) < random.choice([0.0, 0.0, 0.2]), 1 - y, y)


def _score(random, X):
    """Of some columns."""
    telling = random.random(X.shape[1]) < max(0.05, 3.0 / X.shape[1])
    return X @ (random.normal(size=X.shape[1]) * telling)


def gaussian(random, n, p, largest):
    X = random.normal(size=(n, p))
    return X, _labels(random, _score(random, X))


def about_as_many_rows_as_columns(random, n, p, largest):
    size = min(n, p, 1200)
    return gaussian(random, max(5, int(size * random.uniform(0.7, 1.4))), size, largest)


def few_rows(random, n, p, largest):
    return gaussian(random, min(n, int(random.integers(5, 60))), p, largest)


def gene_like(random, n, p, largest):
    factors = random.normal(size=(min(n, 300), 20))
    X = factors @ random.normal(size=(20, p)) + random.normal(size=(len(factors), p))
    return X, _labels(random, _score(random, X))


def pixels(random, n, p, largest):
    """Of uint8, four fifths of them 0."""
    X = random.integers(0, 256, (n, p)) * (random.random((n, p)) < 0.2)
    return X.astype(np.uint8), _labels(random, _score(random, X))


def text(random, n, p, largest):
    return text_like(n, max(p, 20), int(random.integers(2**31)))


def sparse(random, n, p, largest):
    density = float(np.exp(random.uniform(np.log(0.002), np.log(0.2))))
    # by position: SciPy has two names for the generator's argument
    X = sp.random(n, p, density, "csr", None, random, random.standard_normal)
    return X, _labels(random, _score(random, X))


def one_hot(random, n, p, largest):
    blocks, score, left = [], np.zeros(n), p
    while left > 0:
        levels = int(min(left, np.exp(random.uniform(np.log(2), np.log(1000)))))
        left -= levels
        chance = np.arange(1, levels + 1) ** -0.8
        level = random.choice(levels, size=n, p=chance / chance.sum())
        score += (random.normal(size=levels) * (random.random(levels) < 0.3))[level]
        blocks.append(sp.csr_matrix((np.ones(n), (np.arange(n), level)), shape=(n, levels)))
        if len(blocks) == 15:
            break
    return sp.hstack(blocks, format="csr"), _labels(random, score)


def polynomial(random, n, p, largest):
    degree = int(random.integers(2, 4))
    variables = 1
    while comb(variables + 1 + degree, degree) - 1 <= p:
        variables += 1
    Z = random.normal(size=(n, variables))
    products = [
        Z[:, factors].prod(axis=1)
        for k in range(1, degree + 1)
        for factors in itertools.combinations_with_replacement(range(variables), k)
    ]
    X = np.column_stack(products)
    return X, _labels(random, _score(random, X))


def counts(random, n, p, largest):
    X = random.poisson(np.exp(random.normal(0, 1.5, size=p)), size=(n, p)).astype(float)
    return X, _labels(random, _score(random, X))


FAMILIES = [
    gaussian,
    about_as_many_rows_as_columns,
    few_rows,
    gene_like,
    pixels,
    text,
    sparse,
    one_hot,
    polynomial,
    counts,
]


def rows_twice(random, X, y):
    rows = random.integers(len(y), size=len(y))
    return X[rows], y[rows]


def columns_twice(random, X, y):
    p = X.shape[1]
    columns = np.append(np.arange(p), random.integers(p, size=max(1, p // 4)))
    return X[:, columns], y


def columns_constant_and_zero(random, X, y):
    more = np.zeros((len(y), 3))
    more[:, 0], more[:, 1] = 1.0, random.choice([7.0, 1000.0, 1e-3])
    return _beside(X, more), y


def columns_of_other_scales(random, X, y):
    """Up to eight orders of magnitude apart."""
    span = random.choice([2.0, 4.0, 6.0, 8.0])
    scale = 10.0 ** random.uniform(-span / 2, span / 2, size=X.shape[1])
    return (sp.csr_matrix(X.multiply(scale)) if sp.issparse(X) else X * scale), y


def a_column_of_timestamps(random, X, y):
    return _beside(X, random.integers(1_500_000_000, 1_700_000_000, (len(y), 1))), y


CHANGES = [
    rows_twice,
    columns_twice,
    columns_constant_and_zero,
    columns_of_other_scales,
    a_column_of_timestamps,
]


def _beside(X, more):
    if sp.issparse(X):
        return sp.csr_matrix(sp.hstack([X, sp.csr_matrix(more)], format="csr"))
    return np.column_stack([X, more])


def _as_given(random, X):
    """X in another form, now and then: the other of dense and sparse, or float32."""
    if random.random() < 0.1:
        X = X.toarray() if sp.issparse(X) else sp.csr_matrix(X, dtype=np.float64)
        return X, ["in the other form"]
    if random.random() < 0.1 and not sp.issparse(X) and X.dtype != np.uint8:
        return X.astype(np.float32), []
    return X, []


def _with_two_classes(y):
    y = y.copy()
    if len(np.unique(y)) < 2:
        y[0] = y.max() + 1
    return y


def _sample_weight(random, y):
    """None, or weights of which some are 0, but not all of a class."""
    drawn = random.random()
    if drawn < 0.7:
        return None
    s = random.integers(0, 3, len(y)).astype(float) if drawn < 0.85 else random.exponential(
        size=len(y)) * (random.random(len(y)) < 0.8)  # fmt: skip
    s[np.unique(y, return_index=True)[1]] = 1.0
    return s


def _class_weight(random, y):
    drawn = random.random()
    if drawn < 0.75:
        return None
    if drawn < 0.85:
        return "balanced"
    return {int(label): float(random.choice([0.1, 1.0, 5.0])) for label in np.unique(y)}
