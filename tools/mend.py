"""Puts right what an interrupted run leaves behind, which would stop every later one.

A stage that is killed as it writes leaves a hidden file beside its output, of up to 82 MB, and so
does dvc, as it gives results back. dvc writes .dvc/tmp/rwlock and dvc.lock in place: a kill at that
moment leaves them cut off, and every command then ends in "JSON structure is corrupted" or
"validation failed" (docs/upstream.md). What rwlock says of a killed dvc blocks every later one if
the system has given its number to another process.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.artifacts import save_bytes
from pipeline.errors import PipelineError

RWLOCK = Path(".dvc/tmp/rwlock")
RWLOCKS_LOCK = Path(".dvc/tmp/rwlock.lock")  # while dvc writes rwlock
REPOSITORY = Path(".dvc/tmp/lock")  # while dvc writes in data/, metrics/, plots/
LOCK = Path("dvc.lock")
MD5_DIGITS = 32
CLOCKS = 10  # seconds by which a process may seem to begin too late: the time of boot is rounded
DVCS_NAME = len(".tmp") + 23  # of what dvc writes before it renames it: a dot, 22 letters, .tmp
ROOMS = ("data", "metrics", "plots")  # where stages write


class MendError(PipelineError):
    """dvc.lock is cut off, and git has none."""


def mend() -> None:
    """Remove a broken rwlock that no living dvc writes, what a sound one says of processes that
    are another now, and what killed ones were writing; take a broken dvc.lock from HEAD.

    The caller holds the checkout: no stage runs in it (pipeline/alone.py).

    Says so on stderr, a line each.

    Raises
    ------
    MendError
        dvc.lock is broken and HEAD has none.
    """
    if RWLOCK.exists() and _held(RWLOCK.read_bytes()) != {}:
        with _nobody_writes(RWLOCKS_LOCK) as nobody:
            if nobody and RWLOCK.exists():
                _mend_rwlock()
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
    left = [file for room in ROOMS for file in Path(room).rglob(".*.tmp")]
    _remove((file for file in left if file.name.split(".")[-2].isdecimal()), "stage")
    dvcs = [file for file in left if len(file.name) == DVCS_NAME]
    if dvcs:
        REPOSITORY.parent.mkdir(parents=True, exist_ok=True)
        with _nobody_writes(REPOSITORY) as nobody:
            _remove((file for file in dvcs if nobody and file.exists()), "dvc")


def _remove(files: Iterable[Path], whose: str) -> None:
    for file in files:
        file.unlink(missing_ok=True)
        print(f"{file}: left by a killed {whose}; removed", file=sys.stderr)


def _held(text: bytes) -> dict[tuple[str, str], list[dict[str, Any]]] | None:
    """Who holds which path for which mode, as rwlock has it; None if it is broken.

    {"read": {path: [holder, ...]}, "write": {path: holder}}, holder = {"pid": 1, "cmd": "dvc"}
    """
    try:
        lock = json.loads(text)
        held = {("read", path): holders for path, holders in lock.get("read", {}).items()}
        held |= {("write", path): [holder] for path, holder in lock.get("write", {}).items()}
        whole = all(
            isinstance(holder["pid"], int) and isinstance(holder["cmd"], str)
            for holders in held.values()
            for holder in holders
        )
    except (ValueError, AttributeError, TypeError, KeyError):
        return None
    return held if whole else None


def _mend_rwlock() -> None:
    held = _held(RWLOCK.read_bytes())
    if held is None:
        RWLOCK.unlink()
        print(f"{RWLOCK}: cut off by an interrupted dvc; removed", file=sys.stderr)
        return
    written = RWLOCK.stat().st_mtime
    known = {(holder["pid"], holder["cmd"]) for holders in held.values() for holder in holders}
    gone = {(pid, cmd) for pid, cmd in known if _is_another(pid, cmd, written)}
    left: dict[str, dict[str, Any]] = {"read": {}, "write": {}}
    for (mode, path), holders in held.items():
        living = [holder for holder in holders if (holder["pid"], holder["cmd"]) not in gone]
        if living:
            left[mode][path] = living if mode == "read" else living[0]
    if gone:
        save_bytes(RWLOCK, json.dumps(left).encode())
        for pid, cmd in sorted(gone):
            print(f"{RWLOCK}: {cmd} (PID {pid}) is gone; released what it held", file=sys.stderr)


def _is_another(pid: int, cmd: str, written: float) -> bool:
    """Whether this process cannot be the dvc that the lock, of that time, says it is.

    It began later, or the last word of its command, which Python's sys.argv ends in, is another.
    Of a dead one dvc itself knows.
    """
    import psutil  # DVC's; seldom needed

    try:
        process = psutil.Process(pid)
        words = " ".join(process.cmdline()).split()
        said = cmd.split()
        return process.create_time() > written + CLOCKS or (
            len(said) > 1 and words[-1:] != said[-1:]  # of a single one Python makes a full path
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


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
            isinstance(file["path"], str)
            and len(file["md5"]) >= MD5_DIGITS
            and file["size"] >= 0
            and file.get("nfiles", 0) >= 0  # of a folder
            for file in files
        )
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError):
        return False


@contextmanager
def _nobody_writes(lock_file: Path) -> Iterator[bool]:
    """Hold one of dvc's locks; whether that was free."""
    from zc.lockfile import LockError, LockFile  # DVC's; seldom needed

    try:
        lock = LockFile(str(lock_file))
    except LockError:
        yield False
        return
    try:
        yield True
    finally:
        lock.close()
