"""What stages hand on: the right files pass, another's end in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc.tests.rules import examples
from pipeline.artifacts import ArtifactError, save_arrays
from pipeline.schemas import FILTERED, IMAGES, PREPROCESSED, load

SCHEMAS = {"images": IMAGES, "filtered": FILTERED, "preprocessed": PREPROCESSED}
CLASSES = np.array([8, 5], dtype=np.uint8)


def right(which: str) -> dict[str, np.ndarray]:
    """Arrays as a stage writes them: 12 images of 3×2 to train, 8 to test."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for part, n in (("train", 12), ("test", 8)):
        X = rng.integers(0, 256, (n, 3, 2), dtype=np.uint8)
        y = CLASSES[np.arange(n) % 2]
        if which == "images":
            arrays |= {f"x_{part}": X, f"y_{part}": y}
            continue
        if which == "preprocessed":
            X = X.reshape(n, 6) / 255.0
        arrays |= {f"X_{part}": X, f"y_{part}": y, f"index_{part}": np.arange(n)}
    if which == "images":
        return arrays
    arrays["classes"] = CLASSES
    if which == "preprocessed":
        arrays |= {
            f"s_{part}": np.where(arrays[f"y_{part}"] == CLASSES[1], 1, -1).astype(np.int8)
            for part in ("train", "test")
        }
    return arrays


@pytest.fixture(params=SCHEMAS)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_a_stage_writes_passes(which: str, tmp_path: Path) -> None:
    arrays = right(which)
    save_arrays(tmp_path / "a.npz", **arrays)
    back = load(tmp_path / "a.npz", SCHEMAS[which])
    assert list(back) == list(arrays)
    some = list(arrays)[-2:]
    assert list(load(tmp_path / "a.npz", SCHEMAS[which], *some)) == some


SCARCE = """
import resource
import sys
from pathlib import Path
import psutil
from pipeline.schemas import FILTERED, load
room = psutil.Process().memory_info().vms + 300 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
load(Path(sys.argv[1]), FILTERED)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to so much memory")
def test_where_nothing_could_be_computed_the_data_are_refused(tmp_path: Path, root: Path) -> None:
    """OpenBLAS would ask for its buffers again and again, for ever."""
    save_arrays(tmp_path / "a.npz", **right("filtered"))
    command = [sys.executable, "-c", SCARCE, str(tmp_path / "a.npz")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == "MemoryError: no 384 MiB beside the data"


WRONG = {
    "another type": lambda a: a.astype(np.float32),
    "complex": lambda a: a.astype(complex),
    "text": lambda a: a.astype(str),
    "truth values": lambda a: a.astype(bool),
    "dates": lambda a: a.astype("datetime64[s]"),
    "nothing": lambda a: a[:0],
    "one row less": lambda a: a[:-1],
    "one row more": lambda a: np.concatenate([a, a[:1]]),
    "a number": lambda a: a.ravel()[0],
    "another axis": lambda a: a[..., None],
    "one axis less": lambda a: a.ravel() if a.ndim > 1 else a[None],
}
NUMBERS = [np.nan, np.inf, -np.inf, -1e-9, 1.0 + 1e-9, 255.0]


@examples(100)
@given(data=st.data())
def test_another_ones_arrays_end_in_one_line(tmp_path_factory, data) -> None:
    which = data.draw(st.sampled_from(sorted(SCHEMAS)))
    arrays = right(which)
    name = data.draw(st.sampled_from(list(arrays)))
    spoiled = arrays[name].copy()
    if name.startswith("X") and which == "preprocessed" and data.draw(st.booleans()):
        spoiled.flat[data.draw(st.integers(0, spoiled.size - 1))] = data.draw(
            st.sampled_from(NUMBERS)
        )
    elif name[0] in "yc" and which != "images" and data.draw(st.booleans()):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(9, 200))
    elif name.startswith("index") and data.draw(st.booleans()):
        spoiled[0] = data.draw(st.integers(-(2**63), -1))
    else:
        spoiled = WRONG[data.draw(st.sampled_from(sorted(WRONG)))](spoiled)
    file = tmp_path_factory.mktemp("foreign") / "a.npz"
    save_arrays(file, **arrays | {name: spoiled})
    with pytest.raises(ArtifactError, match=r"a\.npz: not of this pipeline: ") as refused:
        load(file, SCHEMAS[which])
    assert len(str(refused.value).replace(str(file), "data/a.npz")) <= 300
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_pixel_is_a_number_from_0_to_1(tmp_path: Path, number: float) -> None:
    arrays = right("preprocessed")
    arrays["X_test"].flat[3] = number
    save_arrays(tmp_path / "a.npz", **arrays)
    with pytest.raises(ArtifactError, match=r"a\.npz: not of this pipeline: X_test"):
        load(tmp_path / "a.npz", PREPROCESSED)


def test_what_cannot_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(ArtifactError, match=r"a\.npz: is no file; remove it, "):
        load(tmp_path / "a.npz", IMAGES)
    (tmp_path / "loop.npz").symlink_to("loop.npz")
    with pytest.raises(ArtifactError, match=r"loop\.npz: cannot be read: Too many levels of sym"):
        load(tmp_path / "loop.npz", IMAGES)

    def full(*_args, **_more):
        raise MemoryError

    save_arrays(tmp_path / "b.npz", **right("images"))
    monkeypatch.setattr(np.lib.format, "read_array", full)
    with pytest.raises(ArtifactError, match=r"b\.npz: cannot be read: not enough memory$"):
        load(tmp_path / "b.npz", IMAGES)
