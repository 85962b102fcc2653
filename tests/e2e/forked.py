"""dvc without its second of imports: each call is a fork of a process that has imported it once."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import dvc.api  # what most commands import when they are called
import dvc.cli
import dvc.cli.parser
import dvc.repo.experiments
import dvc.repo.reproduce  # noqa: F401

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def dvc_run(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run(["dvc", *arguments])` gives, with its output as text."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("stdout", "stderr")]
        process = CONTEXT.Process(target=_call, args=(arguments, folder, environment, *files))
        process.start()
        process.join()
        said = [file.read_text() for file in files]
    assert process.exitcode is not None
    return subprocess.CompletedProcess(["dvc", *arguments], process.exitcode, *said)


def _call(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    sys.exit(dvc.cli.main(list(arguments)))
