"""Numbers without the digits that depend on the order in which a machine adds up."""

import numpy as np

SMALLEST_GAP = 1e-10  # below it, gaps are rounding: another on every machine
DECIMALS = 11  # of saved weights; docs/solver.md says why so many and no more


def rounded(weights: np.ndarray) -> np.ndarray:
    """The weights to DECIMALS decimals."""
    return weights.round(DECIMALS)


def gap_bound(gap: np.ndarray) -> np.ndarray:
    """The next power of ten at or above each relative duality gap, SMALLEST_GAP at least."""
    exponents = np.ceil(np.log10(np.maximum(gap, SMALLEST_GAP))).astype(int)
    # not 10.0**exponent: the last bit of a power depends on the machine
    return np.vectorize(lambda exponent: float(f"1e{exponent}"))(exponents)
