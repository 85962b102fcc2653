"""Kills, damages and starves the pipeline, and looks whether it comes back: `make soak`.

    python -m tools.soak [--kills 300] [--damage 60] [--limits 18] [--seed 0]

In a computed copy of the project. After each fault `make repro`'s command must end well, with the
bytes of the undisturbed run in data/, metrics/, plots/ and dvc.lock, and nothing left beside them.
Prints a table of promises, how often each was tried and failed, and each failure with its seed;
exit status 1 if there is one.

- kills: `dvc repro` of one stage, ended by INT, TERM, HUP or KILL, dvc alone or with all that it
  started, at any time, or just as an output, the cache, DVC's rwlock or dvc.lock is written;
- damage: a result that is flipped, cut, emptied, another one's, or gone;
- limits: a stage with too little memory, or with no room for its files: one line, no traceback.
"""

import argparse
import contextlib
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import yaml

from pipeline.progress import progress

COMPARED = ("data", "metrics", "plots", "dvc.lock")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
AIMS = {  # what appears, or changes, when it is written
    "an output": "**/.*.tmp",
    "the cache": ".dvc/cache/files/md5/*/*",
    "rwlock": ".dvc/tmp/rwlock",
    "dvc.lock": "dvc.lock",
}
PATIENCE = 300  # seconds for a run that must come back
Fault = Callable[[random.Random], str]


class Copy:
    """A computed copy of the project, and what it should hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns(".venv", ".git", "tmp", "dist", "*.egg-info")
        shutil.copytree(".", folder, ignore=ignored)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
            who = ["-c", "user.name=soak", "-c", "user.email=soak@localhost"]
            subprocess.run(["git", *who, *command], cwd=folder, check=True)
        self.environment = os.environ | {"PYTHONPATH": str(folder)}
        self.come_back()
        graph = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
        self.stages = [name for name in graph if name != "download"]
        self.seconds = {name: self._timed(name) for name in self.stages}
        self.whole = self.digests()

    def _timed(self, stage: str) -> float:
        began = time.monotonic()
        self.run("dvc", "repro", "--quiet", "--force", "--single-item", stage)
        return time.monotonic() - began

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed."""
        done = self.tried(*command)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done

    def tried(self, *command: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            **more,  # type: ignore[call-overload]
        )

    def come_back(self) -> None:
        """What `make repro` runs."""
        self.run(sys.executable, "-m", "tools.repro")

    def begin_anew(self) -> None:
        """After a failure: as it was, from git and the cache."""
        end_orphans(self)
        for command in (["git", "reset", "-q", "--hard"], ["git", "clean", "-fdq"]):
            self.run(*command)
        shutil.rmtree(self.folder / ".dvc/tmp", ignore_errors=True)
        self.come_back()

    def digests(self) -> dict[str, str]:
        """Every file that is compared, hidden ones as well."""
        files = [
            file
            for name in COMPARED
            for file in (self.folder / name, *sorted((self.folder / name).rglob("*")))
            if file.is_file()
        ]
        return {
            file.relative_to(self.folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        }

    def wrong(self) -> list[str]:
        """The files that are not as in the undisturbed run."""
        return sorted(name for name, _ in self.digests().items() ^ self.whole.items())


def kill(copy: Copy, rng: random.Random) -> str:
    """One stage's `dvc repro`, ended at some moment; how."""
    stage, ending = rng.choice(copy.stages), rng.choice(SIGNALS)
    group, aim = rng.random() < 0.5, rng.choice(["any time", *AIMS])
    process = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", stage],
        cwd=copy.folder,
        env=copy.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # a soak run in the background ignores Ctrl-C, and would hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if aim == "any time":
        time.sleep(rng.uniform(0, copy.seconds[stage]))
    else:
        _wait_for(copy.folder, AIMS[aim], process, nth=rng.randint(1, 4))
    with contextlib.suppress(ProcessLookupError):  # it had ended
        (os.killpg if group else os.kill)(process.pid, ending)
    process.wait()
    return f"{stage}: {ending.name} to {'all' if group else 'dvc'} at {aim}"


def _wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes], nth: int) -> None:
    """Until a file of this pattern appears, or changes, for the nth time, or the process ends."""

    def seen() -> set[tuple[str, int, int]]:
        found = set()
        for file in folder.glob(pattern):
            try:
                stat = file.stat()
            except FileNotFoundError:
                continue
            found.add((file.name, stat.st_mtime_ns, stat.st_size))
        return found

    before = seen()
    while process.poll() is None and nth:
        now = seen()
        nth -= bool(now - before)
        before = now


def damage(copy: Copy, rng: random.Random) -> str:
    """One result that is no longer what it was; how."""
    results = [name for name in copy.whole if name != "dvc.lock" and "/." not in name]
    name, kind = rng.choice(results), rng.choice(["flipped", "cut", "emptied", "foreign", "gone"])
    file = copy.folder / name
    data = bytearray(file.read_bytes())
    file.chmod(0o644)
    file.unlink()  # a link into the cache must not spoil what it leads to
    if kind == "gone":
        return f"{name}: gone"
    if kind == "flipped":
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "foreign":
        data = bytearray((copy.folder / rng.choice([*results, "dvc.yaml"])).read_bytes())
    else:
        del data[0 if kind == "emptied" else rng.randrange(len(data)) :]
    file.write_bytes(data)
    return f"{name}: {kind}"


class TracebackError(Exception):
    """A stage ended without the line that it should end with."""


def starve(copy: Copy, rng: random.Random) -> str:
    """One stage with too little of something; how. It must end in one line, or well."""
    stage, what = rng.choice(copy.stages), rng.choice(["memory", "room"])
    kind, amount = (
        (resource.RLIMIT_AS, rng.randrange(300, 1500) * 2**20)
        if what == "memory"
        else (resource.RLIMIT_FSIZE, rng.randrange(0, 50_000))
    )
    done = copy.tried(
        *(sys.executable, "-m", f"stages.{stage}"),
        preexec_fn=lambda: resource.setrlimit(kind, (amount, amount)),
    )
    how = f"{stage}: {what} {amount}"
    if "Traceback" in done.stderr and not _in_an_import(done.stderr):
        raise TracebackError(f"{how}: {done.stderr.strip().splitlines()[-1]}")
    return how


def _in_an_import(said: str) -> bool:
    """Whether a library could not even be loaded: that is before any code of ours."""
    return "run_stage" not in said


def end_orphans(copy: Copy) -> None:
    """Wait for what a killed dvc left running, which `make repro` may run beside."""
    for process in psutil.process_iter(["cwd", "pid"]):
        if process.info["cwd"] == str(copy.folder) and process.pid != os.getpid():
            try:
                process.wait(PATIENCE)
            except psutil.NoSuchProcess:
                continue


def soak(copy: Copy, seeds: Iterator[int], faults: dict[str, tuple[Fault, int]]) -> list[str]:
    """Each fault so many times; a line for each that the pipeline did not survive."""
    failures = []
    for name, (fault, times) in faults.items():
        with progress(name, times, "faults") as step:
            for seed in (next(seeds) for _ in range(times)):
                how = f"{name} (seed {seed})"
                try:
                    how += f": {fault(random.Random(seed))}"
                    copy.come_back()
                    end_orphans(copy)
                    wrong = copy.wrong()
                except (RuntimeError, TracebackError, subprocess.TimeoutExpired) as error:
                    wrong = [" ".join(str(error).split())[-300:]]
                if wrong:
                    failures.append(f"{how}: {', '.join(wrong)}")
                    copy.begin_anew()
                step()
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--damage", type=int, default=60)
    parser.add_argument("--limits", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0, help="of the first fault")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve() / "project")
        faults: dict[str, tuple[Fault, int]] = {
            "killed": (lambda rng: kill(copy, rng), options.kills),
            "damaged": (lambda rng: damage(copy, rng), options.damage),
            "starved": (lambda rng: starve(copy, rng), options.limits),
        }
        seeds = iter(range(options.seed, options.seed + sum(n for _, n in faults.values())))
        failures = soak(copy, seeds, faults)
    print(f"{'promise':34}{'tried':>8}{'failed':>8}")
    for name, (_, times) in faults.items():
        failed = sum(line.startswith(name) for line in failures)
        print(f"{name + ', then the same bytes':34}{times:8}{failed:8}")
    print(f"{time.monotonic() - began:.0f} seconds, seeds from {options.seed}")
    for line in failures:
        print(line)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
