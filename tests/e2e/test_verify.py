"""A byte that flips on the disk is found, in the work tree and in the cache, and mended."""

import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.e2e.conftest import Run, stages_run

WHOLE = " files are what dvc.lock and the cache say\n"


def flip(file: Path) -> None:
    """Another byte in the middle; size, time and mode as before: DVC's memory sees nothing."""
    before = file.stat()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    file.chmod(before.st_mode)


def in_cache(project: Path, name: str) -> Path:
    """The object of the cache that a result is a copy of."""
    stages = YAML(typ="safe").load((project / "dvc.lock").read_text())["stages"].values()
    (digest,) = [out["md5"] for stage in stages for out in stage["outs"] if out["path"] == name]
    return project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def test_what_is_whole_is_said_to_be(run: Run) -> None:
    done = run("python", "-m", "tools.health")
    assert done.stdout.endswith(WHOLE)
    assert done.stderr == ""


MODEL, METRICS = "data/model.joblib", "metrics/train.json"


@pytest.mark.parametrize(
    ("name", "spoil", "where", "what"),
    [
        (MODEL, flip, ["work tree"], "has MD5 "),
        (MODEL, flip, ["cache"], "has MD5 "),
        (MODEL, flip, ["work tree", "cache"], "has MD5 "),
        (MODEL, Path.unlink, ["work tree"], "missing"),
        (METRICS, flip, ["work tree"], "has MD5 "),  # git has it: the cache's copy is not looked at
    ],
)
def test_what_is_damaged_is_named_and_mended(
    project: Path, run: Run, snapshot, name: str, spoil, where: list[str], what: str
) -> None:
    before = snapshot()
    places = {"work tree": project / name, "cache": in_cache(project, name)}
    for place in where:
        spoil(places[place])
    done = run("python", "-m", "tools.health", check=False)
    assert done.returncode == 2
    *lines, last = done.stderr.splitlines()
    assert len(lines) == len(where)
    assert all(what in line for line in lines)
    if "work tree" in where:
        assert lines[0].startswith(f"{name}: {what}")
    assert last.startswith(f"{len(where)} of ")
    assert last.endswith(" files are damaged; `make verify FIX=1` mends")
    done = run("python", "-m", "tools.health", "--fix")
    assert f"{len(where)} damaged, {len(where)} back\n" in done.stdout
    assert done.stdout.endswith(WHOLE)
    assert set(stages_run(done)) <= {"train", "evaluate", "interpret"}
    assert snapshot() == before
    assert places["work tree"].read_bytes() == places["cache"].read_bytes()
