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
_BLAS = ThreadpoolController()


class _Hold:
    """BLAS at one thread, from the first that enters to the last that leaves.

    Their order is any. So a thread of its own sets the number and sets it back: what each of them
    saw and set back would be the other's, and threadpoolctl lets one thread at a time change it.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = 0

    def __enter__(self):
        with self.lock:
            if not self.inside:
                held, self.over = threading.Event(), threading.Event()
                self.keeper = threading.Thread(target=self._keep, args=(held,), daemon=True)
                self.keeper.start()
                held.wait()
            self.inside += 1

    def __exit__(self, *raised):
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.over.set()
                self.keeper.join()

    def _keep(self, held):
        with _BLAS.limit(limits=1, user_api="blas"):
            held.set()
            self.over.wait()


_HOLD = _Hold()


@contextmanager
def _limited() -> Iterator[None]:
    # The second is for a BLAS on OpenMP, which has a number for each thread.
    with _HOLD, _BLAS.limit(limits=1, user_api="blas"):
        yield


def one_blas_thread(function: Function) -> Function:
    """``function``, with BLAS held to one thread while it runs, here or in another thread."""
    limited: Function = _limited()(function)
    return limited
