"""Every C without a path: a bound between two optima, as a check of the exact search.

    python -m l1svc.benchmarks.bound [--low 0.025] [--high 0.4]

For the optima a, b at λ_a > λ_b (λ = 1/(2C)), w̃ = (1 − θ)w_a + θw_b has at the λ of its θ a duality
gap of at most θ(1 − θ)K, K = K₁ + K₂, with v = Aᵀ(s b), b = max(0, 1 − m):

    K₁ = λ_a‖w_b‖₁ − w_bᵀv_a + λ_b‖w_a‖₁ − w_aᵀv_b,
    K₂ = Σ s_i |(1 − m_ia)(1 − m_ib)| over the rows whose margin crosses 1.

With r = √(K/2), rows of min(b_a, b_b) > r have a margin below 1 all the way, and columns with
|v|_j + ‖A_j‖r < λ at both ends a weight of 0. With G of those rows on the columns that remain, a
row x of decision values f_a, f_b keeps its side for all C between if f_a f_b > ½ K xᵀG⁻¹x.

So the images that an interval leaves in doubt are counted, all of them as right, and an interval
that may hold more right answers than the exact search found anywhere is cut in two. If none is
left, no C between the ends does better.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from sklearn.model_selection import StratifiedKFold

from l1svc import exact_search, svm_path
from l1svc.benchmarks.data import load

NARROWEST = 1e-9  # of C: an interval that is not cut any more
TOL = 1e-12


class Fold:
    """The optima of one fold, and which of its left-out rows keep their side between two of them.

    X is (n, p), s (n,) of -1 and +1; the bias is the last column of X̃.
    """

    def __init__(self, X: np.ndarray, s: np.ndarray, train: np.ndarray, test: np.ndarray) -> None:
        ones = np.ones((len(X), 1))
        self.X, self.s = X[train], s[train]
        self.A = s[train, None] * np.hstack([X, ones])[train]
        self.out, self.up = np.hstack([X, ones])[test], s[test] > 0
        self.norms = np.sqrt((self.A**2).sum(axis=0))
        self.optima: dict[float, np.ndarray] = {}

    def solve(self, Cs: list[float]) -> None:
        """The optima at these C, ascending, are known from now on."""
        fits = svm_path(self.X, self.s, Cs, tol=TOL)
        W = np.column_stack([fits.coef, fits.intercept])
        self.optima.update(zip(Cs, W, strict=True))

    def sides(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Whether each left-out row is above 0 at `low`, and whether it is so up to `high`."""
        (lam_a, w_a), (lam_b, w_b) = ((0.5 / C, self.optima[C]) for C in (low, high))
        left_a, left_b = 1 - self.A @ w_a, 1 - self.A @ w_b
        b_a, b_b = np.maximum(left_a, 0), np.maximum(left_b, 0)
        v_a, v_b = b_a @ self.A, b_b @ self.A
        crossing = (left_a > 0) != (left_b > 0)
        K = lam_a * np.abs(w_b).sum() - w_b @ v_a + lam_b * np.abs(w_a).sum() - w_a @ v_b
        K = max(K, 0.0) + np.abs(left_a * left_b)[crossing].sum()
        r = np.sqrt(K / 2)
        rows = np.minimum(b_a, b_b) > r
        idle = (np.abs(v_a) + self.norms * r < lam_a) & (np.abs(v_b) + self.norms * r < lam_b)
        part = self.A[np.ix_(rows, ~idle)]
        f_a, f_b = self.out @ w_a, self.out @ w_b
        try:
            L = cholesky(part.T @ part, lower=True)
        except LinAlgError:  # these rows leave a direction free
            return f_a > 0, np.zeros(len(f_a), dtype=bool)
        q = (solve_triangular(L, self.out[:, ~idle].T, lower=True) ** 2).sum(axis=0)
        return f_a > 0, f_a * f_b > 0.5 * K * q


def right_between(folds: list[Fold], low: float, high: float) -> tuple[int, int]:
    """How many left-out rows of all folds are right, at least and at most, at any C in between."""
    least = most = 0
    for fold in folds:
        above, keeps = fold.sides(low, high)
        least += int(((above == fold.up) & keeps).sum())
        most += int(((above == fold.up) | ~keeps).sum())
    return least, most


def with_more(
    folds: list[Fold],
    low: float,
    high: float,
    right: int,
    told: Callable[[int], object] = lambda wider: None,
) -> list[tuple[float, float]]:
    """The intervals that have more than `right` right answers, or may have them and are not wider
    than NARROWEST; `told` is called with how many are cut, again and again.
    """
    for fold in folds:
        fold.solve([low, high])
    left, doubtful = [], [(low, high)]
    while doubtful:
        cut = []
        for ends in doubtful:
            least, most = right_between(folds, *ends)
            if least > right or (most > right and ends[1] <= ends[0] * (1 + NARROWEST)):
                left.append(ends)
            elif most > right:
                cut.append((ends[0], float(np.sqrt(ends[0] * ends[1])), ends[1]))
        told(len(cut))
        for fold in folds if cut else []:
            fold.solve([middle for _, middle, _ in cut])
        doubtful = [part for a, C, b in cut for part in ((a, C), (C, b))]
    return left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--low", type=float, default=0.025)
    parser.add_argument("--high", type=float, default=0.4)
    options = parser.parse_args()
    X, s = load()
    low, high = options.low, options.high
    search = exact_search(X, s, low, high, n_jobs=-1)
    cv = StratifiedKFold(5)
    sizes = np.array([len(test) for _, test in cv.split(X, s)])
    right = int(np.rint(search.test_scores * sizes[:, None]).sum(axis=0).max())
    print(f"the exact search: {right} of {len(s)} right", flush=True)
    folds = [Fold(X, s, train, test) for train, test in cv.split(X, s)]
    left = with_more(
        folds, low, high, right, lambda cut: print(f"{cut} intervals to cut", file=sys.stderr)
    )
    print(f"the bound, with {len(folds[0].optima)} optima a fold: intervals with more: {len(left)}")
    for ends in left:
        print(*ends)


if __name__ == "__main__":
    main()
