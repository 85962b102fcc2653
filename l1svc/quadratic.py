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

from .blas import back_solve, cholesky, half_solve, symmetric_dot

MAX_STEPS = 1000
SLACK = 1e-11  # of the optimality conditions, over λ
DAMPING = 1e-13  # δ over max_j G_jj: well below what rounding does to G's smallest eigenvalues


class SupportSystem:
    """Solves (G_SS + δI) z = c_S for supports S that differ little from one another.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q), symmetric positive semidefinite, by its lower triangle
    damping : float
        δ; raised until the factorisation exists.
    """

    def __init__(self, G, damping):
        self.G = G
        self.damping = damping
        self.base = None
        self.bordered = False

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
        self.bordered = border > 0
        half = half_solve(self.L, c[self.base])
        if not border:
            return back_solve(self.L, half)

        # [H U; Uᵀ D] [z; x] = [c; e]: columns of U are G's for those that entered, units for
        # those that left; the x of the latter is the multiplier that holds them at zero.
        V = self._border(entered, left)
        D, e = np.zeros((border, border)), np.zeros(border)
        D[: len(entered), : len(entered)] = self._entries(entered, entered)
        D[np.arange(len(entered)), np.arange(len(entered))] += self.damping
        e[: len(entered)] = c[entered]
        x = np.linalg.solve(D - V @ V.T, e - V @ half)
        z = np.zeros(len(c))
        z[self.base] = back_solve(self.L, half - x @ V)
        z[self.base[left]] = 0.0
        z[entered] = x[: len(entered)]
        return z[S]

    def _factor(self, S):
        self.base = S
        self.place = np.full(len(self.G), -1)  # of a coordinate's row in V
        self.V = np.empty((0, len(S)))
        while True:
            self.L = self.G.take(S, axis=0).take(S, axis=1)  # a third of the time of np.ix_
            self.L[np.diag_indices(len(S))] += self.damping
            if cholesky(self.L):
                return
            self.damping *= 100.0

    def _border(self, entered, left):
        """L⁻¹U, transposed; what an earlier support had in its border is not solved again."""
        coordinates = np.concatenate([entered, self.base[left]])
        new = self.place[coordinates] < 0
        new_entered, new_left = entered[new[: len(entered)]], left[new[len(entered) :]]
        U = np.zeros((np.count_nonzero(new), len(self.base)))
        U[: len(new_entered)] = self._entries(new_entered, self.base)
        U[np.arange(len(new_entered), len(U)), new_left] = 1.0
        self.place[coordinates[new]] = len(self.V) + np.arange(len(U))
        self.V = np.concatenate([self.V, half_solve(self.L, U)])
        return self.V[self.place[coordinates]]

    def _entries(self, rows, columns):
        """G at rows × columns, from its lower triangle."""
        rows = rows[:, None]
        return self.G[np.maximum(rows, columns), np.minimum(rows, columns)]


def _smallest_damping(G):
    return DAMPING * max(G.diagonal().max(initial=0.0), 1e-300)


def minimise(G, r, lam, start):
    """min over v of ½ vᵀGv − rᵀv + δ/2 ‖v − start‖² + λ‖v‖₁, δ tiny.

    The proximal term makes singular G (equal columns, fewer rows than columns) harmless, and
    vanishes where the outer iteration stands still.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q), by its lower triangle
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
    gradient_at_start = gradient = symmetric_dot(G, start) - r
    for _ in range(MAX_STEPS):
        S = np.flatnonzero(sign)
        if len(S):
            z = system.solve(S, r + system.damping * start - lam * sign)
            crossed = S[sign[S] * z < 0]
            target = np.zeros(len(r))
            target[S] = z
            if len(crossed):
                v, sign, gradient = _truncate(G, gradient, lam, v, target, sign, crossed)
                continue
            v = target
            gradient = symmetric_dot(G, v) - r
        total = gradient + system.damping * (v - start)
        if system.bordered and np.abs(total[S] + lam * sign[S]).max(initial=0.0) > SLACK * lam:
            system.base = None  # a border of nearly singular factors: solved anew
            continue
        pull = np.abs(total)
        pull[S] = 0.0
        entering = np.flatnonzero(pull > (1.0 + SLACK) * lam)
        if not len(entering):
            break
        limit = max(32, len(S))
        if len(entering) > limit:
            entering = entering[np.argpartition(-pull[entering], limit)[:limit]]
        sign[entering] = -np.sign(gradient[entering])
    step = v - start
    change = 0.5 * step @ (gradient + gradient_at_start) + lam * np.sum(np.abs(v) - np.abs(start))
    return v, change, system.damping * np.abs(step).max(initial=0.0)


def _truncate(G, gradient, lam, v, z, sign, crossed):
    """From v toward z, whose coordinates ``crossed`` have the wrong sign: a lower point.

    z with those set to zero if that is lower, or else the first sign change on the way. Its signs
    and its gradient come with it.
    """
    target = z.copy()
    target[crossed] = 0.0
    step = target - v
    curvature = symmetric_dot(G, step)
    change = step @ (gradient + 0.5 * curvature) + lam * (np.abs(target) - np.abs(v)).sum()
    if change < 0:
        return target, np.sign(target), gradient + curvature
    reach = v[crossed] / (v[crossed] - z[crossed])
    at_zero = crossed[reach == reach.min()]
    target = v + reach.min() * (z - v)
    target[at_zero] = 0.0
    sign[at_zero] = 0.0
    return target, sign, gradient + symmetric_dot(G, target - v)
