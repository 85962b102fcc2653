"""Is this checkout whole? `make repro` puts right what would stop it; `make verify` looks at all.

A stage that is killed as it writes leaves a hidden file beside its output, of up to 82 MB, and so
does dvc, as it gives results back. dvc writes .dvc/tmp/rwlock, dvc.lock and its databases in place:
a kill at that moment leaves them cut off, and every command then ends in "JSON structure is
corrupted", "validation failed" (docs/upstream.md) or "file is not a database". What rwlock says of
a killed dvc blocks every later one if the system has given its number to another process.

DVC remembers hashes by size and time, and hands out of its cache what lies there: it does not see a
byte that flips on the disk. `make verify` hashes anew what dvc.lock speaks of, in the work tree and
in the cache. `make verify FIX=1` removes each damaged file and gets it back: from the remote, if
there is one, or by running its stage.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pipeline.artifacts import reading, save_bytes
from pipeline.errors import PipelineError, run
from pipeline.progress import progress
from tools.programs import dvc

RWLOCK = Path(".dvc/tmp/rwlock")
RWLOCKS_LOCK = Path(".dvc/tmp/rwlock.lock")  # while dvc writes rwlock
REPOSITORY = Path(".dvc/tmp/lock")  # while dvc writes in data/, metrics/, plots/
LOCK, GRAPH = Path("dvc.lock"), Path("dvc.yaml")
MD5_DIGITS = 32
CLOCKS = 10  # seconds by which a process may seem to begin too late: the time of boot is rounded
DVCS_NAME = len(".tmp") + 23  # of what dvc writes before it renames it: a dot, 22 letters, .tmp
ROOMS = ("data", "metrics", "plots")  # where stages write


class DamageError(PipelineError):
    """Files are not what they should be."""


# ---- dvc.yaml and dvc.lock


def _files(text: bytes) -> list[dict[str, Any]] | None:
    """The entries of dvc.lock, each stage's outputs marked so; None if it is broken.

    Cut off after any character, it may still be YAML.
    """
    import yaml  # DVC's own reader takes ten times as long

    try:
        stages = yaml.load(text, yaml.CSafeLoader)["stages"].values()
        files = [
            {**file, "output": kind == "outs"}
            for stage in stages
            for kind in ("deps", "outs")
            for file in stage.get(kind, [])
        ]
        whole = all(
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
        return None
    return files if whole else None


def outputs() -> list[Path]:
    """What the stages of dvc.yaml write.

    Raises
    ------
    DamageError
        One lies outside of the project (dvc.yaml may come from others), or is a folder, a pipe or
        a device, at which dvc would wait or fail.
    """
    import yaml

    with reading(GRAPH):
        stages = yaml.load(GRAPH.read_bytes(), yaml.CSafeLoader)["stages"].values()
        entries = [
            entry
            for stage in stages
            for kind in ("outs", "metrics", "plots")
            for entry in stage.get(kind, [])
        ]
        files = [Path(next(iter(entry)) if isinstance(entry, dict) else entry) for entry in entries]
    for file in files:  # which itself may be a link, into a shared cache
        if not file.parent.resolve().is_relative_to(Path.cwd().resolve()):
            raise DamageError(f"{GRAPH}: got the output {file}; allowed: files of this project")
        if file.exists() and not file.is_file():
            raise DamageError(f"{file}: is no file; remove it, then give the command again")
    return files


def recorded() -> dict[Path, dict[str, Any]]:
    """Each output of dvc.yaml that dvc.lock knows, with its md5 and size there."""
    with reading(LOCK):
        entries = _files(LOCK.read_bytes())
        if entries is None:
            raise ValueError("cut off")
    ours = set(outputs())
    return {
        Path(entry["path"]): entry
        for entry in entries
        if entry["output"] and Path(entry["path"]) in ours
    }


# ---- what an interrupted run leaves


def mend() -> None:
    """Remove a broken rwlock that no living dvc writes, what a sound one says of processes that
    are another now, and what killed ones were writing; take a broken dvc.lock from HEAD.

    The caller holds the checkout: no stage runs in it (pipeline/alone.py).

    Says so on stderr, a line each.

    Raises
    ------
    DamageError
        dvc.lock is broken and HEAD has none, or an output is no file of this project.
    """
    outputs()
    if RWLOCK.exists() and _held(RWLOCK.read_bytes()) != {}:
        with _nobody_writes(RWLOCKS_LOCK) as nobody:
            if nobody and RWLOCK.exists():
                _mend_rwlock()
    if LOCK.exists() and _files(LOCK.read_bytes()) is None:
        kept = subprocess.run(
            ["git", "show", f"HEAD:./{LOCK}"], capture_output=True, check=False
        ).stdout
        if _files(kept) is None:
            raise DamageError(
                f"{LOCK}: cut off by an interrupted dvc, and git has none; "
                f"`rm {LOCK}` lets every stage run anew"
            )
        save_bytes(LOCK, kept)
        print(f"{LOCK}: cut off by an interrupted dvc; taken from git's HEAD", file=sys.stderr)
    left = [file for room in ROOMS for file in Path(room).rglob(".*.tmp") if not file.is_dir()]
    _remove((file for file in left if file.name.split(".")[-2].isdecimal()), "stage")
    dvcs = [file for file in left if len(file.name) == DVCS_NAME]
    if dvcs:
        REPOSITORY.parent.mkdir(parents=True, exist_ok=True)
        with _nobody_writes(REPOSITORY) as nobody:
            _remove((file for file in dvcs if nobody and file.exists()), "dvc")


def mend_databases() -> bool:
    """Remove DVC's databases that are broken; whether there was one.

    They remember what DVC has seen, so that it need not hash it again: nothing is lost.
    """
    from unittest.mock import patch

    from dvc.repo import Repo

    with patch("dvc_data.hashfile.state.State"):  # which would open the broken ones
        folder = Path(Repo().site_cache_dir)
    broken = [file for file in folder.rglob("*.db") if not _is_database(file)]
    _remove(broken, "dvc")
    return bool(broken)


def _is_database(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            return opened.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False


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


# ---- every byte


def md5(file: Path) -> str:
    """DVC's name for these bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def objects() -> dict[Path, str]:
    """Each file of DVC's cache and its MD5, which is its name."""
    cache = dvc("cache", "dir", stdout=subprocess.PIPE)
    if cache.returncode != 0:
        raise DamageError("verify: `dvc cache dir` failed, see above")
    found = Path(cache.stdout.strip()).glob("files/md5/[0-9a-f][0-9a-f]/*")
    return {file: file.parent.name + file.name.removesuffix(".dir") for file in found}


def damaged() -> tuple[dict[Path, str], int]:
    """What is not what it should be in the work tree and the cache, and why; how many files were
    read."""
    entries, kept = recorded(), objects()
    name_of = {entry["md5"]: file for file, entry in entries.items()}
    known = {file: entry["md5"] for file, entry in entries.items()} | kept
    wrong = {}
    with progress("verify", len(known), "files") as step:
        for file, digest in known.items():
            of = f" (of {name_of[digest]})" if file in kept and digest in name_of else ""
            if not file.exists():
                wrong[file] = "missing"
            elif (got := md5(file)) != digest:
                wrong[file] = f"has MD5 {got}, not {digest}{of}"
            elif file in entries and (size := file.stat().st_size) != entries[file]["size"]:
                wrong[file] = f"has {size} bytes, {LOCK} says {entries[file]['size']}"
            step()
    return wrong, len(known)


def get_back(wrong: Iterable[Path]) -> None:
    """Remove what is damaged, and let DVC get it back; write the true sizes into dvc.lock."""
    text, entries = LOCK.read_text(encoding="utf-8"), recorded()
    for file, entry in entries.items():
        if file in wrong and file.exists() and md5(file) == entry["md5"]:
            size = rf"(path: {re.escape(str(file))}\n(?: +\w+: .*\n)*? +size: ){entry['size']}\n"
            text = re.sub(size, rf"\g<1>{file.stat().st_size}\n", text)
        elif file in wrong:
            file.unlink(missing_ok=True)
    save_bytes(LOCK, text.encode())
    for file in set(wrong) - entries.keys():
        file.unlink(missing_ok=True)
    if dvc("remote", "list", stdout=subprocess.PIPE).stdout.strip():
        dvc("fetch")  # what the remote has not, or if it cannot be reached, the stages make
    if dvc("repro").returncode != 0:
        raise DamageError("verify: `dvc repro` failed, see above; the damaged files are removed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="verify", description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="remove what is damaged, get it back")
    fix = parser.parse_args().fix
    wrong, files = damaged()
    for file, what in wrong.items():
        print(f"{file}: {what}", file=sys.stderr)
    if wrong and not fix:
        raise DamageError(f"{len(wrong)} of {files} files are damaged; `make verify FIX=1` mends")
    if wrong:
        get_back(wrong)
        left, files = damaged()
        lost = [file for file in wrong if file in left or not file.exists()]
        for file in lost:  # such as what only an older commit speaks of
            print(f"{file}: removed, and not to be had back", file=sys.stderr)
        print(f"{len(wrong)} damaged, {len(wrong) - len(lost)} back")
        if lost or left:
            sys.exit(1)
    print(f"{files} files are what {LOCK} and the cache say")


if __name__ == "__main__":
    run(main)
