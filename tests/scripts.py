"""Commands that are made up: a shell script each."""

from pathlib import Path


def script(file: Path, text: str) -> str:
    """Write a command of this text; its path."""
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def dvc_script(folder: Path, text: str) -> None:
    """What `python -m dvc` runs in this folder; it has no database."""
    (folder / "dvc").mkdir()
    (folder / "dvc/__init__.py").touch()
    command = script(folder / "dvc/dvc.sh", text)
    main = f"import os, sys\nos.execv({command!r}, ['dvc', *sys.argv[1:]])\n"
    (folder / "dvc/__main__.py").write_text(main, encoding="utf-8")
    repo = "class Repo:\n    site_cache_dir = 'none'\n"
    (folder / "dvc/repo.py").write_text(repo, encoding="utf-8")
