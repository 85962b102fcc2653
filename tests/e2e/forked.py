"""dvc and `python -m` without their seconds of imports: a call is a fork of a process that has
imported once what others than we have written. Our own modules are those of the folder."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import sklearn.svm  # noqa: F401

ROOT = str(Path(__file__).resolve().parents[2])
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def can_fork(command: tuple[str, ...]) -> bool:
    return command[0] == "dvc" or command[:2] == ("python", "-m")


def forked(
    command: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run(command, ...)` gives, with its output as text.

    What Python reads as it starts (PYTHON..., the locale) is this process's, whatever
    `environment` says.
    """
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("stdout", "stderr")]
        process = CONTEXT.Process(target=_call, args=(command, folder, environment, files))
        process.start()
        process.join()
        said = [file.read_text() for file in files]
    assert process.exitcode is not None
    return subprocess.CompletedProcess(command, process.exitcode, *said)


def _call(
    command: tuple[str, ...], folder: Path, environment: dict[str, str], files: list[Path]
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    module, *arguments = ["dvc", *command[1:]] if command[0] == "dvc" else command[2:]
    sys.argv = [module, *arguments]
    sys.path[:] = [str(folder), *(path for path in sys.path if path not in ("", ROOT))]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
