"""Real projects, each computed once for all modules: the article's, and a small one that takes
seconds. Whoever changes one gets a copy."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from tests.conftest import Once
from tests.e2e.forked import shims
from tests.quick import QUICK, save_images, small_images

Run = Callable[..., subprocess.CompletedProcess[str]]
Computed = tuple[Path, subprocess.CompletedProcess[str]]


def stages_run(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a `dvc repro` ran, in order."""
    return re.findall(r"Running stage '(\w+)'", done.stdout)


def runner(folder: Path, environment: dict[str, str]) -> Run:
    """A function that runs a command in `folder`; by default it must succeed.

    dvc and `python -m` are forks (tests/e2e/forked.py), unless more variables are given.
    """
    quick = environment | {"PATH": f"{shims()}{os.pathsep}{environment['PATH']}"}

    def run(*command: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | more if more else quick,
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


def metrics(project: Path, stage: str) -> dict:
    return json.loads((project / f"metrics/{stage}.json").read_text())


def commit_all(run: Run, message: str = "a change") -> None:
    run("git", "add", "-A")
    run("git", "commit", "-qm", message)


@pytest.fixture(scope="session")
def fresh(root: Path, once: Once) -> Path:
    """The project as git would clone it, uncommitted changes included; nothing computed yet."""
    return once("fresh", partial(_clone, root)) / "project"


def _clone(root: Path, place: Path) -> None:
    folder = place / "project"
    run = runner(root, dict(os.environ))
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    run = runner(folder, dict(os.environ))
    run("git", "init", "-q")
    commit_all(run, "start")


@pytest.fixture(scope="session")
def computed(root: Path, fresh: Path, command_environment: dict[str, str], once: Once) -> Computed:
    """The article's project after its first `dvc repro`, and what that said. To be read only.

    What the checkout's own run cache has of it is not computed again.
    """

    def compute(place: Path) -> None:
        folder = place / "project"
        shutil.copytree(fresh, folder)
        ours, theirs = root / ".dvc/cache", folder / ".dvc/cache"
        if (ours / "runs").exists():
            shutil.copytree(ours / "runs", theirs / "runs")
        for digest in re.findall(r"md5: ([0-9a-f]{32})", (folder / "dvc.lock").read_text()):
            name = f"files/md5/{digest[:2]}/{digest[2:]}"
            if (ours / name).exists():
                (theirs / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ours / name, theirs / name)
        _say(place, runner(folder, command_environment)("dvc", "repro"))

    return _said(once("computed", compute))


@pytest.fixture(scope="session")
def small(fresh: Path, command_environment: dict[str, str], once: Once) -> Computed:
    """The project with few images and quick params after its first `dvc repro`, committed, and
    what that said. To be copied."""

    def compute(place: Path) -> None:
        folder = place / "project"
        shutil.copytree(fresh, folder)
        download = save_images(folder / "small.npz", **small_images())
        sections = {"download": download} | QUICK
        values = {f"{name}.{key}": v for name, of in sections.items() for key, v in of.items()}
        set_params = [f"{key}={json.dumps(value)}" for key, value in values.items()]
        apply_overrides(folder / "params.yaml", set_params)
        run = runner(folder, command_environment)
        _say(place, run("dvc", "repro"))
        commit_all(run, "small")

    return _said(once("small", compute))


def _say(place: Path, done: subprocess.CompletedProcess[str]) -> None:
    (place / "said.json").write_text(json.dumps([done.stdout, done.stderr]))


def _said(place: Path) -> Computed:
    said = json.loads((place / "said.json").read_text())
    return place / "project", subprocess.CompletedProcess(["dvc", "repro"], 0, *said)


def copy_of(project: Path, factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("copy") / "project"
    shutil.copytree(project, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This module's copy of the small project, or of the article's where it says ARTICLE = True."""
    name = "computed" if getattr(request.module, "ARTICLE", False) else "small"
    return copy_of(request.getfixturevalue(name)[0], tmp_path_factory)


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
