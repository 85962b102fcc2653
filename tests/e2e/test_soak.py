"""A small part of `make soak`: some of its faults, and some that are planted."""

import random
import resource
import sys
from functools import partial
from pathlib import Path

import pytest

from tools import soak
from tools.soak import Copy, TracebackError, damage, end_orphans, kill, pair, starve

pytestmark = pytest.mark.long
FAULTS = [
    *((kill, 1), (kill, 2), (damage, 1)),
    *((starve, 1), (starve, 3), (starve, 4), (starve, 21)),  # memory, files, disk, read-only
    *((pair, 2), (pair, 14), (pair, 4), (pair, 21)),  # make, dvc, an experiment, a shared cache
]


@pytest.fixture(scope="module")
def copy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        return Copy(tmp_path_factory.mktemp("soak").resolve() / "project")


@pytest.mark.parametrize(("fault", "seed"), FAULTS)
def test_it_comes_back(copy: Copy, fault, seed: int) -> None:
    how = fault(copy, random.Random(seed))
    copy.come_back()
    end_orphans(copy)
    assert copy.wrong() == [], how


def test_a_stage_without_room_says_so_and_leaves_all_as_it_was(copy: Copy) -> None:
    """So that what `starve` does is felt."""
    none = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (0, 0))
    done = copy.tried(sys.executable, "-m", "stages.train", preexec_fn=none)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]  # joblib warns before that it makes no semaphore
    assert last.startswith("data/model.joblib: cannot be written: File too large (then ")
    assert copy.wrong() == []


def test_what_does_not_come_back_is_counted(copy: Copy, monkeypatch) -> None:
    """By its seed; the rest goes on."""

    def fault(rng: random.Random) -> str:
        (copy.folder / "data/stray").write_text("left behind")
        if rng.random() < 0.5:
            raise TracebackError("a traceback")
        return "planted"

    failures = soak.soak(copy, iter(range(9)), {"spoiled": (fault, 2)})
    assert len(failures) == 2
    assert [line.split(":")[0] for line in failures] == ["spoiled (seed 0)", "spoiled (seed 1)"]
    assert {line.split(": ", 1)[1] for line in failures} <= {"a traceback", "planted: data/stray"}
    (copy.folder / "data/stray").unlink(missing_ok=True)
    assert copy.wrong() == []
