"""Every rounding of what is saved, and why.

The order in which a machine adds up decides the last decimals of a sum. Below, each kind of number
keeps the decimals that are the same on every machine; l1svc/docs/solver.md tells how many.

The relative duality gap of weights is a computed bound on how far their objective is above the
minimum, divided by the objective; that bound is their certificate. Refined weights are solved for
until only rounding remains.
"""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np

SMALLEST_GAP = 1e-10  # below it, gaps are rounding: another on every machine
WEIGHT_DECIMALS = 11  # refined weights: the fewest that keep their certificate below 1e-8
PATH_DECIMALS = 6  # weights and objectives along the path: not refined, so fewer are certain
PATH_UNIT = 1e-6  # 10^-PATH_DECIMALS
SCORE_DECIMALS = 9
OBJECTIVE_DECIMALS = 9  # a sum over all images, of some hundreds
C_DIGITS = 4  # significant, of the path's C: enough to say them, and powers differ in the last bit
DIFFERENCE_DECIMALS = 5  # of two scores: as many as DVC shows
MEASURE_DECIMALS = 3  # of what images look like: widths of strokes, likenesses
EVENT_DIGITS = 6  # significant, of a C at which something happens: machines differ from the 12th on


def round_weights(weights: np.ndarray) -> np.ndarray:
    """Refined weights, or a bias, to WEIGHT_DECIMALS decimals."""
    return weights.round(WEIGHT_DECIMALS)


def round_path(values: np.ndarray) -> np.ndarray:
    """Weights, biases or objectives along the path to PATH_DECIMALS decimals."""
    return values.round(PATH_DECIMALS)


def path_units(values: np.ndarray) -> np.ndarray:
    """Weights along the path as int64 multiples of PATH_UNIT, the nearest."""
    return np.rint(values / PATH_UNIT).astype(np.int64)


def exact_scores(X: np.ndarray, coef: np.ndarray, intercept: float) -> np.ndarray:
    """f_i = w·x_i + b, the double nearest to it: no order of adding up can change one.

    In whole numbers: 255·10^d·f_i is a sum of pixels 0…255 times multiples of 10^-d, d =
    WEIGHT_DECIMALS. The multiples are taken in parts so small that doubles add them exactly.

    Parameters
    ----------
    X : (n, p) multiples of 1/255 in [0, 1]
    coef, intercept : (p,) weights w and bias b, to d decimals (`round_weights`)

    Returns
    -------
    (n,) float64
    """
    used = np.flatnonzero(coef)
    pixels = np.column_stack([np.rint(X[:, used] * 255), np.full(len(X), 255.0)])
    whole = np.rint(np.append(coef[used], intercept) * 10**WEIGHT_DECIMALS).astype(np.int64)
    signs, rest = np.sign(whole), np.abs(whole)
    # The whole numbers are cut into parts of `bits` bits, so that a row's sum of 255 × part stays
    # below 2^53: doubles add it exactly. Python's integers put the sums of the parts together.
    bits = 53 - (255 * whole.size).bit_length()
    total, shift = [0] * len(X), 0
    while rest.any():
        part = pixels @ (signs * (rest & (2**bits - 1))).astype(float)
        total = [so_far + (int(more) << shift) for so_far, more in zip(total, part, strict=True)]
        rest >>= bits
        shift += bits
    unit = 255 * 10**WEIGHT_DECIMALS
    return np.array([value / unit for value in total])


def round_scores(scores: np.ndarray) -> np.ndarray:
    """Scores to SCORE_DECIMALS decimals, enough for files."""
    return scores.round(SCORE_DECIMALS)


def round_objective(objective: float) -> float:
    """The trained model's objective to OBJECTIVE_DECIMALS decimals."""
    return round(objective, OBJECTIVE_DECIMALS)


def round_difference(difference: float) -> float:
    """The difference of two scores to DIFFERENCE_DECIMALS decimals."""
    return round(difference, DIFFERENCE_DECIMALS)


def round_measure(value: float) -> float:
    """A measure of images to MEASURE_DECIMALS decimals."""
    return round(value, MEASURE_DECIMALS)


def round_C(C: float) -> float:
    """A value of C that is computed, not given, to C_DIGITS significant digits."""
    return float(f"{C:.{C_DIGITS}g}")


def round_event(C: float) -> float:
    """A C at which something happens, to EVENT_DIGITS significant digits."""
    return float(f"{C:.{EVENT_DIGITS}g}")


def round_inward(low: float, high: float) -> tuple[float, float]:
    """The widest interval of EVENT_DIGITS significant digits within [low, high], or that itself."""
    first, last = (
        float(Context(EVENT_DIGITS, rounding).create_decimal(repr(end)))
        for end, rounding in ((low, ROUND_CEILING), (high, ROUND_FLOOR))
    )
    return (first, last) if first <= last else (low, high)


def log10_gap_bound(gap: float) -> int:
    """⌈log10(gap)⌉ of a relative duality gap, log10(SMALLEST_GAP) at least."""
    # Decimal's logarithm is exact at powers of ten, so that a bound is its own bound
    return math.ceil(Decimal(str(float(max(gap, SMALLEST_GAP)))).log10())


def gap_bound(gap: float) -> float:
    """The next power of ten at or above a relative duality gap, SMALLEST_GAP at least."""
    # not 10.0**exponent: the last bit of a power depends on the machine
    return float(f"1e{log10_gap_bound(gap)}")
