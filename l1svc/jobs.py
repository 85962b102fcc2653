"""Where tasks run: on threads, or on another of joblib's backends, to which the data go once."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from pickle import PicklingError
from typing import Any

from joblib import Parallel, delayed
from joblib.parallel import SequentialBackend, ThreadingBackend, get_active_backend


class Crew:
    """Those who work on one thing: tasks are ``function(thing, *task)``.

    joblib's processes read the arrays of ``thing`` from a memory map; when the system kills one, or
    has no room for the map, this process does what is left, and a RuntimeWarning says so. Dask
    sends it to each of its workers once, and all keep it: when one is lost, the others do what it
    has not done.

    Parameters
    ----------
    thing : object
        What every task needs, the data above all.
    n_jobs : int
        Of the backend that is active; Dask takes all the threads of its workers.
    prefer : {"threads", "processes"}, default="threads"
        Where none is active; threads share the data, but wait for each other in Python's own steps.

    Attributes
    ----------
    elsewhere : bool
        Whether tasks run in other processes.
    """

    def __init__(self, thing: Any, n_jobs: int, prefer: str = "threads") -> None:
        self.thing = thing
        self.n_jobs = n_jobs
        self.prefer = prefer
        self.backend, _ = get_active_backend(prefer=prefer)
        self.client: Any = getattr(self.backend, "client", None)  # Dask's backend alone has one
        here = n_jobs == 1 or isinstance(self.backend, ThreadingBackend | SequentialBackend)
        self.elsewhere = self.client is not None or not here
        self.sent: Any = None  # Dask's name for the thing

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """The tasks' results in their order, each as soon as it and those before it are there."""
        if self.client is not None:
            return self._by_dask(function, list(tasks))
        return self._by_joblib(function, list(tasks))

    def _by_joblib(self, function, tasks):
        as_done = "generator" if self.backend.supports_return_generator else "list"
        parallel = Parallel(n_jobs=self.n_jobs, prefer=self.prefer, return_as=as_done)
        done = 0
        try:
            for result in parallel(delayed(function)(self.thing, *task) for task in tasks):
                done += 1
                yield result
        except (BrokenExecutor, OSError, PicklingError) as error:
            # the cause of a thing that could not be sent, which is another process' traceback
            cause = (str(error.__cause__ or error).strip("\n'\" ") or "?").splitlines()[-1]
            if isinstance(error, PicklingError) and not cause.startswith("OSError"):
                raise
            what = "were killed" if isinstance(error, BrokenExecutor) else f"failed ({cause})"
            warnings.warn(
                f"joblib's processes {what}, as where memory or disk is short; the rest of the "
                "work is done in this process",
                RuntimeWarning,
                stacklevel=2,
            )
            for task in tasks[done:]:
                yield function(self.thing, *task)

    def _by_dask(self, function, tasks):
        """Not through joblib's Parallel: it takes a cluster of one thread for this process."""
        while tasks:
            if self.sent is None:
                self.sent = self.client.scatter(self.thing, broadcast=True, hash=False)
            options = {"pure": False, **self.backend.submit_kwargs}
            futures = [self.client.submit(function, self.sent, *task, **options) for task in tasks]
            try:
                while futures:
                    with self.backend.retrieval_context():
                        result = futures[0].result()
                    del futures[0], tasks[0]
                    yield result
            except CancelledError:  # whoever had the thing is gone: it is sent again
                self.sent = None
