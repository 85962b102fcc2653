"""`make pairs` on the real graph: killed, taken up again, failing; LIBLINEAR finds the same."""

import csv
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path

import numpy as np
import psutil
import pytest
from sklearn.svm import LinearSVC

from tests.e2e.conftest import Run, change
from tests.quick import QUICK

pytestmark = pytest.mark.long
patient = pytest.mark.timeout(3600)  # it runs up to six pairs, on a busy machine

ARTICLE = True
CHEAP_SEARCH = QUICK["gridsearch"] | {"C": [0.01, 0.02]}
ROOT = Path(__file__).resolve().parents[2]
THREE = ("--digits", "0", "1", "2", "--jobs", "2")
EXPERIMENTS = ("git", "for-each-ref", "--format=%(objectname) %(refname:lstrip=4)", "refs/exps")


class Terminal:
    """`python -m tools.pairs` in a terminal, and what it has shown so far."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        ours, its = pty.openpty()
        ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.pairs", *THREE],
            cwd=project,
            env=environment,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self.ours, self.shown = ours, ""

    def until(self, reached: Callable[[], object], seconds: float = 600) -> None:
        """Wait until this is reached, reading on what it shows."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, self.shown
            if not select.select([self.ours], [], [], 0.2)[0]:
                continue
            try:
                self.shown += os.read(self.ours, 4096).decode(errors="replace")
            except OSError as error:  # it has ended
                raise AssertionError(self.shown) from error

    def end(self, *signals: signal.Signals) -> int:
        for one in signals:
            self.process.send_signal(one)
        while True:
            try:
                self.shown += os.read(self.ours, 4096).decode(errors="replace")
            except OSError:
                break
        os.close(self.ours)
        return self.process.wait()


@pytest.fixture(scope="module")
def quick(project: Path, run: Run) -> Path:
    """The project with params that take little time; they are not committed."""
    change(project / "params.yaml", **QUICK | {"gridsearch": CHEAP_SEARCH})
    run("dvc", "repro")
    return project


@pytest.fixture
def pairs(run: Run) -> Callable[..., subprocess.CompletedProcess]:
    def call(*options: str, check: bool = True) -> subprocess.CompletedProcess:
        return run("python", "-m", "tools.pairs", *options, check=check)

    return call


def at_work(project: Path) -> list[psutil.Process]:
    """Whatever process has its working directory in the copy."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(project / ".dvc/tmp/pairs")):
                found.append(process)
        except psutil.Error:
            continue
    return found


def power_cut(project: Path) -> None:
    """End whatever is at work, and what it has started meanwhile."""
    end = time.monotonic() + 60
    while processes := at_work(project):
        assert time.monotonic() < end, processes
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=5)


def table(folder: Path) -> dict[tuple[int, int], dict[str, str]]:
    """docs/pairs.csv, by negative and positive digit."""
    with (folder / "docs/pairs.csv").open(encoding="utf-8") as file:
        return {(int(row["negative"]), int(row["positive"])): row for row in csv.DictReader(file)}


def experiments(run: Run) -> dict[str, str]:
    """Name and commit of the pairs' experiments."""
    listed = (line.split() for line in run(*EXPERIMENTS).stdout.splitlines())
    return {parts[1]: parts[0] for parts in listed if len(parts) == 2 and "pair-" in parts[1]}


@patient
def test_5_and_8_are_the_pipelines_own(project: Path, run: Run, pairs) -> None:
    pairs("--digits", "5", "8")
    (row,) = table(project).values()
    committed = table(ROOT)[5, 8]
    assert row["recipe"]
    assert row | {"recipe": ""} == committed | {"recipe": ""}
    run("git", "checkout", "-q", "docs")
    run("dvc", "exp", "remove", "--all-commits")


@patient
def test_stopped_and_killed_it_runs_only_what_is_missing(
    quick: Path, run: Run, pairs, command_environment: dict[str, str]
) -> None:
    untouched = run("git", "status", "--porcelain").stdout

    first = Terminal(quick, command_environment)
    first.until(lambda: re.search(r"running \d-\d", first.shown))
    assert first.end(signal.SIGINT) != 0
    assert "0 of 3 are there, 3 to run" in first.shown
    assert "`make pairs` goes on" in first.shown
    assert "Traceback" not in first.shown
    assert at_work(quick) == []

    second = Terminal(quick, command_environment)
    second.until(lambda: experiments(run))  # fetched as soon as they are finished
    second.process.kill()
    power_cut(quick)  # ends the workers as well
    second.end()
    there = experiments(run)
    assert 1 <= len(there) <= 2

    done = pairs(*THREE)
    assert f"pairs: {len(there)} of 3 are there, {3 - len(there)} to run\n" in done.stdout
    assert done.stderr == ""  # quiet in a pipe
    now = experiments(run)
    assert there.items() <= now.items()  # the same commits: not run again
    assert sorted(name.rsplit("-", 1)[0] for name in now) == ["pair-0-1", "pair-0-2", "pair-1-2"]
    assert at_work(quick) == []
    changed = run("git", "status", "--porcelain").stdout
    assert set(changed.splitlines()) - set(untouched.splitlines()) == {
        " M docs/pairs.csv",
        " M docs/pairs.png",
    }


@contextmanager
def instead(file: Path, old: str, new: str) -> Iterator[None]:
    before = file.read_text(encoding="utf-8")
    assert old in before
    file.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


@patient
def test_stale_results_are_refused(quick: Path, pairs) -> None:
    with instead(quick / "stages/filter_5_8.py", '"""Stage', '"""The stage'):
        done = pairs(*THREE, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dvc.lock: stale in filter_5_8; `dvc repro` first\n"


@patient
def test_a_pair_that_fails_costs_no_other_and_its_reason_is_said(
    quick: Path, run: Run, pairs
) -> None:
    failing = "    if params.classes == [0, 2]:\n        raise SystemExit('no')\n"
    start = "def main(params: Filter58) -> None:\n"
    with instead(quick / "stages/filter_5_8.py", start, start + failing):
        run("dvc", "repro")
        before = experiments(run)
        done = pairs(*THREE, check=False)
    run("dvc", "repro")
    assert done.returncode == 2
    assert done.stderr == "pairs: 0-2 failed: no\n"
    new = experiments(run).keys() - before.keys()
    assert sorted(name.rsplit("-", 1)[0] for name in new) == ["pair-0-1", "pair-1-2"]


@patient
def test_what_is_there_is_not_run_again(quick: Path, run: Run, pairs) -> None:
    before = experiments(run)
    assert pairs(*THREE).stdout == "pairs: docs/pairs.csv and docs/pairs.png are up to date\n"
    picture = (quick / "docs/pairs.png").read_bytes()
    (quick / "docs/pairs.png").unlink()
    run("dvc", "gc", "--workspace", "--force")  # what git has of the experiments is enough
    assert "pairs: 3 of 3 are there, 0 to run\n" in pairs(*THREE).stdout
    assert (quick / "docs/pairs.png").read_bytes() == picture
    assert experiments(run) == before


@pytest.mark.parametrize("digits", [(0, 1), (3, 5), (4, 9)])
def test_liblinear_agrees(digits: tuple[int, int], mnist: dict[str, np.ndarray]) -> None:
    """A tight tol, since LIBLINEAR's own leaves weights that are 0 at the optimum."""
    row = table(ROOT)[digits]

    def part(name: str) -> tuple[np.ndarray, np.ndarray]:
        kept = np.isin(mnist[f"y_{name}"], digits)
        return mnist[f"x_{name}"][kept].reshape(-1, 784) / 255.0, mnist[f"y_{name}"][kept]

    model = LinearSVC(
        penalty="l1", loss="squared_hinge", dual=False, C=float(row["C"]), tol=1e-6,
        max_iter=1_000_000, random_state=0,
    ).fit(*part("train"))  # fmt: skip
    nonzero = np.count_nonzero(model.coef_) + np.count_nonzero(model.intercept_)
    assert model.score(*part("test")) == float(row["test_accuracy"])
    assert nonzero == int(row["nonzero"])
