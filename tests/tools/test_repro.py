"""`make repro` keeps others out as long as its dvc runs; `make reproduced` names what differs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import dvc_script
from tools.reproduced import reproduced


@pytest.fixture
def project(tmp_path: Path, params_text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with params.yaml, and a graph of nothing."""
    folder = tmp_path / "project"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").touch()
    (folder / "params.yaml").write_text(params_text, encoding="utf-8")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "dvc.lock").write_text("stages: {}\n")
    (folder / ".gitignore").write_text("/dvc\n")
    monkeypatch.chdir(folder)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run(["git", *command], check=True)
    return folder


def repro(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.repro"],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_dvc_that_outlives_make_repro_keeps_others_out(
    root: Path, project: Path, tmp_path: Path
) -> None:
    """It runs until its input ends."""
    dvc_script(project, "echo runs; cat; exit 3")
    first = repro(root)
    assert first.stdout.readline() == "runs\n"
    first.kill()
    first.wait()
    second = repro(root)
    assert second.stdout.readline() == "Waiting for another `make repro` of this folder\n"
    first.communicate()
    assert second.communicate() == ("runs\n", None)
    assert second.returncode == 3


def test_each_file_beside_the_results_is_named(project: Path, tmp_path: Path, capsys) -> None:
    dvc_script(
        project,
        "echo 'stages: {}' >dvc.lock; mkdir -p plots/new; touch plots/new/a.csv plots/new/b.csv",
    )
    with pytest.raises(SystemExit) as caught:
        reproduced(anew=False)
    assert caught.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "not reproduced: plots/new/a.csv",
        "not reproduced: plots/new/b.csv",
    ]
