"""The Dask cluster on which the search and the bootstrap run, if one is named.

DASK_SCHEDULER_ADDRESS, Dask's own variable, names its scheduler. It is no param: a cluster cannot
change a result, only how long it takes (l1svc/docs/scale.md).
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import PipelineError

VARIABLE = "DASK_SCHEDULER_ADDRESS"
PATIENCE = 60  # seconds until a scheduler must have a worker
ALIKE = ["l1svc", "numpy", "scipy", "sklearn"]  # another version may compute other bits


class ClusterError(PipelineError):
    """The cluster that is named cannot be worked with."""


@contextmanager
def cluster() -> Iterator[None]:
    """Within it, l1svc's jobs run on the cluster; on this machine where none is named.

    Raises
    ------
    ClusterError
        There is no Dask here, no scheduler there, no worker; or one with other versions.
    """
    address = os.environ.get(VARIABLE)
    if not address:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(f"{VARIABLE}: Dask is missing here; `make dev` adds it") from error
    from joblib import parallel_config

    def versions() -> str:  # within: a worker need not have this module
        found = []
        for name in ALIKE:
            try:
                found.append(f"{name} {importlib.import_module(name).__version__}")
            except ImportError:
                found.append(f"no {name}")
        return ", ".join(found)

    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{VARIABLE}: got {address} ({error}); allowed: the address of a Dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ClusterError(
                f"{VARIABLE}: {address} has no worker after {PATIENCE} s; allowed: one or more"
            ) from error
        ours = versions()
        for worker, theirs in client.run(versions).items():
            if theirs != ours:
                raise ClusterError(f"{VARIABLE}: {worker} has {theirs}; allowed: {ours}")
        with parallel_config("dask", client=client):
            yield
