"""How a stage runs: alone in its checkout, and with its section of params.yaml.

A run is refused at its end if its params or its code changed while it ran.
"""

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pipeline
from pipeline.alone import alone
from pipeline.errors import PipelineError, run
from pipeline.params import FILE, ParamsError, load_params

WAITING = "Waiting for a stage that still runs in this folder"
ROOT = Path(__file__).resolve().parents[1]


class ChangedError(PipelineError):
    """A module was edited while the stage ran."""


def run_stage(main: Callable[..., object], section: str | None = None) -> None:
    """Run a stage's `main` with its section of params.yaml, if it has one; refuse in one line.

    DVC records params.yaml and the code as they are when the stage has ended. An edit during the
    run would be recorded as if it had made the results: such a run is refused. A stage whose dvc
    was killed ends itself, or it would write over the results of a later run.
    """
    if os.environ.get("DVC_STAGE"):
        threading.Thread(target=_end_without, args=(pipeline.PARENT,), daemon=True).start()

    def stage() -> None:
        params = getattr(load_params(), section) if section else None
        # Before main, every module is hashed, because main may import some of them late. After
        # main, only the modules that were really imported are hashed and compared.
        code = _digests(ROOT.glob("*/*.py"))
        main(*([params] if section else []))
        if section and getattr(load_params(), section) != params:
            raise ParamsError(
                f"{FILE}: {section}: changed while the stage ran, which used the values before"
            )
        changed = sorted(_digests(_imported()).items() - code.items())
        if changed:
            raise ChangedError(f"{changed[0][0]}: changed while the stage ran")

    def in_turn() -> None:
        with alone(Path(), WAITING):
            stage()

    # DVC removes a stage's results before it starts the stage. After a failure they are gone: the
    # message tells how to get them back.
    run(in_turn, remedy="then `dvc repro` gives all results back")


def _end_without(parent: int) -> None:
    """End this process when `parent` has died: the system then gives it another parent."""
    while os.getppid() == parent:
        time.sleep(0.1)
    print("dvc is gone, which would record the results: ended", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _imported() -> list[Path]:
    """The project's modules that this process has imported, late ones as well."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [Path(file) for file in files if file and Path(file).parent.parent == ROOT]


def _digests(files: Iterable[Path]) -> dict[str, str]:
    return {
        file.relative_to(ROOT).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        if file.exists()
        else "gone"
        for file in files
    }
