"""Is what is committed what the code gives? `python -m tools.reproduced`, which CI runs.

dvc.lock is not believed: it is put aside, and `dvc repro` makes it anew, out of the run cache where
this code has run on these data before, by running it elsewhere. Whatever then differs from the
commit in dvc.lock, metrics/ and plots/, or lies about beside, was not reproduced. The run cache is
believed, to which `dvc commit` writes as well; CI has one of its own. `--anew` runs every stage.

Exit status 0: reproduced, 1: not; the files are named.
"""

import argparse
import sys
from pathlib import Path

from pipeline.artifacts import save_bytes
from pipeline.errors import run
from tools.programs import git
from tools.repro import reproduce

LOCK = Path("dvc.lock")


def reproduced(anew: bool) -> None:
    """Reproduce, and name what differs."""
    before = LOCK.read_bytes() if LOCK.exists() else None
    LOCK.unlink(missing_ok=True)
    status = 1
    try:
        status = reproduce(*["--force"] * anew)
    finally:
        if status != 0 and before is not None:
            save_bytes(LOCK, before)
    if status != 0:
        sys.exit(status)
    differing = git("status", "--porcelain", "--untracked-files=all").splitlines()
    for line in differing:
        print(f"not reproduced: {line[3:]}", file=sys.stderr)
    if differing:
        sys.exit(1)
    print("reproduced: dvc.lock, metrics/ and plots/ are byte for byte those of the commit")


def main() -> None:
    parser = argparse.ArgumentParser(prog="reproduced", description=__doc__.splitlines()[0])
    parser.add_argument("--anew", action="store_true", help="run every stage again")
    options = parser.parse_args()
    run(lambda: reproduced(options.anew))


if __name__ == "__main__":
    main()
