"""Stage interpret: the weights' measures and their picture."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.path import PathPoint, first_C, followed_path, path_points
from analysis.search import load_search
from analysis.stability import frequencies
from pipeline.about import save_about
from pipeline.artifacts import load_metrics, save_arrays, save_object
from pipeline.datasets import DATASETS
from pipeline.params import ParamsError
from pipeline.schemas import load_path
from stages.interpret import main, metrics


def test_counts_norm_and_shares_by_hand() -> None:
    w = np.zeros((28, 28))
    w[0, 0], w[3, 14], w[14, 14], w[27, 27] = 1.0, -2.0, 4.0, -1.0
    got = metrics(w, -0.5, border=4)
    assert got["weights"] == {"nonzero": 5, "zero": 780}
    assert got["l1_norm"] == 8.5
    assert got["border"] == {"nonzero": 3, "share_of_l1": 0.5}
    assert got["corners"] == {"nonzero": 2}


def test_all_zero_weights_have_shares_too() -> None:
    assert metrics(np.zeros((28, 28)), 0.0, border=4)["border"]["share_of_l1"] == 0.0


@given(border=st.integers(1, 13))
def test_the_borders_size(border: int) -> None:
    got = metrics(np.ones((28, 28)), 0.0, border)
    assert got["border"]["nonzero"] == 784 - (28 - 2 * border) ** 2
    assert got["corners"]["nonzero"] == (2 * border) ** 2
    assert got["border"]["share_of_l1"] == pytest.approx(got["border"]["nonzero"] / 784)


def test_the_border_and_the_corners_of_images_that_are_not_square() -> None:
    w = np.zeros((20, 16))
    w[0, 15], w[10, 1], w[10, 8], w[17, 13] = 1.0, -2.0, 4.0, -1.0
    got = metrics(w, 0.0, border=3)
    assert got["weights"] == {"nonzero": 4, "zero": 317}
    assert got["border"] == {"nonzero": 3, "share_of_l1": 0.5}
    assert got["corners"] == {"nonzero": 2}


# The stage


def test_a_border_that_leaves_nothing_within_gets_its_line(project, preprocessed, model) -> None:
    save_about(Path("data/raw/about.json"), replace(DATASETS["mnist"].about, height=16, width=49))
    images = np.zeros((len(preprocessed["y_test"]), 16, 49), dtype=np.uint8)
    save_arrays(Path("data/filtered.npz"), X_test=images)
    with pytest.raises(ParamsError) as caught:
        main(project("interpret", border=8))
    assert str(caught.value).startswith("params.yaml: interpret.border: got 8; allowed: ")


@pytest.fixture
def ran(project, preprocessed, searched, model, drawn) -> list[PathPoint]:
    """Run it; the points of the path, the trained model's among them."""
    searched()
    main(project("interpret", border=7, bootstraps=6, random_state=3))
    path = load_path(Path("data/path.npz"), 784)
    at = np.searchsorted(path["C"], 0.5)
    return path_points(
        np.insert(path["C"], at, 0.5),
        np.insert(path["coef"], at, model.coef_[0], axis=0),
        np.insert(path["intercept"], at, model.intercept_[0]),
        *(preprocessed[name] for name in ("X_train", "s_train", "X_test", "s_test")),
    )


def test_a_terminal_sees_samples_and_pictures_go_by(
    project, searched, model, drawn, terminal
) -> None:
    searched(range=None)
    screen = terminal()
    main(project("interpret", border=7, bootstraps=6))
    bars = screen.getvalue().replace("\r", "\n").splitlines()
    ends = [re.match(r"([\w ]+): 100%.* (\d+/\d+) ", bar) for bar in bars]
    assert list(dict.fromkeys(end.groups() for end in ends if end)) == [
        ("bootstrap", "6/6"),
        ("pictures", "5/5"),
    ]


@pytest.fixture
def share(ran, preprocessed) -> np.ndarray:
    s = preprocessed["s_train"]
    return frequencies(preprocessed["X_train"], s, 0.5, 6, 3)


def test_metrics_and_tables_are_of_the_weights_their_stability_and_the_path(
    ran, share, model, table
) -> None:
    report = load_metrics(Path("metrics/interpret.json"))
    stability = report.pop("stability")
    assert report == metrics(model.coef_.reshape(28, 28), model.intercept_[0], 7)
    assert stability == {"pixels_in_90_percent": np.count_nonzero(share >= 0.9)}
    assert 0 < stability["pixels_in_90_percent"] < np.count_nonzero(share)
    header, rows = table("plots/weights.csv")
    assert header == ["row", "column", "weight", "negative", "positive"]
    places = [(row, column) for row in range(28) for column in range(28)]
    ends = np.full((784, 2), [8, 5])
    np.testing.assert_array_equal(rows, np.column_stack([places, model.coef_[0], ends]))
    header, rows = table("plots/path.csv")
    assert header == ["C", "nonzero", "train_accuracy", "test_accuracy", "objective", "trained"]
    assert rows.tolist() == [
        [p.C, p.nonzero, p.train_accuracy, p.test_accuracy, p.objective, p.C == 0.5] for p in ran
    ]
    assert len(rows) == 13


def test_the_pictures_show_the_weights_the_path_and_the_stability(
    ran, share, preprocessed, model, drawn
) -> None:
    axes, bar = drawn("plots/weights.png").axes
    np.testing.assert_array_equal(axes.images[0].get_array().filled(0).ravel(), model.coef_[0])
    assert axes.patches[0].get_bbox().x0 == 7 - 0.5
    assert max(bar.texts, key=lambda text: text.get_position()[1]).get_text() == "looks like a 5"
    figure = drawn("plots/path.png")
    assert figure.get_supxlabel().startswith("Red speaks for an 8, blue for a 5")
    (trained,) = [axes for axes in figure.axes if axes.get_title() == "C = 0.5 (trained)"]
    (point,) = [point for point in ran if point.C == 0.5]
    np.testing.assert_array_equal(trained.images[0].get_array().filled(0).ravel(), point.coef)
    path = load_path(Path("data/path.npz"), 784)
    every = followed_path(path, preprocessed["X_test"], preprocessed["s_test"])
    axes, counts, _ = drawn("plots/entry.png").axes
    shown = axes.images[0].get_array().filled(np.inf)
    np.testing.assert_array_equal(shown.ravel(), first_C(every, ran))
    np.testing.assert_array_equal(counts.lines[0].get_xydata().T, every.nonzero)
    axes, bar = drawn("plots/stability.png").axes
    np.testing.assert_array_equal(axes.images[0].get_array().filled(0).ravel(), share)
    assert len(axes.collections[0].get_offsets()) == np.count_nonzero(share >= 0.9)
    assert "of 6 samples" in axes.get_title("left")
    assert bar.get_ylabel().endswith("C = 0.5")
    axes, counts = drawn("plots/validation_curve.png").axes
    assert axes.get_ylabel() == "accuracy"
    search = load_search(Path("data/gridsearch.joblib"))
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), search.test_scores.mean(axis=0))
    np.testing.assert_array_equal(counts.lines[0].get_ydata(), search.nonzero.mean(axis=0))


@pytest.mark.parametrize(("change", "C"), [({"follow_path": False}, 0.5), ({}, 2000.0)])
def test_without_every_c_the_picture_of_entry_is_of_the_points(
    project, searched, model, drawn, capfd, change: dict, C: float
) -> None:
    """Beyond the path's end every C is not known, and interpret says so."""
    searched(range=None, **change)
    model.C = C
    save_object(Path("data/model.joblib"), model)
    main(project("interpret", border=7, bootstraps=1))
    *_, bar = drawn("plots/entry.png").axes
    assert "13 values of C" in bar.get_ylabel()
    said = capfd.readouterr().err
    assert said.startswith("interpret: C = 2000 is not on the path from ") == (C == 2000.0)
    assert bool(said) == (C == 2000.0)


def test_the_explorer_opens_with_the_model_as_it_is_saved(ran, share, preprocessed, model) -> None:
    text = Path("plots/explorer.html").read_text(encoding="utf-8")
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1)
    )
    assert data["classes"] == ["8", "5"]
    assert [point["C"] for point in data["path"]] == [point.C for point in ran]
    for shown, point in zip(data["path"], ran, strict=True):
        w = np.zeros(784)
        w[shown["at"]] = shown["w"]
        np.testing.assert_array_equal(w, point.coef)
        assert shown["bias"] == point.intercept
    assert data["path"][data["start"]]["C"] == 0.5
    assert data["stability"] == share.tolist()
    images = data["images"]
    assert images["of"] == 40
    labels = [str(label) for label in preprocessed["y_test"]]  # there is room for all of them
    assert sorted(zip(images["index"], images["label"], strict=True)) == [
        *zip(preprocessed["index_test"].tolist(), labels, strict=True)
    ]
