"""Terminals: one that only says so, and a real one for commands."""

import io
import os
import subprocess
from pathlib import Path


class Terminal(io.StringIO):
    """Stands for a stderr that someone looks at."""

    def isatty(self) -> bool:
        return True


def shown(*command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command that succeeds shows on a terminal, of unknown size as some are."""
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
            )
        finally:
            os.close(theirs)
        said = b""
        try:
            while data := screen.read(65536):
                said += data
        except OSError:  # Linux says so where nobody has the terminal open any more
            pass
        assert process.wait() == 0, said.decode()
    return said.decode()
