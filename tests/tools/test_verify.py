"""`make verify` touches the project's files alone, and believes no repair unseen."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from pipeline.errors import run
from tests.scripts import dvc_script
from tools import health

RIGHT = hashlib.md5(b"right").hexdigest()
OBJECT = f"cache/files/md5/{RIGHT[:2]}/{RIGHT[2:]}"


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`make verify` where one output holds "right", and dvc does nothing.

    Takes the output, as dvc.yaml and dvc.lock have it, and options; gives the exit status and what
    was printed.
    """
    folder = tmp_path / "project"
    (folder / OBJECT).parent.mkdir(parents=True)
    dvc_script(folder, '[ "$1" = cache ] && echo cache; exit 0')
    monkeypatch.chdir(folder)

    def call(out: str, *options: str, size: int = 5) -> tuple[int | str | None, list[str]]:
        Path("dvc.yaml").write_text(f"stages: {{a: {{outs: [{out}]}}}}")
        entry = f"    - path: {out}\n      hash: md5\n      md5: {RIGHT}\n      size: {size}\n"
        Path("dvc.lock").write_text(f"stages:\n  a:\n    cmd: a\n    outs:\n{entry}")
        monkeypatch.setattr(sys, "argv", ["verify", *options])
        status: int | str | None = 0
        try:
            run(health.main)
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        return status, (said.out + said.err).splitlines()

    return call


def test_what_cannot_be_had_back_is_not_called_back(verify) -> None:
    Path("a.csv").write_text("right")
    Path(OBJECT).write_text("wrong")
    status, said = verify("a.csv")
    assert status == 2
    assert said[0].startswith(f"{OBJECT}: has MD5 ")
    assert said[0].endswith(" (of a.csv)")
    status, said = verify("a.csv", "--fix")
    assert status == 1
    assert f"{OBJECT}: removed, and not to be had back" in said
    assert "1 damaged, 0 back" in said


def test_a_wrong_size_in_the_lock_is_named_and_mended(verify) -> None:
    Path("a.csv").write_text("right")
    status, said = verify("a.csv", size=7)
    assert (status, said[0]) == (2, "a.csv: has 5 bytes, dvc.lock says 7")
    status, said = verify("a.csv", "--fix", size=7)
    assert (status, said[-2]) == (0, "1 files are what dvc.lock and the cache say")
    assert "size: 5\n" in Path("dvc.lock").read_text()


def test_a_link_into_a_shared_cache_is_the_projects(verify, tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("wrong")
    Path("a.csv").symlink_to(tmp_path / "shared")
    assert verify("a.csv", "--fix")[0] == 1
    assert not Path("a.csv").is_symlink()
    assert (tmp_path / "shared").read_text() == "wrong"


@pytest.mark.parametrize("out", ["../victim.txt", "{folder}/victim.txt", "link/victim.txt"])
def test_an_output_outside_of_the_project_is_refused_and_stays(
    verify, tmp_path: Path, out: str
) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    Path("link").symlink_to(tmp_path)
    out = out.format(folder=tmp_path)
    status, (*_, last) = verify(out, "--fix")
    assert status == 2
    assert last == f"dvc.yaml: got the output {out}; allowed: files of this project"
    assert victim.read_text() == "precious"


def test_what_only_the_lock_calls_an_output_stays(verify) -> None:
    """A dvc.lock comes with a branch of anyone's."""
    Path("mine.txt").write_text("precious")
    verify("mine.txt")
    Path("dvc.yaml").write_text("stages: {a: {outs: [a.csv]}}")
    assert health.recorded() == {}


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)], ids=["folder", "FIFO"])
def test_what_is_no_file_is_named_and_left(verify, make) -> None:
    make(Path("a.csv"))
    status, (*_, last) = verify("a.csv", "--fix")
    assert status == 2
    assert last.startswith("a.csv: is no file; remove it")
    assert Path("a.csv").exists()
