"""Files: deterministic, atomic, and one line for a bad one."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l1svc.tests.rules import examples
from pipeline.artifacts import (
    ArtifactError,
    load_arrays,
    load_metrics,
    load_object,
    save_arrays,
    save_metrics,
    save_object,
    save_table,
    save_text,
)


def test_arrays_come_back(tmp_path: Path) -> None:
    X = np.arange(6, dtype=np.uint8).reshape(2, 3)
    save_arrays(tmp_path / "new" / "a.npz", X=X, y=np.array([1.5, np.nan]))
    back = load_arrays(tmp_path / "new" / "a.npz", "X")
    assert list(back) == ["X"]
    assert back["X"].dtype == np.uint8
    np.testing.assert_array_equal(back["X"], X)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    def write(name: str) -> list[bytes]:
        files = [tmp_path / f"{name}.{kind}" for kind in ("npz", "joblib", "json", "csv")]
        save_arrays(files[0], a=np.eye(3))
        save_object(files[1], {"w": np.eye(3), "name": "x"})
        save_metrics(files[2], {"a": {"b": 0.1}})
        save_table(files[3], ["x", "y"], [(0.1, 1)])
        return [file.read_bytes() for file in files]

    assert write("one") == write("two")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    save_object(file, {"C": 0.2})
    before = file.read_bytes()
    with pytest.raises(Exception, match="pickle"):
        save_object(file, {"big": np.zeros(10000), "bad": lambda: None})
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.joblib"]


def test_what_a_killed_run_left_is_removed_and_no_link_is_followed(tmp_path: Path) -> None:
    file, other = tmp_path / "a[1].txt", tmp_path / "precious"
    other.write_text("kept")
    (tmp_path / f".a[1].txt.{os.getpid()}.tmp").symlink_to(other)
    (tmp_path / ".a[1].txt.1.tmp").write_text("left by a killed run")
    (tmp_path / ".b.txt.1.tmp").write_text("of another file")
    (tmp_path / ".a[1].txt.2.tmp").mkdir()  # nobody's that writes files
    save_text(file, "new")
    assert other.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".a[1].txt.2.tmp", ".b.txt.1.tmp", "a[1].txt", "precious")
    ]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(ArtifactError, match=r"data/a\.npz: cannot be written: "):
        save_arrays(tmp_path / "data" / "a.npz", a=np.eye(2))


@pytest.mark.parametrize("load", [load_object, load_metrics, lambda path: load_arrays(path, "a")])
def test_a_missing_file_is_one_line(tmp_path: Path, load) -> None:
    with pytest.raises(ArtifactError, match="absent: missing; `dvc repro` makes it"):
        load(tmp_path / "absent")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
@pytest.mark.parametrize("load", [load_object, load_metrics, lambda path: load_arrays(path, "a")])
def test_what_is_no_file_is_one_line(tmp_path: Path, load, make) -> None:
    """At a pipe a reader would wait for ever."""
    make(tmp_path / "a")
    with pytest.raises(ArtifactError, match="a: is no file; remove it"):
        load(tmp_path / "a")


@pytest.mark.parametrize("keep", [0, 1, 10, 100, -1])
def test_a_truncated_file_is_one_line(tmp_path: Path, keep: int) -> None:
    save_arrays(tmp_path / "a.npz", a=np.arange(1000.0))
    save_object(tmp_path / "a.joblib", {"a": np.arange(1000.0)})
    for name, load in (("a.npz", lambda file: load_arrays(file, "a")), ("a.joblib", load_object)):
        file = tmp_path / name
        file.write_bytes(file.read_bytes()[:keep])
        if name.endswith("joblib") and keep == -1:
            continue  # the last byte of a pickle is its STOP
        with pytest.raises(ArtifactError, match=r"damaged \(.+\); `dvc repro` mends it"):
            load(file)


def test_an_array_that_is_not_there_is_named(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a.npz", a=np.eye(2))
    with pytest.raises(ArtifactError, match="X_train"):
        load_arrays(tmp_path / "a.npz", "X_train")


def test_pickles_inside_an_npz_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(ArtifactError, match="damaged"):
        load_arrays(tmp_path / "a.npz", "a")


@examples(30)
@given(
    metrics=st.recursive(
        st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda children: st.dictionaries(st.text(min_size=1), children, max_size=4),
        max_leaves=10,
    ).filter(lambda value: isinstance(value, dict))
)
def test_metrics_come_back_to_the_last_digit(tmp_path_factory, metrics: dict) -> None:
    file = tmp_path_factory.mktemp("metrics") / "m.json"
    save_metrics(file, metrics)
    assert load_metrics(file) == metrics


@pytest.mark.parametrize("bad", [[1, 2], np.float64(1).reshape(1), None])
def test_a_metric_that_dvc_would_drop_is_refused(tmp_path: Path, bad) -> None:
    with pytest.raises(TypeError, match=r"m\.json\.a\.b: a metric is a scalar"):
        save_metrics(tmp_path / "m.json", {"a": {"b": bad}})


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_refused(tmp_path: Path, bad: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_metrics(tmp_path / "m.json", {"a": bad})
    assert not (tmp_path / "m.json").exists()


def test_a_table_keeps_all_digits(tmp_path: Path) -> None:
    save_table(tmp_path / "t.csv", ["x"], [(0.1 + 0.2,)])
    assert (tmp_path / "t.csv").read_bytes() == b"x\n0.30000000000000004\n"
    assert json.loads("0.30000000000000004") == 0.1 + 0.2


def test_an_npz_has_the_same_bytes_by_every_python(tmp_path: Path) -> None:
    """Headers of 1980 without zip64, which Pythons write in two ways; pickles of one protocol."""
    file = tmp_path / "a.npz"
    save_arrays(file, x=np.arange(12, dtype=np.uint8).reshape(3, 4), y=np.array([0.5, -1.0]))
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            assert (member.create_version, member.extract_version) == (20, 20)
            assert (member.create_system, member.external_attr >> 16) == (3, 0o644)
            assert (member.extra, member.flag_bits, member.date_time[0]) == (b"", 0, 1980)
    data = file.read_bytes()
    assert data[26:30] == bytes([5, 0, 0, 0])  # the local header's name, x.npy, and no extra field
    assert hashlib.md5(data).hexdigest() == "e75e9bd7a7afb517e96b97df0b5ab17e"
    save_object(tmp_path / "a.joblib", {"a": np.arange(2)})
    assert (tmp_path / "a.joblib").read_bytes()[:2] == b"\x80\x04"
