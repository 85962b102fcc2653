"""Which changes of the code do the unit tests notice?

    python -m tools.mutants [--every K] [MODULE ...]

mutmut changes the code of the rooms in small ways (pyproject.toml says which files), runs the tests
that reach each change, and this counts the changes that a test noticed, module by module. MODULE is
a file such as pipeline/canonical.py: its changes alone; with --every K, each K-th change of it.
What an earlier run has found is kept in mutants/. Exit status 1 below LEAST.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

LEAST = 0.85  # share of changes that the tests must notice
FOLDER = Path("mutants")
SURVIVED = (0, 5, 33)  # mutmut's codes: the tests passed, or none reaches the change
UNKNOWN = (None, 2, 34)  # not tried, interrupted, left out


def outcomes(file: Path) -> Counter[str]:
    """How many changes of a module were noticed, survived, or were not tried."""
    codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].values()
    return Counter(
        "unknown" if code in UNKNOWN else "survived" if code in SURVIVED else "noticed"
        for code in codes
    )


def try_changes(*names: str) -> None:
    """Let mutmut try the changes with these names, where * stands for anything; all if none."""
    subprocess.run(["mutmut", "run", *names], stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, metavar="K", help="a sample: each K-th")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    options = parser.parse_args()
    wanted = [module.removesuffix(".py").replace("/", ".") + ".*" for module in options.modules]
    if options.every > 1:
        try_changes("stages.preprocess.*")  # mutmut names the changes of all modules first
        files = sorted(FOLDER.rglob("*.py.meta"))
        known = [
            name
            for file in files
            for name in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
            if not wanted or any(fnmatch(name, pattern) for pattern in wanted)
        ]
        wanted = known[:: options.every]
    try_changes(*wanted)
    total: Counter[str] = Counter()
    for file in sorted(FOLDER.rglob("*.py.meta")):
        found = outcomes(file)
        tried = found["noticed"] + found["survived"]
        if tried:
            total += found
            name = file.relative_to(FOLDER).with_suffix("")
            print(f"{name!s:32}{found['noticed']:5} of {tried:4}{found['noticed'] / tried:8.1%}")
    tried = total["noticed"] + total["survived"]
    score = total["noticed"] / max(tried, 1)
    print(f"{'all':32}{total['noticed']:5} of {tried:4}{score:8.1%}")
    if score < LEAST:
        sys.exit(f"mutants: {score:.1%} were noticed; allowed: {LEAST:.0%} or more")


if __name__ == "__main__":
    main()
