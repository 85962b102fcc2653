"""The two classes: which is -1 and which +1, and what they are called."""

import numpy as np


def signs(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """-1 where y is the first class, +1 where it is the second.

    Parameters
    ----------
    y : (n,) digits, each one of `classes`
    classes : (2,) digits

    Returns
    -------
    (n,) int8

    Raises
    ------
    ValueError
        A label is neither class.
    """
    if not np.isin(y, classes).all():
        raise ValueError(f"labels {np.unique(y)} are not all among the classes {classes}")
    return np.where(y == classes[1], 1, -1).astype(np.int8)


def with_article(digit: int) -> str:
    """The digit with its article: "a 5", "an 8"."""
    return f"an {digit}" if digit == 8 else f"a {digit}"
