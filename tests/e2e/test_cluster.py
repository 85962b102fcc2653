"""The search and the bootstrap on a Dask cluster: the bits of the local run, the data sent once."""

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from joblib import parallel_config

import l1svc
from l1svc import Fits, L1LinearSVCSearchCV, bootstrap
from pipeline.cluster import VARIABLE
from pipeline.cluster import cluster as pipeline_cluster
from tests.e2e.conftest import Run

if TYPE_CHECKING:  # Dask is there for `make test`, and not yet where this is only collected
    from distributed import Client

    from tests.e2e.dask_cluster import Cluster

ARTICLE = True
CS = np.geomspace(0.01, 10.0, 6)
SAMPLES = 12
GRIDSEARCH = (sys.executable, "-m", "stages.gridsearch")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Cluster]":
    pytest.importorskip("distributed", reason="Dask is missing: `make dev`")
    from tests.e2e.dask_cluster import dask_cluster

    with dask_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: "Cluster") -> "Iterator[Client]":
    """A client of two workers."""
    from distributed import Client

    while len(cluster.workers) < 2:
        cluster.add_worker()
    with Client(cluster.address, timeout=300) as client:
        cluster.wait_for_workers(client)
        yield client


@pytest.fixture(scope="module")
def problem() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.random((6000, 200))
    return X, (X[:, :20].sum(axis=1) + random.normal(size=6000) > 10).astype(int)


def search(problem, callback: Callable[[], object] | None = None) -> L1LinearSVCSearchCV:
    return L1LinearSVCSearchCV(CS, cv=6, n_jobs=-1).fit(*problem, callback=callback)


def samples(problem, callback: Callable[[], object] | None = None) -> Fits:
    return bootstrap(*problem, 1.0, SAMPLES, n_jobs=-1, callback=callback)


def assert_same(one: L1LinearSVCSearchCV | Fits, other: L1LinearSVCSearchCV | Fits) -> None:
    """To the bit."""
    if isinstance(one, Fits):
        for name, values in vars(one).items():
            np.testing.assert_array_equal(getattr(other, name), values)
        return
    for key, values in one.cv_results_.items():
        if not key.endswith("_time"):
            np.testing.assert_array_equal(other.cv_results_[key], values)
    np.testing.assert_array_equal(other.best_estimator_.coef_, one.best_estimator_.coef_)


@pytest.fixture(scope="module")
def local(problem) -> Callable[[Callable], L1LinearSVCSearchCV | Fits]:
    """A function that gives what a function finds on this machine, computed once."""
    return cache(lambda work: work(problem))


@pytest.mark.parametrize("work", [search, pytest.param(samples, marks=pytest.mark.long)])
def test_the_bits_are_those_of_the_local_run(
    cluster: "Cluster", client: "Client", problem, local, work, monkeypatch
) -> None:
    from distributed import get_task_stream

    monkeypatch.setenv(VARIABLE, cluster.address)
    called = []
    with pipeline_cluster(), get_task_stream(client) as tasks:
        found = work(problem, lambda: called.append(1))
    assert_same(local(work), found)
    assert len(called) == (len(CS) * 6 if work is search else SAMPLES)
    assert len(tasks.data) >= 6  # a fold each, or a few samples: it is the workers that computed


@pytest.mark.long
@pytest.mark.parametrize("work", [search, samples])
def test_a_worker_reads_the_data_once(client: "Client", problem, work) -> None:
    """A worker that the system gives no time has nothing to read."""
    from tests.e2e.dask_cluster import counted, start_counting

    client.run(start_counting)
    with parallel_config("dask"):
        work(problem)
    read = [count / problem[0].nbytes for count in client.run(counted).values()]
    assert 1.0 <= max(read) < 1.5


@pytest.mark.long
@pytest.mark.parametrize("work", [search, samples])
def test_what_a_killed_worker_leaves_another_does(
    cluster: "Cluster", client: "Client", problem, local, work
) -> None:
    killed = []

    def kill() -> None:
        """When the first result is back: a worker that is at work, if one is."""
        if not killed:
            processing = client.processing()
            busy = max(processing, key=lambda address: len(processing[address]))
            killed.append(client.scheduler_info()["workers"][busy]["name"])
            cluster.kill(killed[0])

    with parallel_config("dask"):
        found = work(problem, kill)
    assert killed
    assert_same(local(work), found)


@pytest.mark.long
def test_when_all_workers_are_gone_a_new_one_gets_the_data(
    cluster: "Cluster", client: "Client", problem, local
) -> None:
    gone = []

    def replace() -> None:
        if not gone:
            gone.extend(cluster.workers)
            for name in gone:
                cluster.kill(name)
            cluster.add_worker()

    with parallel_config("dask"):
        found = samples(problem, replace)
    assert len(gone) == 2
    assert_same(local(samples), found)


@pytest.mark.long
def test_what_a_task_raises_is_raised(client: "Client", problem) -> None:
    X, _ = problem
    with parallel_config("dask"), pytest.raises(ValueError, match="at least 2 classes"):
        bootstrap(X[:3], np.array([0, 0, 1]), 1.0, 20, n_jobs=-1)


@pytest.mark.long
def test_a_cluster_changes_no_byte_of_the_stages(
    client: "Client", cluster: "Cluster", run: Run, project: Path, snapshot
) -> None:
    from distributed import get_task_stream

    before = snapshot()
    for stage, function in (("gridsearch", "_run_fold"), ("interpret", "_resolve")):
        with get_task_stream(client) as tasks:
            run(sys.executable, "-m", f"stages.{stage}", **{VARIABLE: cluster.address})
        assert sum(function in task["key"] for task in tasks.data) >= 5
    assert snapshot() == before


TIMEOUTS = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}


@pytest.mark.long
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere://"])
def test_where_there_is_no_scheduler_a_line_says_so(run: Run, address: str) -> None:
    done = run(*GRIDSEARCH, check=False, **{VARIABLE: address}, **TIMEOUTS)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{VARIABLE}: got {address} (")
    assert "allowed: the address of a Dask scheduler" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_a_worker_that_might_compute_something_else_is_refused(
    cluster: "Cluster", client: "Client", run: Run, tmp_path: Path
) -> None:
    (tmp_path / "l1svc").mkdir()
    (tmp_path / "l1svc/__init__.py").write_text('__version__ = "0.0"\n')
    other = cluster.add_worker(tmp_path)
    cluster.wait_for_workers(client)
    done = run(*GRIDSEARCH, check=False, **{VARIABLE: cluster.address})
    cluster.kill(other)
    assert done.returncode == 2
    assert f"has l1svc 0.0, numpy {np.__version__}" in done.stderr
    assert f"allowed: l1svc {l1svc.__version__}, numpy {np.__version__}" in done.stderr
    assert done.stderr.count("\n") == 1
