"""The schema of params.yaml, and that it is read as DVC reads it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import loads_yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ConfigDict
from sklearn.metrics import get_scorer_names

from pipeline.errors import PipelineError
from pipeline.params import (
    SCORINGS,
    Section,
    border_refusal,
    load_params,
    load_section,
)
from tests.wrong_params import RIGHT, WRONG, changed


def write(folder: Path, text: str) -> Path:
    file = folder / "params.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_projects_own_file_is_right(root: Path) -> None:
    load_params(root / "params.yaml")


@pytest.mark.parametrize(("key", "value", "got", "allowed"), WRONG)
def test_each_wrong_value_gets_its_line(
    params_text: str, tmp_path: Path, key: str, value: str, got: str, allowed: str
) -> None:
    file = write(tmp_path, changed(params_text, key, value))
    with pytest.raises(PipelineError) as caught:
        load_params(file)
    assert str(caught.value).startswith(f"{file}: {key}{got}; allowed: {allowed}")


@pytest.mark.parametrize(("key", "value"), RIGHT)
def test_the_ends_are_allowed_and_read(
    params_text: str, tmp_path: Path, key: str, value: str
) -> None:
    params = load_params(write(tmp_path, changed(params_text, key, value)))
    section, name = key.split(".")
    assert getattr(getattr(params, section), name) == json.loads(value)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("  cv: 5\n", "", ": gridsearch.cv: missing; allowed: an integer, 2 to 100 folds"),
        # beside "missing" it is the misspelling of it
        ("  cv: 5\n", "  cvs: 5\n", ": gridsearch.cvs: unknown key; allowed: a mapping with the k"),
        ("cv: 5\n", "cv: 5\n  cv: 6\n", 'not YAML: found duplicate key "cv" with value "6"'),
        ("interpret:\n", "x:\n", ": x: unknown key; allowed: a mapping with the keys download, "),
        ("interpret:\n", "interpret: 4\n#", "not YAML: "),
        ("download:\n", "\tdownload:\n", "not YAML: found character '\\t'"),
        ("train:\n", "train\n", "not YAML: "),
    ],
)
def test_each_mistake_of_form_gets_its_line(
    params_text: str, tmp_path: Path, old: str, new: str, line: str
) -> None:
    assert old in params_text
    with pytest.raises(PipelineError) as caught:
        load_params(write(tmp_path, params_text.replace(old, new, 1)))
    message = str(caught.value)
    assert line in message
    assert "allowed: " in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "got null; allowed: a mapping with the keys"),
        (b"- 1", "got [1]; allowed: a mapping with the keys"),
        (b"{}", "download: missing; allowed: a mapping with the keys dataset, file, sha256, "),
        (b"{}", " (and 5 more)"),
        (b"\xff\xfe", "not YAML: 'utf-8' codec"),
        (b"gridsearch: &a [*a]", "download: missing"),
        (b'a: !!bool "abc"', "not YAML: KeyError: 'abc'"),
        (b"a: 1\nb: [", ":2: not YAML: expected the node content"),
        (b"a: " + b"[" * 501, ": got 501 brackets; allowed: 65536 bytes, 500 opening br"),
        (b"#" * 65_537, ": got over 65536 bytes; allowed: "),
    ],
)
def test_files_that_are_no_params_at_all(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(content)
    with pytest.raises(PipelineError) as caught:
        load_params(file)
    assert line in str(caught.value)


def doubled(last: int, begin: str) -> str:
    """Keys b0 to `last`, each of two aliases of the one before."""
    lines = [f"b{k}: &b{k} [*b{k - 1}, *b{k - 1}]\n" for k in range(1, last + 1)]
    return f"b0: &b0 {begin}\n" + "".join(lines)


@pytest.mark.parametrize(
    ("old", "new"),
    [("#", "#"), ("C:\n", "C: *b59\n"), ("cv: 5", "C: *b59")],
    ids=["beside", "as a value", "as that of a key that stands twice, which its reader writes out"],
)
def test_aliases_of_aliases_are_refused_at_once(
    params_text: str, tmp_path: Path, old: str, new: str
) -> None:
    """Under 2 kB that would stand for 2^60 values, could anyone write them out."""
    text = doubled(59, "[1, 2]") + params_text.replace(old, new, 1)
    with pytest.raises(
        PipelineError, match="not YAML: ValueError: aliases stand for more than 1000"
    ):
        load_params(write(tmp_path, text))


def test_a_long_value_is_cut(params_text: str, tmp_path: Path) -> None:
    """Lists in lists too, and as many aliases as are taken for no bomb."""
    inside = "&b0 [1, 2]"
    for k in range(1, 11):
        inside = f"[{inside}, &b{k} [*b{k - 1}, *b{k - 1}]]"
    for value in ('"' + "x" * 500 + '"', "[" * 200 + "]" * 200, inside):
        with pytest.raises(PipelineError, match=r"train\.C: got .{77}\.\.\.; allowed: "):
            load_params(write(tmp_path, changed(params_text, "train.C", value)))


@pytest.mark.parametrize("key", ["2026-01-01", "[1, 2]"])
def test_a_key_that_is_no_text_is_shown_as_far_as_it_can_be(
    params_text: str, tmp_path: Path, key: str
) -> None:
    with pytest.raises(PipelineError, match=r'train\.C: got \{"a": 1.*\.\.\.; allowed: '):
        load_params(write(tmp_path, params_text.replace("C:\n", f"C: {{a: 1, {key}: 2}}\n")))


def test_an_anchor_that_is_used_anew_is_read_as_dvc_reads_it_and_without_a_word(
    params_text: str, tmp_path: Path, recwarn
) -> None:
    text = params_text.replace("border: 4", "border: &a 5").replace("path: 48", "path: &a 50")
    assert load_params(write(tmp_path, text)).gridsearch.path == 50
    assert list(recwarn) == []


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"absent\.yaml: cannot be read \(No such file"):
        load_params(tmp_path / "absent.yaml")


@pytest.mark.parametrize("number", ["1e-05", "1.0E-5", "0.00001"])
def test_numbers_as_dvc_writes_them(params_text: str, tmp_path: Path, number: str) -> None:
    text = params_text.replace("tol: 1e-8", f"tol: {number}")
    assert load_params(write(tmp_path, text)).gridsearch.tol == 1e-5


@pytest.mark.parametrize("text", [".1e1", ".0E0", "+.5e1"])
def test_what_dvc_takes_for_a_text_is_none_of_our_numbers(
    params_text: str, tmp_path: Path, text: str
) -> None:
    assert loads_yaml(f"C: {text}") == {"C": text}
    with pytest.raises(PipelineError, match=r"train\.C: got "):
        load_params(write(tmp_path, params_text.replace("C:\n", f"C: {text}\n")))


scalars = st.text(alphabet="0123456789+-.eE_xobnNulTtrueFfalsyinfNa~:", max_size=8)
nodes = st.recursive(
    scalars | st.integers().map(str) | st.floats().map(repr),
    lambda children: (
        st.lists(children, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(scalars, children), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=6,
)
anchored = st.builds(
    "a: &x {}\nb: *x\nc:\n  <<: {{k: {}}}\n  {}: {}\n".format, nodes, nodes, scalars, nodes
)


class Anything(Section):
    model_config = ConfigDict(extra="allow")


@given(nodes.map("key: {}".format) | anchored)
@example("a: 1\u2028b: 2")
@example("a: x\x85b: 2")
@example("%YAML 1.1\n---\na: 0o17\nb: 017\nc: yes\nd: 1:30\n")
@example("a: 0x10\nb: 0o17\nc: 017\nd: 1_000\n")
@example("a: &x {b: 1}\nc: {<<: *x, d: 2}\n")
def test_what_we_read_is_what_dvc_tracks(tmp_path_factory: Any, text: str) -> None:
    """DVC's reader and ours make the same of scalars, mappings, anchors and merge keys, or both
    refuse."""
    file = write(tmp_path_factory.getbasetemp(), text)
    try:
        dvcs = loads_yaml(text)
    except Exception:
        with pytest.raises(PipelineError):
            load_section(file, Anything)
    else:
        assert repr(load_section(file, Anything).model_extra) == repr(dvcs)


def test_every_scoring_is_one_of_scikit_learns() -> None:
    assert set(SCORINGS) <= set(get_scorer_names())


MINE = {"download.dataset": "file", "download.file": "a.npz", "download.sha256": repr("0" * 64)}


def with_values(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = changed(text, key, value)
    return text


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"download.dataset": "fashion_mnist", "download.sources": "[pypi]"},
            'download.sources: got ["pypi"]; allowed: with fashion_mnist, one or more of '
            "keras, debian",
        ),
        (
            MINE | {"download.file": "null"},
            "download.file: got null with dataset file; allowed: the path of an npz",
        ),
        (
            MINE | {"download.sha256": "null"},
            "download.sha256: got null with dataset file; allowed: the file's SHA-256, 64 hex",
        ),
        (MINE | {"download.sha256": '"12"'}, 'download.sha256: got "12"; allowed: the file\'s '),
        (
            MINE | {"download.class_names": "[a, a]"},
            'download.class_names: got ["a", "a"]; allowed: null or a list of different texts',
        ),
        (
            {"filter_5_8.classes": "[5, 10]"},
            "filter_5_8.classes: got [5, 10]; allowed: two different of 0, 1, 2, 3, 4, 5, 6, 7, 8,",
        ),
        (
            {"gridsearch.range": "null", "train.choose": "exact"},
            'train.choose: got "exact" with gridsearch.range null; allowed: grid or sparsest',
        ),
        (
            {"interpret.border": "14"},
            "interpret.border: got 14; allowed: an integer, 1 to 13 pixels for images of 28×28",
        ),
    ],
)
def test_what_does_not_fit_the_data_set_gets_its_line(
    params_text: str, tmp_path: Path, values: dict[str, str], line: str
) -> None:
    with pytest.raises(PipelineError) as caught:
        load_params(write(tmp_path, with_values(params_text, values)))
    assert str(caught.value).split("params.yaml: ")[1].startswith(line)


def test_what_is_not_known_before_there_are_data_is_left_to_the_stages(
    params_text: str, tmp_path: Path
) -> None:
    values = MINE | {"filter_5_8.classes": "[-7, 3000]", "interpret.border": "100"}
    params = load_params(write(tmp_path, with_values(params_text, values)))
    assert params.filter_5_8.classes == [-7, 3000]
    assert params.interpret.border == 100


@pytest.mark.parametrize(
    ("border", "shape", "allowed"),
    [(13, (28, 28), ""), (7, (20, 16), ""), (8, (20, 16), "1 to 7 pixels for images of 20×16")],
)
def test_a_border_leaves_something_within(
    border: int, shape: tuple[int, int], allowed: str
) -> None:
    refusal = border_refusal(border, shape)
    assert (refusal or "").endswith(allowed)
    assert (refusal is None) == (allowed == "")


def test_the_command_prints_one_line_and_exits_2(
    root: Path, tmp_path: Path, params_text: str
) -> None:
    write(tmp_path, params_text.replace("cv: 5", "cv: 1"))
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.params"],
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
