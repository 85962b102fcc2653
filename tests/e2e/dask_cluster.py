"""A real Dask scheduler and workers, each a process on loopback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, Worker
from distributed.comm import tcp

ROOT = Path(__file__).resolve().parents[2]
ALONE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
PATIENCE = 300  # seconds, on a busy machine
OPTIONS = ["--host", "127.0.0.1", "--no-dashboard"]


class Cluster:
    """A scheduler and its workers, of one thread each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        scheduler = self._start("scheduler", "--port", "0")
        until = time.monotonic() + PATIENCE
        while not (found := re.search(r"Scheduler at:\s+(\S+)\n", self.said())):
            assert scheduler.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)
        self.address: str = found[1]
        self.workers: dict[str, subprocess.Popen] = {}

    def add_worker(self, code: Path = ROOT) -> str:
        """One more worker, which imports from `code`; its name."""
        name = f"worker-{len(self.processes)}"
        options = ["--nthreads", "1", "--no-nanny", "--name", name]
        options += ["--local-directory", str(self.folder)]
        self.workers[name] = self._start("worker", self.address, *options, code=code)
        return name

    def wait_for_workers(self, client: Client) -> None:
        """Wait until the scheduler has these workers and no other: a killed one is seen later."""
        until = time.monotonic() + PATIENCE
        while {
            worker["name"] for worker in client.scheduler_info()["workers"].values()
        } != self.workers.keys():
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """End a worker as a power cut does."""
        worker = self.workers.pop(name)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def said(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _start(self, kind: str, *options: str, code: Path = ROOT) -> subprocess.Popen:
        with (self.folder / f"{kind}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, *OPTIONS, *options],
                cwd=self.folder,
                env=os.environ | ALONE | {"PYTHONPATH": str(code)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process


@contextmanager
def dask_cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler without workers."""
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()


# For `Client.run`, which runs them in the workers.


def start_counting(dask_worker: Worker) -> None:
    """Count the bytes that this worker reads from its sockets."""
    inner = getattr(tcp.read_bytes_rw, "inner", tcp.read_bytes_rw)

    async def read(stream, n):
        dask_worker.bytes_read += n
        return await inner(stream, n)

    read.inner = inner
    dask_worker.bytes_read = 0
    tcp.read_bytes_rw = read


def counted(dask_worker: Worker) -> int:
    return dask_worker.bytes_read
