"""git and dvc, for commands: what they print, or one line why not."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

DVC = (sys.executable, "-m", "dvc")  # of this environment, whatever PATH says


class GitError(PipelineError):
    """git refuses; the message is its own."""


def git(*command: str, folder: Path = Path()) -> str:
    """What a git command prints; GitError if it fails."""
    return git_bytes(*command, folder=folder).decode(errors="replace")


def git_bytes(*command: str, folder: Path = Path(), given: bytes = b"") -> bytes:
    """The same as bytes, for files that are no text; `given` is what the command reads."""
    done = subprocess.run(
        ["git", *command], cwd=folder, input=given, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise GitError(f"git {command[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def git_file(commit: str, path: str) -> bytes | None:
    """The bytes of a file as it was in a commit; None if it was not there."""
    answer = git_bytes("cat-file", "--batch", given=f"{commit}:./{path}\n".encode())
    head, _, rest = answer.partition(b"\n")
    return None if head.endswith(b" missing") else rest[:-1]


def dvc(*command: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a dvc command, as subprocess.run does with `how`; its text, if that is captured."""
    return subprocess.run([*DVC, *command], text=True, check=False, **how)
