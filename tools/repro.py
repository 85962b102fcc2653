"""What `make repro` does: params.yaml is checked, other runs of this checkout may end, what an
interrupted one left is put right, then `dvc repro`, and what the run came to.

One process, so that what there is to import is imported once: with nothing to do, that is what
`make repro` costs beyond `dvc repro`.
"""

import sys
from pathlib import Path

from pipeline.alone import alone
from pipeline.errors import run
from pipeline.params import load_params
from pipeline.stage import WAITING
from tools.health import mend, mend_databases
from tools.programs import dvc
from tools.summary import summary


def reproduce(*options: str) -> int:
    """`dvc repro`, alone in this checkout, on what is right in it; its exit status.

    A wrong value is refused before DVC takes anything away.
    """
    load_params()
    with alone(Path(".dvc"), "Waiting for another `make repro` of this folder") as lock:
        with alone(Path(), WAITING):
            mend()
        # dvc holds the lock too: it may outlive this process
        status = dvc("repro", *options, pass_fds=(lock,)).returncode
        if status != 0 and mend_databases():
            status = dvc("repro", *options, pass_fds=(lock,)).returncode
        return status


def main() -> None:
    """Reproduce, and say what the run came to."""
    status = reproduce()
    if status != 0:
        sys.exit(status)
    print(summary())


if __name__ == "__main__":
    run(main)
