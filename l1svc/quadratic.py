"""ℓ1-penalised quadratic: min over w of ½ wᵀGw − rᵀw + λ‖w‖₁, by an active-set method.

The support S and its signs are guessed, the linear system of S is solved, coordinates whose sign
comes out wrong leave, coordinates that violate |Gw − r|_j ≤ λ enter, until neither happens. Every
move lowers the objective, so no support comes twice: where letting the wrong ones go, all at
once, would not, the move ends at the first sign change.

One Cholesky factorisation, of the first support's G_SS, serves all the later ones: a coordinate
that enters or leaves borders the system by one row (the Schur-complement method of [1]).

[1] P. Gill, W. Murray, M. Saunders, M. Wright, "A Schur-complement method for sparse quadratic
    programming", 1990.
"""

import numpy as np

from .blas import back_solve, cholesky, half_solve, symmetric_dot

MAX_STEPS = 1000
KKT_SLACK = 1e-11  # the largest violation of the optimality conditions, over λ
BORDER_ERROR = 1e-6  # the largest residual, over λ, of a solution by a border that a move trusts
RELATIVE_DAMPING = 1e-13  # δ_j over G_jj: below what rounding does to small eigenvalues
DAMPING_FACTOR = 100.0  # all δ rise by this factor until the Cholesky factor exists
# A support is factored anew where it differs from the factored one by more coordinates than
# MAX_BORDER, and than one in BORDER_DIVISOR of the factored ones.
MAX_BORDER, BORDER_DIVISOR = 16, 3
MAX_ENTERING = 32  # so many coordinates may enter at a time, or as many as the support has if more


class SupportSystem:
    """Solves (G_SS + diag(δ)_S) z = c_S for supports S that differ little from one another.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q), symmetric positive semidefinite, by its lower triangle
    damping : float64 ndarray of shape (q,)
        δ; raised until the factorisation exists.
    """

    def __init__(self, G: np.ndarray, damping: np.ndarray) -> None:
        self.G = G
        self.damping = damping
        self.base = np.empty(0, dtype=int)  # the support that is factored; none yet
        self.bordered: bool  # whether the last solution had a border
        self.L: np.ndarray  # of the base, with the last right-hand side and L⁻¹ of it
        self.rhs: np.ndarray
        self.half: np.ndarray

    def solve(self, S: np.ndarray, c: np.ndarray) -> np.ndarray:
        """z of shape (len(S),), for S ascending and c of shape (q,)."""
        if not len(S):
            self.bordered = False
            return np.zeros(0)
        if len(self.base):
            inside = np.zeros(len(self.G), dtype=bool)
            inside[S] = True
            left = np.flatnonzero(~inside[self.base])
            inside[self.base] = False
            entered = np.flatnonzero(inside)
            border = len(entered) + len(left)
        if not len(self.base) or border > max(MAX_BORDER, len(self.base) // BORDER_DIVISOR):
            self._factor(S)
            border = 0
        self.bordered = border > 0
        rhs = c[self.base]
        if border:
            rhs[left] = self.rhs[left]  # of no effect: these are held at zero
        if (rhs != self.rhs).any():
            self.rhs, self.half = rhs, half_solve(self.L, rhs)
        if not border:
            return back_solve(self.L, self.half)

        # The factored G (k, k) is bordered by U (k, border): [G U; Uᵀ D] [z; x] = [c; e]. Columns
        # of U are G's for coordinates that entered, units for those that left. The x of the
        # latter is the multiplier that holds them at zero. With G = LLᵀ and V = UᵀL⁻ᵀ, x solves
        # the small system of the Schur complement D − VVᵀ, and z is left to two triangular solves.
        V = self._border(entered, left)
        D, e = np.zeros((border, border)), np.zeros(border)
        D[: len(entered), : len(entered)] = self._entries(entered, entered)
        D[np.arange(len(entered)), np.arange(len(entered))] += self.damping[entered]
        e[: len(entered)] = c[entered]
        x = np.linalg.solve(D - V @ V.T, e - V @ self.half)
        z = np.zeros(len(c))
        z[self.base] = back_solve(self.L, self.half - x @ V)
        z[entered] = x[: len(entered)]
        return z[S]

    def _factor(self, S: np.ndarray) -> None:
        self.base = S
        self.rhs = np.full(len(S), np.nan)  # equal to no other
        self.place = np.full(len(self.G), -1)  # of a coordinate's row in V
        self.V = np.empty((0, len(S)))
        while True:
            self.L = self.G.take(S, axis=0).take(S, axis=1)  # a third of the time of np.ix_
            self.L[np.diag_indices(len(S))] += self.damping[S]
            if cholesky(self.L):
                return
            self.damping = self.damping * DAMPING_FACTOR

    def forget(self) -> None:
        """Factor the next support anew."""
        self.base = self.base[:0]

    def _border(self, entered: np.ndarray, left: np.ndarray) -> np.ndarray:
        """L⁻¹U, transposed; what an earlier support had in its border is not solved again."""
        coordinates = np.concatenate([entered, self.base[left]])
        new = self.place[coordinates] < 0
        new_entered, new_left = entered[new[: len(entered)]], left[new[len(entered) :]]
        U = np.zeros((int(new.sum()), len(self.base)))
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
    """δ of shape (q,): each column's own scale; the largest one's where a column is all zero."""
    scale = G.diagonal()
    return RELATIVE_DAMPING * np.where(scale > 0, scale, max(scale.max(initial=0.0), 1e-300))


def minimise(
    G: np.ndarray, r: np.ndarray, lam: float, start: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """min over w of ½ wᵀGw − rᵀw + ½ Σ_j δ_j (w_j − start_j)² + λ‖w‖₁, δ tiny.

    The proximal term makes singular G (equal columns, fewer rows than columns) harmless, and
    vanishes where the outer iteration stands still.

    Parameters
    ----------
    G : float64 ndarray of shape (q, q), by its lower triangle
    r, start : float64 ndarray of shape (q,)
    lam : float, positive

    Returns
    -------
    w : float64 ndarray of shape (q,)
        Zeros are exact.
    change : float
        The objective at w minus at ``start``, without the proximal term; at most 0.
    residual : float
        max_j δ_j |w_j − start_j|, the violation of the optimality conditions that the term leaves.
    """
    system = SupportSystem(G, _smallest_damping(G))
    w, sign = start, np.sign(start)
    eager = True  # whether to solve on without the wrong ones before looking at the objective
    gradient_at_start = gradient = symmetric_dot(G, start) - r
    for _ in range(MAX_STEPS):
        # With the signs fixed, ‖w‖₁ is linear, and the minimum on S is that of a linear system.
        S = np.flatnonzero(sign)
        c = r + system.damping * start - lam * sign
        z = first = system.solve(S, c)
        bordered = system.bordered
        # A coordinate that comes out with the other sign belongs to no minimum with these signs.
        # All such leave at once, until none is left. One at a time would be safe, but slow.
        right = sign[S] * z >= 0
        while not right.all():
            S, z = S[right], z[right]
            if not eager:
                break
            z = system.solve(S, c)
            right = sign[S] * z >= 0
        target = np.zeros(len(r))
        target[S] = z
        last, gradient = gradient, symmetric_dot(G, target) - r
        # Without the wrong ones the objective may be higher than at w. The way to the first
        # solution leads downhill: then the move follows that, until the first sign changes.
        if len(z) < len(first) and _rise(w, target, last, gradient, lam) >= 0:
            if bordered and _error(system, np.flatnonzero(sign), first, c) > BORDER_ERROR * lam:
                system.forget()  # a border of nearly singular factors: solved anew
                gradient = last
                continue
            w, sign = _to_first_zero(w, sign, first)
            gradient = symmetric_dot(G, w) - r
            eager = False
            continue
        w, kept = target, sign[S]
        sign = np.zeros(len(r))
        sign[S] = kept
        if not right.all():
            continue
        # w is the minimum on S if the gradient there is −λ sign. A border may have too much
        # rounding for that to hold.
        total = gradient + system.damping * (w - start)
        if system.bordered and np.abs(total[S] + lam * sign[S]).max(initial=0.0) > KKT_SLACK * lam:
            system.forget()
            continue
        # A zero stays zero as long as its gradient is within ±λ. The others enter, the strongest
        # first, and not all at once: with many columns most of them would leave again.
        pull = np.abs(total)
        pull[S] = 0.0
        entering = np.flatnonzero(pull > (1.0 + KKT_SLACK) * lam)
        if not len(entering):
            break
        limit = max(MAX_ENTERING, len(S))
        if len(entering) > limit:
            entering = entering[np.argpartition(-pull[entering], limit)[:limit]]
        sign[entering] = -np.sign(gradient[entering])
    change = _rise(start, w, gradient_at_start, gradient, lam)
    return w, change, (system.damping * np.abs(w - start)).max(initial=0.0)


def _error(system, S, z, c):
    """‖(G_SS + diag(δ)_S) z − c_S‖∞."""
    w = np.zeros(len(c))
    w[S] = z
    return np.abs(symmetric_dot(system.G, w) + system.damping * w - c)[S].max()


def _rise(w, target, gradient, gradient_at_target, lam):
    """How much higher the objective is at ``target`` than at w."""
    smooth = 0.5 * (target - w) @ (gradient + gradient_at_target)
    return smooth + lam * np.sum(np.abs(target) - np.abs(w))


def _to_first_zero(w, sign, z):
    """From w toward z on the support of ``sign``, until the first sign change: point, signs."""
    S = np.flatnonzero(sign)
    crossed = sign[S] * z < 0
    reach = w[S][crossed] / (w[S][crossed] - z[crossed])
    target, sign = w.copy(), sign.copy()
    target[S] += reach.min() * (z - w[S])
    at_zero = S[crossed][reach == reach.min()]
    target[at_zero] = sign[at_zero] = 0.0
    return target, sign
