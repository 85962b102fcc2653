"""Puts right what an interrupted run leaves behind, which would stop every later one.

A stage that is killed as it writes leaves a hidden file beside its output, of up to 82 MB. dvc
writes .dvc/tmp/rwlock and dvc.lock in place: a kill at that moment leaves them cut off, and every
command then ends in "JSON structure is corrupted" or "validation failed" (docs/upstream.md).
"""

import json
import subprocess
import sys
from pathlib import Path

from pipeline.artifacts import save_bytes
from pipeline.errors import PipelineError

RWLOCK = Path(".dvc/tmp/rwlock")
LOCK = Path("dvc.lock")
MD5_DIGITS = 32
ROOMS = ("data", "metrics", "plots")  # where stages write


class MendError(PipelineError):
    """dvc.lock is cut off, and git has none."""


def mend() -> None:
    """Remove a broken rwlock that no living dvc writes, and what dead stages were writing; take a
    broken dvc.lock from HEAD.

    Says so on stderr, a line each.

    Raises
    ------
    MendError
        dvc.lock is broken and HEAD has none.
    """
    if RWLOCK.exists() and not _is_json(RWLOCK.read_bytes()) and _nobody_writes(RWLOCK):
        RWLOCK.unlink(missing_ok=True)
        print(f"{RWLOCK}: cut off by an interrupted dvc; removed", file=sys.stderr)
    if LOCK.exists() and not _is_lock(LOCK.read_bytes()):
        kept = subprocess.run(
            ["git", "show", f"HEAD:./{LOCK}"], capture_output=True, check=False
        ).stdout
        if not _is_lock(kept):
            raise MendError(
                f"{LOCK}: cut off by an interrupted dvc, and git has none; "
                f"`rm {LOCK}` lets every stage run anew"
            )
        save_bytes(LOCK, kept)
        print(f"{LOCK}: cut off by an interrupted dvc; taken from git's HEAD", file=sys.stderr)
    for file in (file for room in ROOMS for file in Path(room).rglob(".*.tmp")):
        pid = file.name.split(".")[-2]
        if pid.isdecimal() and not _lives(int(pid)):
            file.unlink(missing_ok=True)
            print(f"{file}: left by a killed stage; removed", file=sys.stderr)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_lock(text: bytes) -> bool:
    import yaml  # DVC's own reader takes ten times as long

    try:
        stages = yaml.load(text, yaml.CSafeLoader)["stages"].values()
        files = [
            file for stage in stages for kind in ("deps", "outs") for file in stage.get(kind, [])
        ]
        # cut off after any character, it may still be YAML
        return all(
            isinstance(stage["cmd"], str)
            and all(isinstance(values, dict) for values in stage.get("params", {}).values())
            for stage in stages
        ) and all(
            isinstance(file["path"], str) and len(file["md5"]) >= MD5_DIGITS and file["size"] >= 0
            for file in files
        )
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError):
        return False


def _lives(pid: int) -> bool:
    import psutil  # DVC's; seldom needed

    return bool(psutil.pid_exists(pid))


def _nobody_writes(file: Path) -> bool:
    """Whether no dvc holds the lock under which it writes `file`."""
    from zc.lockfile import LockError, LockFile  # DVC's; seldom needed

    try:
        LockFile(f"{file}.lock").close()
    except LockError:
        return False
    return True
