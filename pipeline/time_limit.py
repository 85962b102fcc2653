"""Fetches from one source within bounds: so many seconds, so many bytes to a file.

The source runs in a process of its own, `python -m pipeline.time_limit DATASET SOURCE
TIMEOUT FILE`, which can be ended with all that it started. A server that sends a byte a second, or
never stops, costs no more than that.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from pipeline.artifacts import load_arrays, save_arrays
from pipeline.datasets import ARRAYS, DATASETS
from pipeline.sources import Arrays, SourceError

LARGEST = 2**28  # bytes of a file; the largest that is needed, the images, has 55 million
REFUSED = 3  # exit status: the reason is on stdout


def fetch(dataset: str, source: str, timeout: float, total: float) -> Arrays:
    """The arrays of a data set from one source, unchecked.

    Parameters
    ----------
    dataset : one of DATASETS
    source : one of the data set's sources
    timeout : seconds without an answer before the source is given up
    total : seconds for the whole download

    Raises
    ------
    SourceError
        The source gave a reason, or none, or took longer than `total`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "arrays.npz")
        command = [
            sys.executable,
            "-m",
            "pipeline.time_limit",
            dataset,
            source,
            str(timeout),
            str(file),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                reason, _ = process.communicate(timeout=total)
            except subprocess.TimeoutExpired as error:
                raise SourceError(f"not done after {total:g} seconds") from error
            finally:
                _end(process.pid)
        if process.returncode != 0:
            raise SourceError(reason.strip() or f"ended with status {process.returncode}")
        return load_arrays(file, *ARRAYS)


def _end(pid: int) -> None:
    """Kill the process, if it is still there, and whatever it has started."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def main(dataset: str, source: str, timeout: str, file: str) -> None:
    """Fetch, under the limit, into an npz; or say why not on stdout."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    try:
        arrays = DATASETS[dataset].sources[source](float(timeout))
    except SourceError as error:
        print(error)
        sys.exit(REFUSED)
    save_arrays(Path(file), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
