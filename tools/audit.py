"""Known vulnerabilities of the locked packages, as PyPI has them today: `make audit`.

pip-audit asks PyPI for each package and version of every lock, as this Python and system take
them. Exit status 1 and a line for each vulnerability; 2 and one line if PyPI cannot be asked, or
knows nothing of some package: what was not looked up is not called sound.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, run
from pipeline.progress import progress

LOCKS = ["requirements.txt", *sorted(map(str, Path("requirements").glob("*.txt")))]


class AuditError(PipelineError):
    """It is not known whether there are vulnerabilities."""


def asked(lock: str) -> tuple[str, str]:
    """What pip-audit finds out about a lock: its JSON, and what else it says."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format=json"]
    done = subprocess.run(
        [*command, "--progress-spinner=off", "-r", lock],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def found(lock: str, answer: str, said: str) -> dict[str, list[str]]:
    """The names of the vulnerabilities of each `package version` of a lock.

    Raises
    ------
    AuditError
        There is no answer, or none for some package.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError) as error:
        why = (said.strip().splitlines() or ["pip-audit said nothing"])[-1]
        raise AuditError(f"audit: {lock}: not known, PyPI could not be asked: {why}") from error
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        raise AuditError(
            f"audit: {lock}: not known, PyPI's list of vulnerabilities is out of reach for "
            f"{len(skipped)} of {len(packages)} packages ({', '.join(skipped[:3])}, …)"
        )
    return {
        f"{package['name']} {package['version']}": [vuln["id"] for vuln in package["vulns"]]
        for package in packages
    }


def main() -> None:
    """Ask for every lock."""
    known: dict[str, list[str]] = {}
    with progress("audit", len(LOCKS), "locks") as step:
        for lock in LOCKS:
            known |= found(lock, *asked(lock))
            step()
    wrong = {package: names for package, names in known.items() if names}
    for package, names in sorted(wrong.items()):
        print(f"{package}: {', '.join(names)}")
    print(f"{len(known)} packages, {len(wrong)} with a known vulnerability")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    run(main)
