"""The gate: `python -m tools.gate [BASE]`, red where a change crosses a limit of gate.yaml.

Exit status 0: green, 1: red, 2: it cannot be judged, such as by a limit on no metric.
"""

import argparse
import sys

from pipeline.errors import run
from tools.report.comparison import compare
from tools.report.limits import judge, load_limits
from tools.report.revision import base_revision, head_revision


def main() -> None:
    parser = argparse.ArgumentParser(prog="gate", description=__doc__.splitlines()[0])
    parser.add_argument("base", nargs="?", help="the revision to compare with")
    parser.add_argument("--check", action="store_true", help="check gate.yaml alone")
    options = parser.parse_args()
    found: list[bool] = []

    def gate() -> None:
        limits = load_limits()
        if options.check:
            return
        for line in judge(limits, compare(base_revision(options.base), head_revision())):
            print(line)
            found.append(line.word == "RED")

    run(gate)
    sys.exit(any(found))


if __name__ == "__main__":
    main()
