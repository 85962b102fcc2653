"""Newton's exact end (:mod:`l1svc.newton`) after the steps for wide problems (:mod:`l1svc.wide`).

With about as many rows as columns, or fewer, and large C, nearly every change of the support moves
rows across m_i = 1, and the quadratic that :mod:`l1svc.quadratic` solves to the end is soon
another. Coordinate descent and damped steps then get to the optimum in a fifth of the time; from
there, G on the support alone makes it right to the last digit.
"""

from typing import Self

import numpy as np

from .newton import NewtonSolver
from .problem import Problem
from .wide import WideSolver


class SquareSolver(NewtonSolver):
    """One binary problem; parameters and attributes are those of NewtonSolver."""

    def __init__(self, problem: Problem, w: np.ndarray | None = None) -> None:
        self.wide = WideSolver(problem, w)
        super().__init__(problem, w)

    def restart(self, w: np.ndarray) -> None:
        """Continue from w."""
        self._take(w)
        self.wide.restart(w)

    def reweighted(self, weights: np.ndarray) -> Self:
        """A copy of this solver, at the same w, for other weights of the rows."""
        other = super().reweighted(weights)
        other.wide = self.wide.reweighted(weights)
        return other

    def approach(self, C: float, max_iter: int) -> None:
        """Move ``w`` near the optimum at C."""
        self.wide.approach(C, max_iter)
        self._count()
        self._take(self.wide.w)

    def solve(self, C: float, max_iter: int) -> None:
        """Move ``w`` to the optimum at C, by at most ``max_iter`` steps of either kind."""
        limit = self.n_iter + max_iter
        self.wide.solve(C, max_iter)
        self._count()
        self._take(self.wide.w)
        super().solve(C, limit - self.n_iter)
        self.wide.restart(self.w)
        self.wide.C = C  # the next C rises from here

    def _count(self):
        self.n_iter += self.wide.n_iter
        self.wide.n_iter = 0

    def _take(self, w):
        """Newton's steps go on from w, with G on its support."""
        super().restart(w)
        self._keep(np.flatnonzero(w))
