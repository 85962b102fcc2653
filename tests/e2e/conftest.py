"""The real project, computed once for all modules of this folder; each gets a copy of its own."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import Once

Run = Callable[..., subprocess.CompletedProcess]
# interpret in a fraction of the time, where these do not matter
QUICK = {"bootstraps": 5, "path": 12, "every_C": False}
WHO = ("-c", "user.name=t", "-c", "user.email=t@localhost")


def stages_run(done: subprocess.CompletedProcess) -> list[str]:
    """The stages that a `dvc repro` ran, in order."""
    return re.findall(r"Running stage '(\w+)'", done.stdout)


def runner(folder: Path, environment: dict[str, str]) -> Run:
    """A function that runs a command in `folder`; by default it must succeed."""

    def run(*command: str, check: bool = True, **more: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def refusal(run: Run) -> str:
    """What a `dvc repro` that refuses a value of params.yaml says of it, in its one line."""
    done = run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("params.yaml: ")]
    assert line.endswith("(then `dvc repro` gives all results back)")
    return line


def change(file: Path, **sections: dict[str, object]) -> None:
    """Other values in some sections of params.yaml: change(file, train={"C": 0.05})."""
    params = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    for section, values in sections.items():
        params[section] |= values
    file.write_text(json.dumps(params), encoding="utf-8")  # JSON is YAML


@pytest.fixture(scope="session")
def fresh(root: Path, once: Once) -> Path:
    """The project as git would clone it, uncommitted changes included; nothing computed yet."""
    return once("fresh", partial(_clone, root)) / "project"


def _clone(root: Path, place: Path) -> None:
    folder = place / "project"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", *WHO, "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=folder, check=True)


@pytest.fixture(scope="session")
def computed(
    fresh: Path, command_environment: dict[str, str], once: Once
) -> tuple[Path, subprocess.CompletedProcess]:
    """The project after its first `dvc repro`, and what that said."""

    def compute(place: Path) -> None:
        folder = place / "project"
        shutil.copytree(fresh, folder)
        done = runner(folder, command_environment)("dvc", "repro")
        (place / "said.json").write_text(json.dumps([done.stdout, done.stderr]))

    place = once("computed", compute)
    said = json.loads((place / "said.json").read_text())
    return place / "project", subprocess.CompletedProcess(["dvc", "repro"], 0, *said)


@pytest.fixture(scope="session")
def first_run(computed: tuple[Path, subprocess.CompletedProcess]) -> subprocess.CompletedProcess:
    return computed[1]


def copy_of(project: Path, factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("copy") / "project"
    shutil.copytree(project, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def project(
    computed: tuple[Path, subprocess.CompletedProcess], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The computed project, this module's own copy."""
    return copy_of(computed[0], tmp_path_factory)


@pytest.fixture(scope="module")
def run(project: Path, command_environment: dict[str, str]) -> Run:
    """Run a command in the project; by default it must succeed."""
    return runner(project, command_environment)


@pytest.fixture
def params(project: Path) -> Iterator[Path]:
    """params.yaml, put back when the test is over."""
    file = project / "params.yaml"
    before = file.read_text()
    yield file
    file.write_text(before)


@pytest.fixture(scope="module")
def snapshot(project: Path) -> Callable[[], dict[str, bytes]]:
    """The digest of every result."""

    def take() -> dict[str, bytes]:
        return {
            path.relative_to(project).as_posix(): hashlib.sha256(path.read_bytes()).digest()
            for folder in ("data", "metrics", "plots")
            for path in sorted((project / folder).rglob("*"))
            if path.is_file()
        }

    return take
