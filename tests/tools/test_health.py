"""What an interrupted dvc left behind is put right, and nothing else is touched."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from dvc.rwlock import SCHEMA as RWLOCK_SCHEMA
from dvc.schema import COMPILED_LOCKFILE_SCHEMA as LOCKFILE_SCHEMA
from zc.lockfile import LockFile

from tools.health import LOCK, RWLOCK, DamageError, mend, mend_databases
from tools.programs import DVC

KEPT = ("hashes", "links")  # DVC's databases
GOOD = "schema: '2.0'\nstages:\n  train:\n    cmd: python -m stages.train\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a committed dvc.lock, in a folder below its top."""
    folder = tmp_path / "repository/project"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    LOCK.write_text(GOOD)
    Path("dvc.yaml").write_text("stages: {train: {cmd: train, outs: [data/a.joblib]}}")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run(["git", *command], check=True)
    RWLOCK.parent.mkdir(parents=True)
    RWLOCK.write_text("{}")
    return folder


@pytest.mark.parametrize(
    "text", ["{}", '{"read": {"a": [{"pid": 1, "cmd": "dvc"}]}}', '{"write": {}}']
)
def test_what_is_whole_stays(work: Path, capsys, text: str) -> None:
    RWLOCK.write_text(text)
    LOCK.write_text(GOOD + "    deps: []\n")
    mend()
    assert RWLOCK.read_text() == text
    assert LOCK.read_text() == GOOD + "    deps: []\n"
    RWLOCK.unlink()
    LOCK.unlink()
    mend()
    assert not LOCK.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "left", [b"", b'{"write": {"data/mo', b"\xff", b"[]", b'{"read": {"/a": [1]}}']
)
def test_a_broken_rwlock_goes_once_nobody_writes_it(work: Path, capsys, left: bytes) -> None:
    RWLOCK.write_bytes(left)
    living = LockFile(f"{RWLOCK}.lock")
    mend()
    assert RWLOCK.read_bytes() == left
    living.close()
    mend()
    assert not RWLOCK.exists()
    assert capsys.readouterr().err == ".dvc/tmp/rwlock: cut off by an interrupted dvc; removed\n"


def test_what_a_process_holds_that_is_another_now_is_released(work: Path, capsys) -> None:
    """The number of a killed dvc lives again: dvc itself would wait for it for ever."""
    before = time.time()
    with subprocess.Popen(
        ["sh", "-c", "echo runs; read rest", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()  # for a moment, a new one has no command line
        other, later, living = (
            {"pid": process.pid, "cmd": f"/home/a b/.venv/bin/dvc {words}"}
            for words in ("repro", "60", "--cd here 60")
        )
        dead = {"pid": 2**22 + 1, "cmd": "dvc repro"}  # of whom dvc itself knows
        try:
            held = {
                "read": {"/a": [other, living], "/b": [other], "/d": [dead]},
                "write": {"/c": other},
            }
            RWLOCK.write_text(json.dumps(held))
            mend()
            now = json.loads(RWLOCK.read_text())
            assert now == {"read": {"/a": [living], "/d": [dead]}, "write": {}}
            RWLOCK.write_text(json.dumps({"write": {"/c": later}}))
            os.utime(RWLOCK, (before - 60, before - 60))  # older than the process
            mend()
            assert json.loads(RWLOCK.read_text()) == {"read": {}, "write": {}}
            RWLOCK_SCHEMA(json.loads(RWLOCK.read_text()))
        finally:
            process.kill()
    assert capsys.readouterr().err.splitlines() == [
        f".dvc/tmp/rwlock: {entry['cmd']} (PID {process.pid}) is gone; released what it held"
        for entry in (other, later)
    ]


@pytest.mark.parametrize(
    "left", ["", "schema: '2.0'\n", "schema: '2.0'\nstages:\n  trai", "\0" * 9]
)
def test_a_broken_dvc_lock_is_taken_from_git(work: Path, capsys, left: str) -> None:
    LOCK.write_text(left)
    mend()
    assert LOCK.read_text() == GOOD
    assert capsys.readouterr().err == (
        "dvc.lock: cut off by an interrupted dvc; taken from git's HEAD\n"
    )


def test_what_killed_ones_were_writing_goes(work: Path, capsys) -> None:
    """Whoever has the number of that stage now: none runs here while it is put right."""
    stages = [Path("data/raw/.images.npz.99.tmp"), Path(f"data/.a.joblib.{os.getpid()}.tmp")]
    dvcs, other = Path("data/.3fYCAYPQ-dE0RQGydKGv5Q.tmp"), Path("plots/.notes.tmp")
    Path("data/.a.1.tmp").mkdir(parents=True)  # no stage's: a stage writes files
    for file in (*stages, dvcs, other):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    living = LockFile(".dvc/tmp/lock")
    mend()
    assert [file.exists() for file in (*stages, dvcs, other)] == [False, False, True, True]
    living.close()
    capsys.readouterr()
    mend()
    assert [file.exists() for file in (dvcs, other)] == [False, True]
    assert capsys.readouterr().err == f"{dvcs}: left by a killed dvc; removed\n"


def test_a_broken_database_goes_and_a_sound_one_stays(work: Path, capsys, monkeypatch) -> None:
    """dvc itself says "file is not a database", and fails, each time."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(work / "site"))
    subprocess.run(["git", "init", "-q"], check=True)  # of the folder of dvc.lock
    subprocess.run([*DVC, "init", "-q", "-f"], check=True)
    Path("a.txt").write_text("a")
    subprocess.run([*DVC, "add", "-q", "a.txt"], check=True)
    sound, broken = (next(work.glob(f"site/repo/*/{name}/**/cache.db")) for name in KEPT)
    assert not mend_databases()
    broken.write_bytes(os.urandom(5000))
    assert subprocess.run(
        [*DVC, "status", "-q", "a.txt.dvc"], check=False, capture_output=True
    ).returncode
    assert mend_databases()
    assert (sound.exists(), broken.exists()) == (True, False)
    assert subprocess.run([*DVC, "status", "-q", "a.txt.dvc"], check=False).returncode == 0
    assert capsys.readouterr().err == f"{broken}: left by a killed dvc; removed\n"


def test_it_may_be_cut_off_anywhere(work: Path, root: Path) -> None:
    """What is not taken from git is what dvc itself takes, and finds to be of other files."""
    lock = (root / "dvc.lock").read_text()
    of_a_folder = lock.index("nfiles:")  # the one key that not every file has
    stage = lock.rindex("\n  gridsearch:", 0, of_a_folder)
    whole = lock[: lock.index("  download:")] + lock[stage + 1 : lock.index("\n  train:") + 1]
    of_a_folder = whole.index("nfiles:")
    for keep in (*range(0, len(whole), 17), *range(of_a_folder - 20, of_a_folder + 20)):
        LOCK.write_text(whole[:keep])
        mend()
        if LOCK.read_text() != GOOD:
            LOCKFILE_SCHEMA(yaml.load(whole[:keep], yaml.CSafeLoader))
    LOCK.write_text(whole)
    mend()
    assert LOCK.read_text() == whole


def test_where_git_has_none_it_says_what_to_do(work: Path) -> None:
    subprocess.run(["git", "rm", "-q", "--cached", "dvc.lock"], check=True)
    subprocess.run(["git", "commit", "-qm", "gone"], check=True)
    LOCK.write_text("")
    with pytest.raises(DamageError, match=r"dvc\.lock: cut off .* `rm dvc\.lock` lets every stage"):
        mend()
    assert LOCK.read_text() == ""
