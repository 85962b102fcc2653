"""One process at a time: a lock on a folder, which the system frees when its holder is gone."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, waiting: str) -> Iterator[int]:
    """Hold `folder`; wait while another process does, and say so on stderr.

    Yields the lock's file descriptor: a child to which it is passed holds the lock too. Where the
    disk has no locks (some on a network), nobody waits.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, file=sys.stderr, flush=True)
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError as error:
            print(f"{folder}: no lock ({error.strerror})", file=sys.stderr)
        yield opened
    finally:
        os.close(opened)
