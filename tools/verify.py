"""Hashes anew what dvc.lock speaks of, in the work tree and in DVC's cache: `make verify`.

DVC remembers hashes by size and time, and hands out of its cache what lies there: it does not see
a byte that flips on the disk. `make verify FIX=1` removes each damaged file and gets it back: from
the remote, if there is one, or by running its stage.
"""

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from pipeline.artifacts import reading
from pipeline.errors import PipelineError, run
from pipeline.progress import progress

LOCK = Path("dvc.lock")


class DamageError(PipelineError):
    """Files are not what they should be."""


def md5(file: Path) -> str:
    """DVC's name for these bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def recorded() -> dict[Path, str]:
    """Each output and its MD5, as dvc.lock has them.

    Raises
    ------
    DamageError
        One lies outside of the project: a dvc.lock may come from others.
    """
    with reading(LOCK):
        stages = yaml.load(LOCK.read_bytes(), yaml.CSafeLoader)["stages"]
        known = {
            Path(out["path"]): out["md5"] for stage in stages.values() for out in stage["outs"]
        }
    for file in known:  # which itself may be a link, into a shared cache
        if not file.parent.resolve().is_relative_to(Path.cwd().resolve()):
            raise DamageError(f"{LOCK}: got the output {file}; allowed: files of this project")
    return known


def objects(cache: Path) -> dict[Path, str]:
    """Each file of a cache and its MD5, which is its name."""
    found = cache.glob("files/md5/[0-9a-f][0-9a-f]/*")
    return {file: file.parent.name + file.name.removesuffix(".dir") for file in found}


def damaged(known: dict[Path, str]) -> Iterator[tuple[Path, str]]:
    """Those of the files that are not what they should be, and what is wrong."""
    with progress("verify", len(known), "files") as step:
        for file, digest in known.items():
            if not file.exists():
                yield file, "missing"
            elif not file.is_file():
                raise DamageError(f"{file}: is no file; remove it, then give the command again")
            elif (got := md5(file)) != digest:
                yield file, f"has MD5 {got}, not {digest}"
            step()


def look() -> tuple[list[tuple[Path, str]], int]:
    """What is damaged in the work tree and the cache, and how many files were read."""
    said = subprocess.run(["dvc", "cache", "dir"], capture_output=True, text=True, check=True)
    known = recorded() | objects(Path(said.stdout.strip()))
    return list(damaged(known)), len(known)


def mend(wrong: list[tuple[Path, str]]) -> None:
    """Remove what is damaged, and let DVC get it back."""
    for file, _ in wrong:
        file.unlink(missing_ok=True)
    remotes = subprocess.run(["dvc", "remote", "list"], capture_output=True, text=True, check=True)
    if remotes.stdout.strip():
        # What the remote has not, or if it cannot be reached, the stages make.
        subprocess.run(["dvc", "fetch"], check=False)
    if subprocess.run(["dvc", "repro"], check=False).returncode != 0:
        raise DamageError("verify: `dvc repro` failed, see above; the damaged files are removed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="verify", description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="remove what is damaged, get it back")
    fix = parser.parse_args().fix
    wrong, files = look()
    for file, what in wrong:
        print(f"{file}: {what}", file=sys.stderr)
    if wrong and fix:
        mend(wrong)
        left, files = look()
        if left:
            raise DamageError(f"{left[0][0]}: {left[0][1]}, still ({len(left)} in all)")
        print(f"{len(wrong)} damaged, all back")
    elif wrong:
        raise DamageError(f"{len(wrong)} of {files} files are damaged; `make verify FIX=1` mends")
    print(f"{files} files are what dvc.lock and the cache say")


if __name__ == "__main__":
    run(main)
