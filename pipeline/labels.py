"""The two classes: which is -1 and which +1; and the article of a name."""

import numpy as np


def signs(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """-1 where y is the first class, +1 where it is the second.

    Parameters
    ----------
    y : (n,) labels, each one of `classes`
    classes : (2,) labels

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


def with_article(name: str) -> str:
    """The name with its article: "a 5", "an 8", "an Ankle boot"."""
    vowel = name[:1].lower() in ("a", "e", "i", "o", "u", "8") or name in ("11", "18")
    return f"an {name}" if vowel else f"a {name}"
