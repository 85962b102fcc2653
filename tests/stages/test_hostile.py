"""What others made, read by the stages: one line that names the file, or the right result."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import stages.evaluate
import stages.gridsearch
import stages.interpret
import stages.train
from analysis.stability import frequencies
from pipeline.about import load_about
from pipeline.artifacts import load_arrays, save_arrays
from pipeline.errors import MAX_LINE, PipelineError, run
from pipeline.params import load_params
from tests.stages.hostile import (
    ABOUTS,
    ARCHIVES,
    CV,
    HARMLESS_ABOUTS,
    HARMLESS_ARCHIVES,
    METRICS,
    MODELS,
    SEARCHES,
    YAMLS,
    about,
    model,
    whole,
    zipped,
)
from tools.summary import summary

SECONDS = 2


def refused(file: str, data: bytes, read: Callable[[], object], capfd) -> None:
    """Reading the file ends soon in one line that names it; nothing runs."""
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_bytes(data)
    before, began = sorted(os.walk(".")), time.process_time()
    with pytest.raises(SystemExit) as ended:
        run(read)
    assert time.process_time() - began < SECONDS
    assert ended.value.code == 2
    out, line = capfd.readouterr()
    assert (out, line.count("\n")) == ("", 1)
    assert line[:-1].isprintable()
    assert line.startswith(f"{file}:")
    assert len(line) <= MAX_LINE + 1
    assert sorted(os.walk(".")) == before


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_npz_is_one_line(name: str, project, preprocessed, capfd) -> None:
    data = ARCHIVES[name](preprocessed)
    train = partial(stages.train.main, project("train", C=0.5))
    refused("data/preprocessed.npz", data, train, capfd)


@pytest.mark.parametrize("name", HARMLESS_ARCHIVES)
def test_an_npz_that_differs_in_nothing_but_form(name: str, project, preprocessed, capfd) -> None:
    params = project("train", C=0.5)
    stages.train.main(params)
    right = Path("data/model.joblib").read_bytes()
    Path("data/preprocessed.npz").write_bytes(HARMLESS_ARCHIVES[name](preprocessed))
    stages.train.main(params)
    assert Path("data/model.joblib").read_bytes() == right
    assert capfd.readouterr() == ("", "")
    assert not Path("mark").exists()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_one_line(name: str, project, preprocessed, capfd) -> None:
    evaluate = partial(stages.evaluate.main, project("evaluate"))
    refused("data/model.joblib", MODELS[name], evaluate, capfd)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_one_line(name: str, project, preprocessed, capfd) -> None:
    train = partial(stages.train.main, project("train"))
    refused("data/gridsearch.joblib", SEARCHES[name], train, capfd)


@pytest.mark.parametrize("name", ABOUTS)
def test_what_is_known_of_the_data_is_one_line(name: str, project, preprocessed, capfd) -> None:
    Path("data/model.joblib").write_bytes(model())
    evaluate = partial(stages.evaluate.main, project("evaluate"))
    refused("data/raw/about.json", ABOUTS[name], evaluate, capfd)


@pytest.mark.parametrize("part", [np.s_[:39], np.s_[:, :14], np.s_[:, :, :14]])
@pytest.mark.parametrize("stage", ["evaluate", "interpret"])
def test_images_of_other_data_are_one_line(part, stage: str, project, preprocessed, capfd) -> None:
    Path("data/model.joblib").write_bytes(model())
    names = ("X_test", "y_test", "index_test", "classes")
    images = load_arrays(Path("data/filtered.npz"), *names)
    if part == np.s_[:39]:
        images |= {name: array[part] for name, array in images.items() if name != "classes"}
    data = zipped(whole(images | {"X_test": images["X_test"][part]}))
    main = {"evaluate": stages.evaluate.main, "interpret": stages.interpret.main}[stage]
    refused("data/filtered.npz", data, partial(main, project(stage)), capfd)


@pytest.mark.parametrize("name", HARMLESS_ABOUTS)
def test_what_is_known_may_be_said_in_other_words(name: str, tmp_path: Path) -> None:
    right, other = tmp_path / "right.json", tmp_path / "other.json"
    right.write_bytes(about())
    other.write_bytes(HARMLESS_ABOUTS[name])
    assert load_about(other, 784, np.array([8, 5])) == load_about(right, 784, np.array([8, 5]))


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_one_line(name: str, project, capfd) -> None:
    Path("metrics").mkdir()
    Path("metrics/gridsearch.json").write_text('{"best": {"C": 0.1}}')
    Path("metrics/train.json").write_text('{"C": 0.1}')
    refused("metrics/evaluate.json", METRICS[name], summary, capfd)


@pytest.mark.parametrize("name", YAMLS)
def test_yaml_is_one_line(name: str, project, capfd) -> None:
    refused("params.yaml", YAMLS[name], load_params, capfd)


@pytest.mark.parametrize("value", sorted(CV))
def test_a_value_of_yaml_is_one_line(value: str, project, params_text: str, capfd) -> None:
    assert params_text.count("cv: 5") == 1
    refused(
        "params.yaml", params_text.replace("cv: 5", f"cv: {value}").encode(), load_params, capfd
    )


def few(preprocessed) -> dict[str, np.ndarray]:
    """Two images to learn from, one of each class; but for that, whole."""
    rows = [int(np.flatnonzero(preprocessed["s_train"] == sign)[0]) for sign in (-1, 1)]
    parts = {n: array[rows] for n, array in preprocessed.items() if n.endswith("_train")}
    save_arrays(Path("data/preprocessed.npz"), **preprocessed | parts)
    return parts


def test_fewer_images_of_a_class_than_folds_are_one_line(project, preprocessed, capfd) -> None:
    few(preprocessed)
    with pytest.raises(SystemExit, match="2"):
        run(partial(stages.gridsearch.main, project("gridsearch")))
    assert capfd.readouterr().err == (
        "params.yaml: gridsearch.cv: got 5; allowed: no more folds than each class has training "
        "images, 1\n"
    )


def test_too_few_images_to_draw_from_are_one_line(project, preprocessed) -> None:
    parts = few(preprocessed)
    line = "interpret: bootstrap: .* 1 class.*; allowed: more training images of each class"
    with pytest.raises(PipelineError, match=line):
        frequencies(parts["X_train"], parts["s_train"], 0.5, 9, random_state=0)
