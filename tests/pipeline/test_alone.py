"""One process at a time in a folder; the lock goes with its holder, and with whom it was given."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.alone import alone

HOLD = """
import sys
from pathlib import Path
from pipeline.alone import alone
with alone(Path(sys.argv[1]), "waiting"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(root: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("killed", [False, True])
def test_the_second_waits_until_the_first_is_gone(root: Path, tmp_path: Path, killed: bool) -> None:
    first = holder(root, tmp_path)
    assert first.stdout.readline() == "held\n"
    second = holder(root, tmp_path)
    assert second.stderr.readline() == "waiting\n"
    assert second.poll() is None
    first.kill() if killed else first.communicate("")
    assert second.stdout.readline() == "held\n"
    second.communicate("")
    first.communicate()
    assert second.returncode == 0


def test_a_child_that_was_given_the_lock_holds_it(root: Path, tmp_path: Path) -> None:
    with alone(tmp_path, "waiting") as lock:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    second = holder(root, tmp_path)
    assert second.stderr.readline() == "waiting\n"
    child.communicate()
    assert second.stdout.readline() == "held\n"
    second.communicate("")


def test_where_a_disk_has_no_locks_nobody_waits(tmp_path: Path, monkeypatch, capsys) -> None:
    def none(*_args: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with alone(tmp_path, "waiting"):
        assert capsys.readouterr().err == f"{tmp_path}: no lock (No locks available)\n"
