"""BLAS has one thread while anything is fitted, and what it had before once nothing is."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, bootstrap, svm_path
from l1svc.threads import one_blas_thread


def blas():
    """How many threads each BLAS of this process has."""
    return [
        library["num_threads"]
        for library in ThreadpoolController().info()
        if library["user_api"] == "blas"
    ]


@pytest.fixture(autouse=True)
def before():
    """The numbers before each test: two threads, where BLAS has a number to set."""
    limit = ThreadpoolController().limit(limits=2, user_api="blas")
    with ThreadpoolController().limit():
        pass  # or this thread alone could set limits
    yield blas()
    limit.restore_original_limits()
    with ThreadpoolController().limit():
        pass


class Stay:
    """A call on a thread of its own that holds BLAS to one thread until it is told to end."""

    def __init__(self):
        self.began, self.end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=one_blas_thread(self._stay))
        self.thread.start()
        assert self.began.wait(10)

    def _stay(self):
        self.began.set()
        self.end.wait(10)

    def leave(self):
        self.end.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_the_last_that_leaves_sets_it_back_in_any_order(before, order):
    for _ in range(2):
        calls = [Stay() for _ in order]
        for k in order:
            assert set(blas()) <= {1}
            calls[k].leave()
        assert blas() == before


def test_concurrent_fits_leave_blas_as_it_was(before, problem):
    X, y = problem
    works = [
        lambda k: L1LinearSVC(0.1 * (k + 1)).fit(X, y),
        lambda k: L1LinearSVCSearchCV([0.1, 1.0], cv=2 + k % 3, n_jobs=2).fit(X, y),
        lambda k: svm_path(X, y, [0.1, 1.0], n_jobs=2),
        lambda k: bootstrap(X, y, 0.1, 3, n_jobs=2),
    ]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(works[k % 4], k) for k in range(24)]:
            done.result()
    assert blas() == before
    for k in range(4):
        works[k](k)
        assert blas() == before


def test_what_ends_in_an_error_leaves_blas_as_it_was(before, problem):
    X, y = problem
    seen = []

    def look():
        seen.append(blas())
        raise ArithmeticError("enough")

    with pytest.raises(ArithmeticError, match="enough"):
        svm_path(X, y, [0.1], callback=look)
    with pytest.raises(ValueError, match="classes"):
        L1LinearSVC().fit(X, np.ones(len(y)))
    assert set(seen[0]) <= {1}
    assert blas() == before
