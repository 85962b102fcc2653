"""Whether what is committed is what the code gives, as far as `dvc status` and git can tell.

`dvc status` compares MD5s: of code, params and data with those that dvc.lock recorded, and of the
results with those that came out. So a lock and a result that were edited together pass; `make
reproduced`, which CI runs, does not believe the lock.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.programs import dvc, git
from tools.report.markdown import some
from tools.report.revision import ReportError

RESULTS = ("dvc.lock", "metrics", "plots")


@dataclass(frozen=True)
class Reproduction:
    """holds: yes, no, or None where it cannot be told; why: a sentence without its full stop."""

    holds: bool | None
    why: str

    @property
    def word(self) -> str:
        return {True: "yes", False: "no", None: "not told"}[self.holds]


def reproduction() -> Reproduction:
    """Of the work tree."""
    return verdict(_status(), _changed(*RESULTS), _changed(".", *(f":!{r}" for r in RESULTS)))


def _status() -> dict[str, Any]:
    done = dvc("status", "--json", capture_output=True)
    if done.returncode != 0:
        raise ReportError(f"dvc status: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _changed(*paths: str) -> list[str]:
    """The files below `paths` that differ from HEAD, those that git does not know too."""
    known = git("diff", "--name-only", "--no-renames", "-z", "HEAD", "--", *paths)
    others = git("ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
    return sorted(filter(None, (known + others).split("\0")))


def verdict(status: Mapping[str, Any], results: list[str], inputs: list[str]) -> Reproduction:
    """From what differs.

    Parameters
    ----------
    status : what `dvc status --json` says
    results : files in dvc.lock, metrics/ and plots/ that differ from HEAD
    inputs : all other files that do
    """
    edited, absent, stale = [], [], []
    for stage, entries in status.items():
        for entry in entries:
            changed = entry if isinstance(entry, dict) else {}  # or a text
            outs, deps = changed.get("changed outs", {}), changed.get("changed deps", {})
            absent += [path for path, how in outs.items() if how in ("deleted", "not in cache")]
            edited += [path for path, how in outs.items() if how == "modified"]
            # what is not here for it to read is not its own change
            if not outs and (not deps or any(how != "deleted" for how in deps.values())):
                stale.append(stage)
    if edited:
        return Reproduction(
            False, f"{some(edited)}: not what dvc.lock says came out; `make repro` makes it anew"
        )
    if stale:
        names = some(list(dict.fromkeys(stale)))
        return Reproduction(
            False, f"{names}: code, params or data changed since it ran; `make repro` runs it"
        )
    if results and not inputs:
        return Reproduction(
            False, f"{some(results)}: the code gives another than HEAD holds, of the same inputs"
        )
    if absent:
        return Reproduction(None, f"{some(absent)}: not here; `make repro` brings it")
    if results or inputs:
        return Reproduction(
            True, f"of the work tree, in which {some(results + inputs)} is not committed yet"
        )
    return Reproduction(True, "every result is what dvc.lock says came out of this code")
