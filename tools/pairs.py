"""All pairs of digits: `python -m tools.pairs` runs those that are missing, and shows all of them.

A pair is an experiment of DVC, `dvc exp run --queue -S filter_5_8.classes=[a,b]` with a < b, run by
as many of the queue's workers as there are cores. It is there if the dvc.lock of an experiment has
its classes and the present recipe: the same commands, code and params, the classes aside. So a
pair is not run twice, whatever ended an earlier run, and whichever commit is checked out.

The queue works in a copy of the checkout (COPY) that shares its cache; what is finished is fetched
from there. To queue, DVC puts other params into a checkout for a moment, and a kill leaves them;
workers that are killed leave entries on which `dvc exp show` fails. A copy is thrown away.

Writes docs/pairs.csv, a row a pair, and docs/pairs.png.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import astuple, fields
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import joblib
import numpy as np
import psutil
import zc.lockfile
from dvc.cli import main as dvc_main
from dvc.repo import Repo
from tqdm import tqdm

from figures.pairs import Pair, pairs_figure
from figures.style import png
from pipeline.alone import alone
from pipeline.artifacts import save_bytes, save_table
from pipeline.errors import PipelineError, run
from pipeline.readers import parse_yaml
from pipeline.stage import HERE
from tools.git import git
from tools.mend import mend

TABLE, PICTURE = Path("docs/pairs.csv"), Path("docs/pairs.png")
COPY, LOCK = Path(".dvc/tmp/pairs"), Path(".dvc/tmp/pairs.lock")
LOCKFILE = "dvc.lock"
EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/[^/]+")
COLUMNS = [*(field.name for field in fields(Pair) if field.name != "weights"), "recipe"]
# A worker a core: what a stage runs side by side would only wait for the others.
ONE_CORE = {name: "1" for name in ("LOKY_MAX_CPU_COUNT", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}
# Stages call `python`, and workers `dvc`: those of this environment, in the copy as well.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

INTERRUPTED = 252  # what DVC makes of Ctrl-C

Digits = tuple[int, int]


class PairsError(PipelineError):
    """The pairs cannot be run; the message says why."""


# What is there: experiments, and their results as git keeps them.


def recipe(lock: Mapping[str, Any]) -> str:
    """Eight hex digits of whatever decides a pair's results beside its classes: each stage's
    command, params, and those deps that no stage makes (code, requirements.txt).

    Parameters
    ----------
    lock : dvc.lock, parsed
    """
    stages = lock["stages"]
    made = {out["path"] for stage in stages.values() for out in stage.get("outs", ())}
    kept = {
        name: [
            stage["cmd"],
            {dep["path"]: dep["md5"] for dep in stage.get("deps", ()) if dep["path"] not in made},
            {
                section: {key: value for key, value in values.items() if key != "classes"}
                for file in stage.get("params", {}).values()
                for section, values in file.items()
            },
        ]
        for name, stage in stages.items()
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]


def digits_of(lock: Mapping[str, Any]) -> Digits:
    """The negative and the positive class of a dvc.lock."""
    negative, positive = params_of(lock, "filter_5_8")["classes"]
    return negative, positive


def params_of(lock: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """The section of params.yaml that a stage ran with."""
    found: dict[str, Any] = lock["stages"][stage]["params"]["params.yaml"][stage]
    return found


def parsed(text: str) -> dict[str, Any]:
    lock: dict[str, Any] = parse_yaml(text.encode(), LOCKFILE)
    return lock


def experiments(folder: Path = Path()) -> dict[str, str]:
    """The experiments of all commits: ref and commit."""
    listed = git("for-each-ref", "--format=%(refname) %(objectname)", "refs/exps", folder=folder)
    found = dict(line.split() for line in listed.splitlines())
    return {ref: commit for ref, commit in found.items() if EXPERIMENT.fullmatch(ref)}


@cache
def read(commit: str) -> tuple[Digits, str] | None:
    """The pair and the recipe of an experiment; None if it holds no such thing."""
    try:
        lock = parsed(git("show", f"{commit}:{LOCKFILE}"))
        return digits_of(lock), recipe(lock)
    except (PipelineError, KeyError):
        return None  # of a time when the pipeline was another


def finished(wanted: str) -> dict[Digits, str]:
    """The pairs that have an experiment of this recipe, with its commit."""
    found = {commit: read(commit) for commit in experiments().values()}
    return {what[0]: commit for commit, what in found.items() if what and what[1] == wanted}


def result(commit: str) -> Pair:
    """What an experiment found."""

    def metrics(stage: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(git("show", f"{commit}:metrics/{stage}.json"))
        return found

    lock = parsed(git("show", f"{commit}:{LOCKFILE}"))
    test = metrics("evaluate")["test"]
    pixels = list(csv.DictReader(git("show", f"{commit}:plots/weights.csv").splitlines()))
    shape = [int(pixels[-1][side]) + 1 for side in ("row", "column")]
    return Pair(
        *digits_of(lock),
        C=metrics("train")["C"],
        test_accuracy=test["accuracy"],
        low=test["accuracy_95"]["low"],
        high=test["accuracy_95"]["high"],
        nonzero=metrics("interpret")["weights"]["nonzero"],
        weights=np.reshape([float(pixel["weight"]) for pixel in pixels], shape),
    )


def shown(pairs: Iterable[Digits], wanted: str) -> bool:
    """Whether table and picture are of these pairs and this recipe already."""
    if not (TABLE.exists() and PICTURE.exists()):
        return False
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or list(rows[0]) != COLUMNS:
        return False
    held = {(int(row["negative"]), int(row["positive"]), row["recipe"]) for row in rows}
    return held == {(*pair, wanted) for pair in pairs}


# Running what is missing, in the copy.


def remove_copy() -> None:
    """Remove the copy, once nothing is at work in it: a worker without work still writes there."""
    stop()
    if COPY.exists():
        shutil.rmtree(COPY)


def make_copy() -> None:
    """A copy of the checkout, with its changes, sharing its objects and its cache."""
    remove_copy()
    git("clone", "--quiet", "--shared", "--no-checkout", ".", str(COPY))
    git("checkout", "--quiet", "--detach", git("rev-parse", "HEAD").strip(), folder=COPY)
    git("status")  # looks at touched files: `stash` fails where nothing in them has changed
    changes = git("stash", "create").strip()  # a commit of them; nothing else is touched
    if changes:
        git("read-tree", "--reset", "-u", changes, folder=COPY)
    for key, otherwise in (("user.name", "pairs"), ("user.email", "pairs@localhost")):
        git("config", key, git("config", "--default", otherwise, key).strip(), folder=COPY)
    settings = Path(".dvc/config.local")
    if settings.exists():
        shutil.copy(settings, COPY / settings)
    cache_folder = Path(dvc("cache", "dir").strip()).resolve()
    dvc("cache", "dir", "--local", str(cache_folder), folder=COPY)


def dvc(*command: str, folder: Path = Path()) -> str:
    """What a command of DVC prints; PairsError if it fails."""
    # Not pipes: the workers that it starts would keep them open.
    with TemporaryFile("w+", encoding="utf-8") as said, TemporaryFile("w+") as complained:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *command],
            cwd=folder,
            env=os.environ | ONE_CORE | {"PATH": PATH},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            check=False,
        )
        for file in (said, complained):
            file.seek(0)
        if done.returncode != 0:
            raise PairsError(f"dvc {command[0]}: {complained.read()}")
        return said.read()


def name_of(pair: Digits, wanted: str) -> str:
    return "pair-{}-{}-{}".format(*pair, wanted)


@contextmanager
def silence() -> Iterator[None]:
    """Nothing of what DVC says in this process, but for errors: its log goes past this."""
    with open(os.devnull, "w") as null, redirect_stdout(null), redirect_stderr(null):
        yield


def queue(pairs: Iterable[Digits], wanted: str) -> None:
    for a, b in pairs:  # not a process each: DVC is loaded once
        what = ["-S", f"filter_5_8.classes=[{a},{b}]", "--name", name_of((a, b), wanted)]
        with chdir(COPY), silence():
            status = dvc_main(["exp", "run", "--queue", *what])
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        if status != 0:
            raise PairsError(f"pairs: {a}-{b} cannot be queued, see above")


def at_work() -> list[psutil.Process]:
    """The queue's workers and what they have started, wherever their parents are."""
    folder, found = str(COPY.resolve()) + os.sep, []
    for process in psutil.process_iter():
        try:
            inside = f"{process.cwd()}{os.sep}".startswith(folder) and process.pid != os.getpid()
            if inside and "python" in process.name() + process.exe():
                found.append(process)
        except psutil.Error:  # it has ended, or is someone else's
            continue
    return found


def is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "queue-worker" in process.cmdline()
    return False


def stop() -> None:
    """End what is at work in the copy: as Ctrl-C does, and after five seconds the hard way."""
    end = signal.SIGINT
    while processes := at_work():
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(end)
        psutil.wait_procs(processes, timeout=5)
        end = signal.SIGKILL


def fetch() -> None:
    """Bring what is finished in the copy into the checkout."""
    if not (COPY / ".git").exists():
        return
    new = experiments(COPY).keys() - experiments().keys()
    if new:
        git("fetch", "--quiet", "--no-tags", str(COPY), *(f"{ref}:{ref}" for ref in sorted(new)))


def work(pairs: Sequence[Digits], wanted: str, jobs: int, bar: tqdm) -> None:
    """One round: queue these pairs, and wait until the workers have nothing left to do."""
    make_copy()
    bar.set_postfix_str("queueing")
    queue(pairs, wanted)
    names = {name_of(pair, wanted): "{}-{}".format(*pair) for pair in pairs}
    jobs = min(jobs, len(pairs))
    start = partial(dvc, "queue", "start", "--jobs", str(jobs), folder=COPY)
    start()
    with Repo(str(COPY)) as repo:
        tasks = repo.experiments.celery_queue
        while True:
            # In this order: what moves on in between is seen at its next place.
            waiting, running = list(tasks.iter_queued()), list(tasks.iter_active())
            alive = at_work()
            fetch()
            bar.n = bar.total - sum(pair not in finished(wanted) for pair in pairs)
            now = ", ".join(names[task.name] for task in running)
            bar.set_postfix_str(f"running {now or 'nothing'}; {bar.total - bar.n} left")
            if not alive or not (waiting or running):
                return
            # A worker that reads a message before it is wholly written ends.
            if waiting and sum(is_worker(process) for process in alive) < jobs:
                start()
            time.sleep(2)


def reason(pair: Digits, wanted: str) -> str:
    """Why a pair's experiment failed: its log's last line that is not DVC's own."""
    try:
        log = dvc("queue", "logs", name_of(pair, wanted), folder=COPY).splitlines()
    except PairsError as error:
        return str(error)
    lines = [line for line in log if line.strip() and not line.startswith(("ERROR", ">"))]
    return lines[-1] if lines else "its log is empty"


def run_missing(pairs: Sequence[Digits], wanted: str, jobs: int) -> None:
    """Run the pairs that are missing; once more those that a round has not brought.

    Raises
    ------
    PairsError
        A round has brought nothing.
    """
    missing = [pair for pair in pairs if pair not in finished(wanted)]
    at_start = len(pairs) - len(missing)
    print(f"pairs: {at_start} of {len(pairs)} are there, {len(missing)} to run", flush=True)
    progress = tqdm(total=len(pairs), initial=at_start, unit="pair", disable=None, leave=False)
    with progress as bar, stopping():
        while missing:
            before = missing
            work(missing, wanted, jobs, bar)
            missing = [pair for pair in pairs if pair not in finished(wanted)]
            if missing == before:
                failed = ", ".join(f"{a}-{b}" for a, b in missing)
                raise PairsError(f"pairs: {failed} failed: {reason(missing[0], wanted)}")


@contextmanager
def stopping() -> Iterator[None]:
    """However the block ends, nothing is left at work, and what is finished is fetched."""
    before = {
        end: signal.signal(end, signal.default_int_handler)
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        stop()
        fetch()
        for end, handler in before.items():
            signal.signal(end, handler)


def all_pairs(digits: Sequence[int], jobs: int) -> None:
    """Bring docs/pairs.csv and docs/pairs.png up to date.

    Raises
    ------
    PairsError
        Another run is at work here; dvc.lock is not of the present code and params, or not of
        MNIST; a pair failed.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = zc.lockfile.LockFile(str(LOCK))
    except zc.lockfile.LockError as error:
        raise PairsError("pairs: `make pairs` is at work here already") from error
    try:
        pairs = list(combinations(sorted(digits), 2))
        if stale := json.loads(dvc("status", "--json")):
            raise PairsError(f"{LOCKFILE}: stale in {', '.join(stale)}; `dvc repro` first")
        present = parsed(Path(LOCKFILE).read_text(encoding="utf-8"))
        if (dataset := params_of(present, "download")["dataset"]) != "mnist":
            raise PairsError(f"params.yaml: download.dataset: got {dataset}; allowed here: mnist")
        wanted = recipe(present)
        if shown(pairs, wanted):
            print(f"pairs: {TABLE} and {PICTURE} are up to date")
            return
        stop()  # the workers of a run that was killed
        fetch()
        run_missing(pairs, wanted, jobs)
        found = finished(wanted)
        results = [result(found[pair]) for pair in pairs]
        save_table(TABLE, COLUMNS, ((*astuple(pair)[:-1], wanted) for pair in results))
        save_bytes(PICTURE, png(pairs_figure(results)))
        remove_copy()
        print(f"pairs: {TABLE} and {PICTURE} show all {len(pairs)}")
    finally:
        lock.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="pairs", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--digits", type=int, nargs="+", choices=range(10), default=range(10), metavar="DIGIT",
        help="the pairs of these alone, at least two (default: all ten)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=int, default=joblib.cpu_count(), help="workers (default: one a core)"
    )
    options = parser.parse_args()
    if len(set(options.digits)) < 2:
        parser.error(f"--digits: got {options.digits}; allowed: two or more different digits")
    if options.jobs < 1:
        parser.error(f"--jobs: got {options.jobs}; allowed: 1 or more")
    try:
        with alone(*HERE):
            run(mend)
        run(lambda: all_pairs(sorted(set(options.digits)), options.jobs))
    except KeyboardInterrupt:
        sys.exit("pairs: stopped; `make pairs` goes on with what is missing")


if __name__ == "__main__":
    main()
