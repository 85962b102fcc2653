"""ℓ1-penalised quadratic: min over v of ½ vᵀGv − rᵀv + λ‖v‖₁, by an active-set method.

The support S and its signs are guessed, the linear system of S is solved, coordinates whose sign
comes out wrong leave, coordinates that violate |Gv − r|_j ≤ λ enter, until neither happens. Every
move lowers the objective, so no support comes twice.

One Cholesky factorisation, of the first support's G_SS, serves all the later ones: a coordinate
that enters or leaves borders the system by one row (the Schur-complement method of [1]).

[1] P. Gill, W. Murray, M. Saunders, M. Wright, "A Schur-complement method for sparse quadratic
    programming", 1990.
"""

import numpy as np
from scipy.linalg.blas import dtrsm, dtrsv

MAX_STEPS = 1000
DAMPING = 1e-13  # δ over max_j G_jj: well below what rounding does to G's smallest eigenvalues


class SupportSystem:
    """Solves (G_SS + δI) z = c_S for supports S that differ little from one another.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q), symmetric positive semidefinite
    damping : float
        δ; raised until the factorisation exists.
    """

    def __init__(self, G, damping):
        self.G = G
        self.damping = damping
        self.base = None

    def solve(self, S, c):
        """z of shape (len(S),), for S ascending and c of shape (q,)."""
        if self.base is not None:
            inside = np.zeros(len(self.G), dtype=bool)
            inside[S] = True
            left = np.flatnonzero(~inside[self.base])
            inside[self.base] = False
            entered = np.flatnonzero(inside)
            border = len(entered) + len(left)
        if self.base is None or border > max(16, len(self.base) // 3):
            self._factor(S)
            entered, left, border = S[:0], S[:0], 0
        k = len(self.base)
        half = self._half_solve(c[self.base])
        if not border:
            return self._back_solve(half)

        # [H U; Uᵀ D] [z; x] = [c; e]: columns of U are G's for those that entered, units for
        # those that left; the x of the latter is the multiplier that holds them at zero.
        U = np.zeros((k, border), order="F")
        columns = self.G[entered]
        U[:, : len(entered)] = columns[:, self.base].T
        U[left, np.arange(len(entered), border)] = 1.0
        D = np.zeros((border, border))
        D[: len(entered), : len(entered)] = columns[:, entered]
        D[np.arange(len(entered)), np.arange(len(entered))] += self.damping
        e = np.zeros(border)
        e[: len(entered)] = c[entered]
        V = self._half_solve(U)
        x = np.linalg.solve(D - V.T @ V, e - V.T @ half)
        z = np.zeros(len(c))
        z[self.base] = self._back_solve(half - V @ x)
        z[self.base[left]] = 0.0
        z[entered] = x[: len(entered)]
        return z[S]

    def _factor(self, S):
        self.base = S
        H = self.G[S][:, S]  # a third of the time that np.ix_ takes
        diagonal = H.diagonal().copy()
        while True:
            np.fill_diagonal(H, diagonal + self.damping)
            try:
                # not SciPy's: NumPy's lets other threads run
                self.R = np.linalg.cholesky(H).T
            except np.linalg.LinAlgError:
                self.damping *= 100.0
            else:
                return

    def _half_solve(self, c):
        """R⁻ᵀc, for H = RᵀR."""
        if c.ndim == 1:
            return dtrsv(self.R, c, lower=0, trans=1)
        return dtrsm(1.0, self.R, c, lower=0, trans_a=1)

    def _back_solve(self, c):
        """R⁻¹c."""
        return dtrsv(self.R, c, lower=0)


def _smallest_damping(G):
    return DAMPING * max(G.diagonal().max(initial=0.0), 1e-300)


def minimise(G, r, lam, start):
    """min over v of ½ vᵀGv − rᵀv + δ/2 ‖v − start‖² + λ‖v‖₁, δ tiny.

    The proximal term makes singular G (equal columns, fewer rows than columns) harmless, and
    vanishes where the outer iteration stands still.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q)
    r, start : float64 ndarray of shape (q,)
    lam : float, positive

    Returns
    -------
    v : float64 ndarray of shape (q,)
        Zeros are exact.
    change : float
        The objective at v minus at ``start``, without the proximal term; at most 0.
    residual : float
        δ‖v − start‖∞, the violation of the optimality conditions that the term leaves.
    """
    system = SupportSystem(G, _smallest_damping(G))
    v = start
    sign = np.sign(start)
    gradient_at_start = gradient = G @ start - r
    for _ in range(MAX_STEPS):
        S = np.flatnonzero(sign)
        if len(S):
            z = np.zeros(len(r))
            z[S] = system.solve(S, r - lam * sign + system.damping * start)
            crossed = sign * z < 0
            if crossed.any():
                v, sign = _truncate(G, gradient, lam, v, z, sign, crossed)
                gradient = G @ v - r
                continue
            v = z
            gradient = G @ v - r
        violation = np.abs(gradient + system.damping * (v - start)) - lam
        violation[S] = 0.0
        entering = np.flatnonzero(violation > 1e-11 * lam)
        if not len(entering):
            break
        limit = max(32, len(S))
        if len(entering) > limit:
            entering = entering[np.argpartition(-violation[entering], limit)[:limit]]
        sign[entering] = -np.sign(gradient[entering])
    step = v - start
    change = 0.5 * step @ (gradient + gradient_at_start) + lam * np.sum(np.abs(v) - np.abs(start))
    return v, change, system.damping * np.abs(step).max(initial=0.0)


def _truncate(G, gradient, lam, v, z, sign, crossed):
    """From v toward z, whose coordinates ``crossed`` have the wrong sign: a lower point.

    z with those set to zero if that is lower, or else the first sign change on the way.
    """
    target = np.where(crossed, 0.0, z)
    step = target - v
    change = step @ gradient + 0.5 * step @ (G @ step)
    change += lam * np.sum(np.abs(target) - np.abs(v))
    if change < 0:
        return target, np.sign(target)
    reach = np.full(len(v), np.inf)
    reach[crossed] = v[crossed] / (v[crossed] - z[crossed])
    first = reach == reach.min()
    target = np.where(first, 0.0, v + reach.min() * (z - v))
    return target, np.where(first, 0.0, sign)
