"""What `make repro` does: params.yaml is checked, what an interrupted run left is put right, then
`dvc repro`, and what the run came to.

One process, so that what there is to import is imported once: with nothing to do, that is what
`make repro` costs beyond `dvc repro`.
"""

import subprocess
import sys

from pipeline.errors import run
from pipeline.params import load_params
from tools.mend import mend
from tools.summary import summary


def main() -> None:
    """Refuse a wrong value before DVC takes anything away; say what a run came to after it."""
    load_params()
    mend()
    status = subprocess.run(["dvc", "repro"], check=False).returncode
    if status != 0:
        sys.exit(status)
    print(summary())


if __name__ == "__main__":
    run(main)
