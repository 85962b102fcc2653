"""git, for commands: what it prints, or one line why not."""

import subprocess
from pathlib import Path

from pipeline.errors import PipelineError


class GitError(PipelineError):
    """git refuses; the message is its own."""


def git(*command: str, folder: Path = Path()) -> str:
    """What a git command prints; GitError if it fails."""
    return git_bytes(*command, folder=folder).decode(errors="replace")


def git_bytes(*command: str, folder: Path = Path()) -> bytes:
    """The same as bytes, for files that are no text."""
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, check=False)
    if done.returncode != 0:
        raise GitError(f"git {command[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
