"""The small project killed, starved and damaged at random: afterwards every byte is back.

SOAK_ROUNDS says how often each fault is tried; --hypothesis-seed draws others, or the same again.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Run
from tests.e2e.test_verify import WHOLE, flip

pytestmark = pytest.mark.long

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "3"))
STAGES = ("filter_5_8", "preprocess", "gridsearch", "train", "evaluate", "interpret")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
AIMS = {  # what appears, or changes, when it is written
    "an output": "**/.*.tmp",
    "the cache": ".dvc/cache/files/md5/*/*",
    "rwlock": ".dvc/tmp/rwlock",
    "dvc.lock": "dvc.lock",
}
LIMITS = {  # what `ulimit` calls it, and how much of it is drawn from
    "-f": (resource.RLIMIT_FSIZE, range(100_000)),
    "-v": (resource.RLIMIT_AS, range(300 << 20, 1500 << 20)),
    "-n": (resource.RLIMIT_NOFILE, range(4, 64)),
}


@pytest.fixture(params=range(ROUNDS))
def rng(request: pytest.FixtureRequest) -> random.Random:
    seed = request.config.getoption("hypothesis_seed")
    print(f"--hypothesis-seed={seed}, round {request.param}")
    return random.Random(f"{seed} {request.param}")


@pytest.fixture(autouse=True)
def as_before(project: Path, snapshot) -> Iterator[None]:
    """After each test results and dvc.lock are as before it, with nothing beside them, and
    nothing is at work."""
    lock = project / "dvc.lock"
    before = snapshot() | {"dvc.lock": lock.read_bytes()}
    yield
    after = snapshot() | {"dvc.lock": lock.read_bytes()}
    assert {name for name, _ in after.items() ^ before.items()} == set()
    assert at_work(project) == []


def at_work(project: Path) -> list[psutil.Process]:
    """The processes in the project that do not end within ten seconds."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(project):
                found.append(process)
    return psutil.wait_procs(found, timeout=10)[1]


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes], nth: int) -> None:
    """Until a file of this pattern appears, or changes, for the nth time, or the process ends."""

    def seen() -> set[tuple[Path, int]]:
        found = set()
        for file in folder.glob(pattern):
            with suppress(FileNotFoundError):
                found.add((file, file.stat().st_mtime_ns))
        return found

    before = seen()
    while process.poll() is None and nth:
        now = seen()
        nth -= bool(now - before)
        before = now


def test_a_kill_is_survived(
    project: Path, run: Run, command_environment: dict[str, str], rng: random.Random
) -> None:
    stage, ending = rng.choice(STAGES), rng.choice(SIGNALS)
    end, aim = rng.choice([os.kill, os.killpg]), rng.choice(["any time", *AIMS])
    print(f"{stage}: {ending.name} by {end.__name__} at {aim}")
    process = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", stage],
        cwd=project,
        env=command_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # tests run in the background ignore Ctrl-C, and would hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if aim == "any time":
        time.sleep(rng.uniform(0, 6))
    else:
        wait_for(project, AIMS[aim], process, nth=rng.randint(1, 4))
    with suppress(ProcessLookupError):  # it had ended
        end(process.pid, ending)
    process.wait()
    run("python", "-m", "tools.repro")


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_costs_no_result(
    project: Path, command_environment: dict[str, str], rng: random.Random, limit: str
) -> None:
    """The stage ends well, or in one line; but for a library that cannot even be imported."""
    stage, (kind, amounts) = rng.choice(STAGES), LIMITS[limit]
    amount = rng.choice(amounts)
    print(f"{stage}: ulimit {limit} of {amount}")
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}"],
        cwd=project,
        env=command_environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(kind, (amount, amount)),
    )
    assert "Traceback" not in done.stderr or "run_stage" not in done.stderr, done.stderr


def test_a_stage_without_room_says_so(project: Path, command_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.train"],
        cwd=project,
        env=command_environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]  # joblib warns before that it makes no semaphore
    assert last.startswith("data/model.joblib: cannot be written: File too large (then ")


@pytest.mark.parametrize("place", ["results", "cache", "DVC"])
def test_a_flipped_bit_is_mended(project: Path, run: Run, rng: random.Random, place: str) -> None:
    found = {
        "results": [file for room in ("data", "plots") for file in (project / room).rglob("[!.]*")],
        "cache": list((project / ".dvc/cache/files/md5").glob("*/*")),
        "DVC": [project / "dvc.lock", *(project / ".dvc/tmp").iterdir()],
    }[place]
    file = rng.choice(sorted(file for file in found if file.is_file() and file.stat().st_size))
    print(file)
    flip(file)
    mended = run("python", "-m", "tools.health", "--fix", check=False)
    assert "Traceback" not in mended.stderr
    run("python", "-m", "tools.repro")
    assert run("python", "-m", "tools.health").stdout.endswith(WHOLE)


@pytest.mark.parametrize(
    "other",
    [
        (sys.executable, "-m", "tools.repro"),
        ("dvc", "exp", "run", "--temp", "-S", "evaluate.mistakes=2"),
    ],
    ids=["make repro", "an experiment"],
)
def test_two_at_once_do_no_harm(
    project: Path, command_environment: dict[str, str], other: tuple[str, ...]
) -> None:
    (project / "data/model.joblib").unlink()
    commands = (other, (sys.executable, "-m", "tools.repro"))
    started = [
        subprocess.Popen(
            command,
            cwd=project,
            env=command_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
