"""A fit that stops before it has converged is refused, never used."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sklearn.exceptions import ConvergenceWarning

from pipeline.errors import NotConvergedError


@contextmanager
def converged(refusal: str) -> Iterator[None]:
    """A ConvergenceWarning of whatever is fitted within becomes a NotConvergedError, `refusal`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            yield
        except ConvergenceWarning as warning:
            raise NotConvergedError(refusal) from warning
