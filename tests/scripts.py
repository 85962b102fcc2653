"""Commands that are made up: a shell script each."""

from pathlib import Path


def script(file: Path, text: str) -> str:
    """Write a command of this text; its path."""
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)
