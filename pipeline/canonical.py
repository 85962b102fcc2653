"""Every rounding that the project does, and why: what is saved has no digit that a machine decides.

The order in which a machine adds up decides the last digits of a sum. Below, each kind of number
keeps the digits that are the same on every machine; docs/solver.md tells how they were found.
"""

import math
from decimal import Decimal

import numpy as np

SMALLEST_GAP = 1e-10  # below it, gaps are rounding: another on every machine
WEIGHT_DECIMALS = 11  # refined weights: the fewest that keep their certificate below 1e-8
PATH_DECIMALS = 6  # weights and objectives along the path: not refined, so fewer are certain
SCORE_DECIMALS = 9  # scores are sums of some hundred weights of 11 decimals
OBJECTIVE_DECIMALS = 9  # a sum over all images, of some hundreds
C_DIGITS = 4  # significant, of the path's C: enough to say them, and powers differ in the last bit


def round_weights(weights: np.ndarray) -> np.ndarray:
    """Refined weights, or a bias, to WEIGHT_DECIMALS decimals."""
    return weights.round(WEIGHT_DECIMALS)


def round_path(values: np.ndarray) -> np.ndarray:
    """Weights, biases or objectives along the path to PATH_DECIMALS decimals."""
    return values.round(PATH_DECIMALS)


def round_scores(scores: np.ndarray) -> np.ndarray:
    """Scores to SCORE_DECIMALS decimals: for tables, and before images are put in their order."""
    return scores.round(SCORE_DECIMALS)


def round_objective(objective: float) -> float:
    """The trained model's objective to OBJECTIVE_DECIMALS decimals."""
    return round(objective, OBJECTIVE_DECIMALS)


def round_C(C: float) -> float:
    """A value of C that is computed, not given, to C_DIGITS significant digits."""
    return float(f"{C:.{C_DIGITS}g}")


def log10_gap_bound(gap: float) -> int:
    """⌈log10(gap)⌉ of a relative duality gap, log10(SMALLEST_GAP) at least."""
    # Decimal's logarithm is exact at powers of ten, so that a bound is its own bound
    return math.ceil(Decimal(str(float(max(gap, SMALLEST_GAP)))).log10())


def gap_bound(gap: float) -> float:
    """The next power of ten at or above a relative duality gap, SMALLEST_GAP at least."""
    # not 10.0**exponent: the last bit of a power depends on the machine
    return float(f"1e{log10_gap_bound(gap)}")
