"""Processes that the system kills, or that get no room for the data: this one does the work."""

import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from l1svc.jobs import Crew

HERE = os.getpid()
pytestmark = pytest.mark.long  # processes begin anew


def kill(thing: np.ndarray, here: int, number: int) -> float:
    """A task whose second one ends its process, as the kernel does when memory is short."""
    if number == 1 and os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return float(thing.sum()) + number


def test_a_worker_that_is_killed() -> None:
    crew = Crew(np.ones(10), 2, "processes")
    with pytest.warns(RuntimeWarning, match="processes were killed.* is done in this process"):
        done = list(crew.run(kill, [(HERE, number) for number in range(4)]))
    assert done == [10.0, 11.0, 12.0, 13.0]


def add(thing: np.ndarray, number: int) -> float:
    return float(thing.sum()) + number


def main() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    print(list(Crew(np.ones(2**20), 2, "processes").run(add, [(1,), (2,)])))


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of files' sizes")
def test_a_limit_on_the_size_of_files() -> None:
    """joblib writes the data into one, for its processes."""
    command = [sys.executable, "-c", "from l1svc.tests.test_starved import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[1048577.0, 1048578.0]\n")
    assert "processes failed (OSError: [Errno 27] File too large)" in done.stderr
    assert "Traceback" not in done.stderr


def refuse(thing: object, number: int) -> int:
    raise OSError("the task's own")


def test_what_a_task_raises_is_raised() -> None:
    with (
        pytest.warns(RuntimeWarning, match="the task's own"),
        pytest.raises(OSError, match="the task's own"),
    ):
        list(Crew(np.ones(1), 2, "processes").run(refuse, [(1,), (2,)]))
    with pytest.raises(Exception, match="pickle"):
        list(Crew(np.ones(1), 2, "processes").run(add, [(sys.stdout,)] * 2))
