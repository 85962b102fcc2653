"""`make verify` touches the project's files alone, and believes no repair unseen."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from pipeline.errors import run
from tests.scripts import script
from tools import verify


@pytest.fixture
def fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`make verify FIX=1` where dvc.lock names an output, and dvc does nothing; what it says."""
    folder = tmp_path / "project"
    (folder / "cache").mkdir(parents=True)
    script(tmp_path / "dvc", '[ "$1" = cache ] && echo cache; exit 0')
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(sys, "argv", ["verify", "--fix"])

    def call(out: str) -> str:
        digest = hashlib.md5(b"right").hexdigest()
        text = f"stages: {{a: {{outs: [{{path: {out}, md5: {digest}}}]}}}}"
        Path("dvc.lock").write_text(text)
        with pytest.raises(SystemExit) as ended:
            run(verify.main)
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return call


def test_what_is_not_back_is_not_called_back(fix) -> None:
    Path("a.csv").write_text("wrong")
    assert fix("a.csv") == "a.csv: missing, still (1 in all)"


def test_a_link_into_a_shared_cache_is_the_projects(fix, tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("wrong")
    Path("a.csv").symlink_to(tmp_path / "shared")
    assert fix("a.csv") == "a.csv: missing, still (1 in all)"
    assert (tmp_path / "shared").read_text() == "wrong"


@pytest.mark.parametrize("out", ["../victim.txt", "{folder}/victim.txt", "link/victim.txt"])
def test_a_lock_that_names_what_is_not_the_projects_removes_nothing(
    fix, tmp_path: Path, out: str
) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    Path("link").symlink_to(tmp_path)
    out = out.format(folder=tmp_path)
    assert fix(out) == f"dvc.lock: got the output {out}; allowed: files of this project"
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)], ids=["folder", "FIFO"])
def test_what_is_no_file_is_named_and_left(fix, make) -> None:
    make(Path("a.csv"))
    assert fix("a.csv").startswith("a.csv: is no file; remove it")
    assert Path("a.csv").exists()
