"""Kills, damages and starves the pipeline, and looks whether it comes back: `make soak`.

    python -m tools.soak [--kills 300] [--damage 60] [--limits 40] [--pairs 30] [--seed 0]

In a computed copy of the project. After each fault `make repro`'s command must end well, at once,
with the bytes of the undisturbed run in data/, metrics/, plots/ and dvc.lock, and nothing left
beside them. Prints a table of promises, how often each was tried and failed, and each failure with
its seed; exit status 1 if there is one.

- kills: `dvc repro` of one stage, ended by INT, TERM, HUP or KILL, dvc alone or with all that it
  started, at any time, or just as an output, the cache, DVC's rwlock or dvc.lock is written;
- damage: a result that is flipped, cut, emptied, another one's, or gone;
- limits: a stage with too little memory, a limit on the size of its files, a full disk or a
  read-only one: it ends well, or in one line and with all results as before;
- pairs: two `make repro` or two `dvc repro` at once, an experiment beside a run, two checkouts that
  share a cache: one waits, or refuses in a few lines.

Full and read-only disks are small file systems in memory, which only root may mount: left out, and
said so, for others.
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
REPRO = (sys.executable, "-m", "tools.repro")  # `make repro`
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
        self.outputs = {name: _outputs(graph[name]) for name in self.stages}
        self.beside: Copy | None = None  # another checkout, with the same cache
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

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, with what it says kept."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def come_back(self) -> None:
        """What `make repro` runs."""
        self.run(*REPRO)

    def forget(self, stage: str) -> None:
        """A stage's results, and DVC's memory of its runs: it must run again."""
        for name in self.outputs[stage]:
            (self.folder / name).unlink(missing_ok=True)
        for file in (self.folder / ".dvc/cache/runs").glob("*/*/*"):
            if f"stages.{stage}" in file.read_text(encoding="utf-8"):
                file.unlink()

    def checkout(self) -> "Copy":
        """A second checkout that shares the cache, and should hold the same."""
        if self.beside is None:
            other = object.__new__(Copy)
            other.__dict__ |= self.__dict__
            other.folder = self.folder.with_name("beside")
            self.run("git", "clone", "-q", ".", str(other.folder))
            other.environment = os.environ | {"PYTHONPATH": str(other.folder)}
            other.run("dvc", "cache", "dir", "--local", str(self.folder / ".dvc/cache"))
            other.come_back()
            self.beside = other
        return self.beside

    def begin_anew(self) -> None:
        """After a failure: as it was, from git and the cache."""
        end_orphans(self)
        for command in (["git", "reset", "-q", "--hard"], ["git", "clean", "-fdq"]):
            self.run(*command)
        shutil.rmtree(self.folder / ".dvc/tmp", ignore_errors=True)
        for name in self.digests().keys() - self.whole.keys():  # git ignores some of them
            (self.folder / name).unlink()
        if self.beside:
            shutil.rmtree(self.beside.folder)
            self.beside = None
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


class SpoiledError(Exception):
    """Results that a stage may not leave behind."""


def starve(copy: Copy, rng: random.Random) -> str:
    """One stage with too little of something; how. It must end in one line, or well."""
    stage, what = rng.choice(copy.stages), rng.choice(["memory", "files", "disk", "read-only"])
    output = copy.folder / rng.choice(copy.outputs[stage])
    amount = rng.randrange(300, 1500) * 2**20 if what == "memory" else 0
    if what in ("files", "disk"):
        amount = rng.randrange(output.stat().st_size)
    how = f"{stage}: {what} {amount} for {output.relative_to(copy.folder)}"
    command = (sys.executable, "-m", f"stages.{stage}")
    if what in ("memory", "files"):
        kind = resource.RLIMIT_AS if what == "memory" else resource.RLIMIT_FSIZE
        done = copy.tried(*command, preexec_fn=lambda: resource.setrlimit(kind, (amount, amount)))
    elif os.geteuid() == 0:
        with _mounted(output.parent, amount, read_only=what == "read-only"):
            done = copy.tried(*command)
            _whole(copy, how)
    else:
        return f"{how}: left out, only root may mount"
    if "Traceback" in done.stderr and not _in_an_import(done.stderr):
        raise TracebackError(f"{how}: {done.stderr.strip().splitlines()[-1]}")
    if what == "read-only" and done.returncode != 2:
        raise TracebackError(f"{how}: exit status {done.returncode}")
    _whole(copy, how)
    return how


def _whole(copy: Copy, how: str) -> None:
    """A stage that finds no room leaves what was there, and nothing beside it."""
    if wrong := copy.wrong():
        raise SpoiledError(f"{how}: {', '.join(wrong)}")


@contextlib.contextmanager
def _mounted(folder: Path, room: int, read_only: bool) -> Iterator[None]:
    """A file system in memory in the place of `folder`: its files, and so many bytes of room."""
    kept = {
        file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
    page = resource.getpagesize()
    size = sum(len(data) // page * page + page for data in kept.values()) + room + 64 * page
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        for name, data in kept.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def pair(copy: Copy, rng: random.Random) -> str:
    """Two runs at the same time, of which one stage must run; how."""
    stage = rng.choice(copy.stages)
    kind = rng.choice(["make repro", "dvc repro", "an experiment", "a shared cache"])
    how, other = f"{stage}: {kind} beside", copy
    first, second = REPRO, REPRO
    if kind == "dvc repro":
        first = second = ("dvc", "repro")
    elif kind == "an experiment":
        # of other params, in a copy of the checkout that dvc makes
        first = ("dvc", "exp", "run", "--temp", "-S", f"evaluate.mistakes={rng.randint(1, 20)}")
    elif kind == "a shared cache":
        other = copy.checkout()
        other.forget(stage)
    copy.forget(stage)
    one = other.start(*first)
    time.sleep(rng.uniform(0, 3))
    two = copy.start(*second)
    ends = [
        (process.communicate(timeout=PATIENCE)[0], process.returncode) for process in (one, two)
    ]
    refused = [said for said, status in ends if status != 0]
    # dvc by itself says that what it needs is busy; but not both of them
    allowed = kind == "dvc repro" and len(refused) == 1 and _busy(refused[0])
    if (refused and not allowed) or any("Traceback" in said for said, _ in ends):
        raise TracebackError(f"{how}: {' '.join(refused) or ends}")
    for checkout in {copy, other}:
        _whole(checkout, how)
    return how


def _busy(said: str) -> bool:
    """Whether dvc refused since another dvc runs."""
    return "is busy, it is being blocked by" in said or "Unable to acquire lock" in said


def _in_an_import(said: str) -> bool:
    """Whether a library could not even be loaded: that is before any code of ours."""
    return "run_stage" not in said


def _outputs(stage: dict[str, list[str | dict[str, object]]]) -> list[str]:
    """What a stage of dvc.yaml writes."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
    return [name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)]


def end_orphans(copy: Copy) -> None:
    """Wait for what a killed dvc left running, which `make repro` may run beside."""
    for process in psutil.process_iter(["cwd", "pid"]):
        if process.info["cwd"] == str(copy.folder) and process.pid != os.getpid():
            try:
                process.wait(PATIENCE)
            except psutil.NoSuchProcess:
                continue


FAILURES = (RuntimeError, TracebackError, SpoiledError, subprocess.TimeoutExpired)


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
                except FAILURES as error:
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
    parser.add_argument("--limits", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the first fault")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve() / "project")
        faults: dict[str, tuple[Fault, int]] = {
            "killed": (lambda rng: kill(copy, rng), options.kills),
            "damaged": (lambda rng: damage(copy, rng), options.damage),
            "starved": (lambda rng: starve(copy, rng), options.limits),
            "two at once": (lambda rng: pair(copy, rng), options.pairs),
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
