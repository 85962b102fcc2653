"""How many threads BLAS has, while any thread of this process fits.

The matrices are small: more BLAS threads wait for each other longer than they compute, and their
number would change the last bits.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

Function = TypeVar("Function", bound=Callable[..., Any])

# NumPy's and SciPy's BLAS, loaded by now, are looked for once: it takes some milliseconds.
_BLAS = ThreadpoolController().select(user_api="blas")
_SHARED = _BLAS.select(  # OpenMP has a number for each thread, others one for the process
    filepath=[
        library["filepath"]
        for library in _BLAS.info()
        if library.get("threading_layer") != "openmp"
    ]
)


class _Hold:
    """BLAS at one thread, from the first that enters to the last that leaves, in any order.

    Each of them setting back what it saw would not do: the last one saw the first one's limit.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = 0

    def enter(self):
        if not self.inside:
            self.limit = _SHARED.limit(limits=1)
        self.inside += 1

    def leave(self):
        self.inside -= 1
        if not self.inside:
            self.limit.restore_original_limits()
            with _SHARED.limit():
                pass  # on leaving this, threadpoolctl lets other threads set limits again


_HOLD = _Hold()


@contextmanager
def _limited() -> Iterator[None]:
    with _HOLD.lock:
        _HOLD.enter()
        own = _BLAS.limit(limits=1)
        own.__enter__()
    try:
        yield
    finally:
        with _HOLD.lock:
            own.__exit__(None, None, None)
            _HOLD.leave()


def one_blas_thread(function: Function) -> Function:
    """``function``, with BLAS held to one thread while it runs, here or in another thread."""
    limited: Function = _limited()(function)
    return limited
