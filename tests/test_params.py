"""The schema of params.yaml."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from sklearn.metrics import get_scorer_names

from stages.params import ParamsError, Scoring, _Loader, load_params
from tests.wrong_params import WRONG


def write(folder: Path, text: str) -> Path:
    file = folder / "params.yaml"
    file.write_text(text)
    return file


def test_the_repositorys_own_file_is_right(root: Path) -> None:
    params = load_params(root / "params.yaml")
    assert params.gridsearch.C == [0.025, 0.05, 0.1, 0.2, 0.4]
    assert params.filter_5_8.classes == [5, 8]
    assert params.train.C is None


@pytest.mark.parametrize(("old", "new", "line"), WRONG, ids=[new for _, new, _ in WRONG])
def test_each_mistake_gets_its_line(
    root: Path, tmp_path: Path, old: str, new: str, line: str
) -> None:
    text = (root / "params.yaml").read_text()
    assert old in text
    with pytest.raises(ParamsError) as caught:
        load_params(write(tmp_path, text.replace(old, new, 1)))
    message = str(caught.value)
    assert line in message
    assert message.startswith(str(tmp_path / "params.yaml"))
    assert "allowed: " in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "got null; allowed: a mapping with the keys"),
        (b"- 1", "got [1]; allowed: a mapping with the keys"),
        (
            b"{}",
            "download: missing; allowed: a mapping with the keys sources, timeout (and 5 more)",
        ),
        (b"\xff\xfe", "not YAML: 'utf-8' codec"),
        (b"gridsearch: &a [*a]", "download: missing"),
        (b"? [1]\n: 2", "not YAML: found unhashable key"),
    ],
)
def test_files_that_are_no_params_at_all(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    assert line in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"absent\.yaml: cannot be read \(No such file"):
        load_params(tmp_path / "absent.yaml")


@pytest.mark.parametrize("number", ["1e-05", "1e-5", "1E-5", ".00001", "0.00001"])
def test_numbers_as_dvc_writes_them(root: Path, tmp_path: Path, number: str) -> None:
    text = (root / "params.yaml").read_text().replace("tol: 1e-8", f"tol: {number}")
    assert load_params(write(tmp_path, text)).gridsearch.tol == 1e-5


@given(st.text(alphabet="0123456789+-.eE_xobnNulTtrueFfalsyinfNa~:", max_size=8))
def test_what_we_read_is_what_dvc_tracks(text: str) -> None:
    """Of any plain scalar we read what DVC's reader does, or a text (which the schema refuses)."""
    try:
        dvcs = YAML(typ="safe", pure=True).load(StringIO(f"key: {text}"))
        ours = yaml.load(f"key: {text}", Loader=_Loader)
    except Exception:  # not YAML for one of them: neither a value
        return
    if isinstance(ours, dict) and not isinstance(ours["key"], str):
        assert repr(ours) == repr(dvcs)


def test_every_scoring_is_one_of_scikit_learns() -> None:
    assert set(Scoring.__args__) <= set(get_scorer_names())


def test_the_command_prints_one_line_and_exits_2(root: Path, tmp_path: Path) -> None:
    text = (root / "params.yaml").read_text().replace("cv: 5", "cv: 1")
    write(tmp_path, text)
    done = subprocess.run(
        [sys.executable, "-m", "stages.params"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "params.yaml: gridsearch.cv: got 1; allowed: an integer, 2 to 100 folds\n"
    )


def test_a_long_value_is_cut(root: Path, tmp_path: Path) -> None:
    text = (root / "params.yaml").read_text()
    bad = json.dumps(["x" * 500])
    with pytest.raises(ParamsError) as caught:
        load_params(write(tmp_path, text.replace("C: null", f"C: {bad}")))
    assert len(str(caught.value)) < 300
