"""docs/anywhere.md: the same set-up and the same bytes wherever the project lies.

Set-ups here are real, by `make`; uv's cache makes all but the first one quick.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Run, commit_all, runner, stages_run

STAMP = ".venv/run"
SETTING_UP = "Setting up .venv with Python 3."


@pytest.fixture(scope="module")
def caller() -> dict[str, str]:
    """A caller's environment: no `make` around it, none of our environments in PATH."""
    ours = str(Path(sys.executable).parent)
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if folder != ours]
    around = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return around | {"PATH": os.pathsep.join(path), "PYTHON": sys._base_executable}


@pytest.fixture(scope="module")
def made(fresh: Path, caller: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after `make .venv/run`."""
    folder = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(fresh, folder)
    done = runner(folder, caller)("make", STAMP)
    assert done.stdout.count(SETTING_UP) == 1
    return folder


def make(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A set-up that has begun."""
    return subprocess.Popen(
        ["make", STAMP],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def up_to_date(folder: Path, environment: dict[str, str], *more: str) -> bool:
    return runner(folder, environment)("make", "-q", STAMP, *more, check=False).returncode == 0


def works(folder: Path, environment: dict[str, str]) -> bool:
    """Commands of the environment run, and it is whole by its stamp."""
    version = runner(folder, environment)(f"{folder}/.venv/bin/dvc", "--version")
    return version.stdout.startswith("3.") and up_to_date(folder, environment)


def test_a_set_up_is_made_once(made: Path, caller: dict[str, str]) -> None:
    assert works(made, caller)
    assert runner(made, caller)("git", "status", "--porcelain").stdout == ""


@pytest.mark.parametrize(
    "told", ["/elsewhere Python 3.11.7", "{here} Python 3.11.0", ""], ids=["moved", "python", "cut"]
)
def test_an_environment_of_other_things_is_noticed(
    made: Path, caller: dict[str, str], told: str
) -> None:
    stamp = made / STAMP
    before = stamp.read_text()
    stamp.write_text(told.format(here=made))
    assert not up_to_date(made, caller)
    stamp.write_text(before)
    assert up_to_date(made, caller)


def test_another_python_that_is_asked_for_is_noticed(made: Path, caller: dict[str, str]) -> None:
    assert up_to_date(made, caller, f"PYTHON={made}/.venv/bin/python")
    assert not up_to_date(made, caller, "PYTHON=/bin/true")


def test_a_wrong_python_costs_nothing(made: Path, caller: dict[str, str]) -> None:
    done = runner(made, caller)("make", STAMP, "PYTHON=/no/python", check=False)
    assert done.returncode == 2
    assert "make: /no/python is missing, or does not run; allowed: Python 3.11" in done.stderr
    assert works(made, caller)


def test_an_archive_is_refused_before_the_set_up(fresh: Path, caller, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "requirements", "tools", "pipeline"):
        copy = shutil.copytree if (fresh / name).is_dir() else shutil.copy
        copy(fresh / name, tmp_path / name)
    done = runner(tmp_path, caller | {"GIT_CEILING_DIRECTORIES": "/"})("make", "repro", check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("make: not a git repository, which DVC needs")
    assert done.stderr.count("\n") == 2  # and make's own
    assert not (tmp_path / ".venv").exists()


@pytest.mark.long
def test_moved_to_a_name_with_spaces_and_letters(made: Path, caller, tmp_path: Path) -> None:
    moved = tmp_path / "Größe (1), it's 数字"
    made.rename(moved)
    try:
        assert runner(moved, caller)("make", STAMP).stdout.count(SETTING_UP) == 1
        assert works(moved, caller)
    finally:
        moved.rename(made)


@pytest.mark.long
def test_a_hostile_caller(made: Path, caller: dict[str, str], tmp_path: Path) -> None:
    """Settings that send packages elsewhere, paths that bring other modules, umask, links."""
    stages = tmp_path / "path/stages"
    stages.mkdir(parents=True)
    (stages / "__init__.py").write_text("raise SystemExit('the wrong stages')")
    (tmp_path / "pip.conf").write_text(f"[global]\nuser = true\n[install]\ntarget = {tmp_path}/a\n")
    project = tmp_path / "project"
    runner(tmp_path, caller)("git", "clone", "-q", str(made), str(project))
    (tmp_path / "disk").mkdir()
    (project / ".venv").symlink_to(tmp_path / "disk")
    hostile = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_DRY_RUN": "1",
        "PIP_PREFIX": str(tmp_path / "b"),
        "PIP_TARGET": str(tmp_path / "c"),
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": str(stages.parent),
        "PYTHONSAFEPATH": "1",
    }
    code = "import stages.download, sys; sys.exit(stages.download.__file__)"
    script = f'umask 077; make {STAMP} && make -f - run <<"E"\ninclude Makefile\nrun:\n\t'
    script += f'@python -m tools.summary\n\t@! python -c "{code}"\nE'
    done = runner(project, caller | hostile)("sh", "-c", script)
    assert done.stdout.count(SETTING_UP) == 1
    assert f"{project}/stages/download.py" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"path", "pip.conf", "project", "disk"}
    assert (project / ".venv").is_symlink()
    assert (tmp_path / "disk/run").exists()
    assert works(project, caller)


@pytest.fixture
def half(made: Path, caller: dict[str, str], tmp_path: Path) -> Path:
    """A clone whose set-up was killed while it installed."""
    project = tmp_path / "project"
    runner(tmp_path, caller)("git", "clone", "-q", str(made), str(project))
    process = make(project, caller)
    while not list((project / ".venv").glob("lib/python3*/site-packages/numpy")):
        assert process.poll() is None  # so it has an end
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (project / STAMP).exists()
    return project


@pytest.mark.long
def test_killed_and_begun_anew_by_two_at_once(half: Path, caller: dict[str, str]) -> None:
    both = [make(half, caller) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "".join(said).count(SETTING_UP) == 1
    assert sum("Waiting for another make, which sets up" in text for text in said) == 1
    assert works(half, caller)


def worktree(source: Path, to: Path, run: Run) -> None:
    run("git", "-C", str(source), "worktree", "add", "-q", "--detach", str(to))


def shallow(source: Path, to: Path, run: Run) -> None:
    run("git", "clone", "-q", "--depth=1", source.as_uri(), str(to))


def windows_lines(source: Path, to: Path, run: Run) -> None:
    run("git", "clone", "-q", "-c", "core.autocrlf=true", str(source), str(to))


def submodule(source: Path, to: Path, run: Run) -> None:
    run("git", "init", "-q", str(to.parent))
    add = ("submodule", "add", "-q", str(source), to.name)
    run("git", "-C", str(to.parent), "-c", "protocol.file.allow=always", *add)


def archive(source: Path, to: Path, run: Run) -> None:
    to.mkdir()
    run("sh", "-c", f"git -C '{source}' archive HEAD | tar -x -C '{to}'")
    run("git", "init", "-q", str(to))


@pytest.mark.parametrize(
    "way",
    [
        archive,
        *(pytest.param(way, marks=pytest.mark.long) for way in (worktree, shallow, windows_lines)),
        submodule,
    ],
)
def test_however_it_was_had(
    project: Path, command_environment: dict[str, str], tmp_path: Path, way: Callable[..., None]
) -> None:
    """With the cache of `project`, nothing is computed, and git sees no change."""
    copy = tmp_path / "outer" / "my project"
    copy.parent.mkdir()
    way(project, copy, runner(tmp_path, command_environment))
    run = runner(copy, command_environment)
    run("dvc", "cache", "dir", "--local", str(project / ".dvc/cache"))
    done = run("python", "-m", "tools.repro")
    if way is archive:
        commit_all(run)
    assert stages_run(done) == []
    assert re.search(r"weights +\d+ of 785", done.stdout)
    assert run("git", "status", "--porcelain").stdout == ""
    assert (copy / "dvc.lock").read_bytes() == (project / "dvc.lock").read_bytes()
    assert (copy / "data/model.joblib").read_bytes() == (project / "data/model.joblib").read_bytes()


@pytest.mark.long
def test_a_terminal_that_knows_ascii_alone(project: Path, run: Run, snapshot) -> None:
    """LC_ALL=C without Python's own remedies: the hardest of locales."""
    before = snapshot()
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for stage in ("filter_5_8", "interpret"):
        run("python", "-m", f"stages.{stage}", **locale)
    run("python", "-m", "tools.repro", **locale)
    assert snapshot() == before


def test_our_stages_come_before_any_other(project: Path, run: Run, snapshot, tmp_path) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").write_text("raise SystemExit('the wrong stages')")
    before = snapshot()
    run("python", "-m", "stages.preprocess", PYTHONPATH=str(tmp_path))
    assert snapshot() == before
