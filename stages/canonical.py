"""Numbers without the digits that depend on the order in which a machine adds up."""

import numpy as np

DECIMALS = 11  # of saved weights; docs/solver.md says why so many and no more


def rounded(weights: np.ndarray) -> np.ndarray:
    """The weights to DECIMALS decimals."""
    return weights.round(DECIMALS)


def gap_bound(gap: np.ndarray) -> np.ndarray:
    """The next power of ten at or above each relative duality gap, 1e-12 at least."""
    exponents = np.ceil(np.log10(np.maximum(gap, 1e-12))).astype(int)
    return np.vectorize(lambda exponent: float(f"1e{exponent}"))(
        exponents
    )  # 10.0**-11 is not 1e-11
