"""Stage evaluate: scores and mistakes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from l1svc.tests.rules import examples
from pipeline.artifacts import load_metrics
from stages.evaluate import counts, least_certain, main, metrics, worst


def report(s: list[int], f: list[float]) -> dict:
    s, f = np.array(s), np.array(f)
    y = np.where(s > 0, 8, 5)
    return metrics(y, np.where(f > 0, 8, 5), f, s)


def test_the_scores_by_hand() -> None:
    got = report([1, 1, 1, -1, -1], [2.0, 0.5, -1.0, -3.0, 1.0])
    assert got["accuracy"] == 3 / 5
    assert got["precision"] == 2 / 3
    assert got["recall"] == 2 / 3
    assert got["f1"] == 2 / 3
    assert got["roc_auc"] == 4 / 6  # pairs (8, 5) in the right order


def test_the_cells_are_counted_in_the_order_of_the_classes() -> None:
    y, predicted = np.array(list("55888")), np.array(list("55588"))
    cells = [("5", "5", 2), ("5", "8", 0), ("8", "5", 1), ("8", "8", 2)]
    assert counts(y, predicted, ("5", "8")) == cells
    assert counts(y, predicted, ("8", "5")) == cells[::-1]
    none = [("8", "5", 0), ("8", "8", 0)]
    assert counts(y[:2], predicted[:2], ("5", "8")) == [*cells[:2], *none]


def wilson(k: int, n: int) -> tuple[float, float]:
    z, p = 1.959963984540054, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


@examples(20)
@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.floats(-3, 3)), min_size=2, max_size=50))
def test_the_interval_is_wilsons(rows: list[tuple[int, float]]) -> None:
    s, f = zip(*[(1, 0.5), (-1, 0.5), *rows], strict=True)
    got = report(list(s), list(f))
    right = sum((value > 0) == (sign > 0) for sign, value in zip(s, f, strict=True))
    low, high = wilson(right, len(s))
    assert got["accuracy_95"]["low"] == pytest.approx(low, abs=1e-12)
    assert got["accuracy_95"]["high"] == pytest.approx(high, abs=1e-12)


def test_the_worst_mistakes_and_the_least_certain_come_first() -> None:
    y = np.full(8, 5)
    predicted = np.array([5, 8, 8, 5, 8, 5, 5, 5])
    f = np.array([-9, 0.1, 2.0, -1, 1.0, -1, -1, -1])
    assert worst(y, predicted, f, 2).tolist() == [2, 4]
    assert worst(y, predicted, f, 60).tolist() == [2, 4, 1]
    assert least_certain(np.array([3.0, -0.1, 0.2, -2.0, 0.0]), 3).tolist() == [4, 1, 2]


def test_of_equals_the_first_comes_first() -> None:
    """Enough of them for a sort that is not stable to mix them up."""
    f = np.tile([1.0, -0.5], 500)
    y, predicted = np.full(1000, 5), np.full(1000, 8)
    assert worst(y, predicted, f, 600).tolist() == [*range(0, 1000, 2), *range(1, 200, 2)]
    assert least_certain(f, 600).tolist() == [*range(1, 1000, 2), *range(0, 200, 2)]


def test_a_score_of_0_is_read_as_the_negative_class() -> None:
    got = report([1, -1], [0.0, 0.0])
    assert (got["accuracy"], got["precision"], got["recall"]) == (0.5, 0.0, 0.0)


# The stage


@pytest.fixture
def ran(project, preprocessed, model, drawn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run it; labels, answers and decision values of the test images."""
    params = project("evaluate", mistakes=3, uncertain=2)
    main(params)
    f = model.decision_function(preprocessed["X_test"])
    return preprocessed["y_test"], np.where(f > 0, 5, 8), f


def test_the_report_is_of_the_test_images_and_has_the_accuracy_on_the_others(
    ran, preprocessed, model
) -> None:
    report = load_metrics(Path("metrics/evaluate.json"))
    y, answers, f = ran
    assert report["test"] == metrics(y, answers, f, np.where(y == 5, 1, -1))
    answers = model.predict(preprocessed["X_train"])
    assert report["train"] == {"accuracy": (answers == preprocessed["y_train"]).mean()}
    assert list(report) == ["train", "test"]
    assert 0.5 < report["test"]["accuracy"] < 1  # there are mistakes to look at


def test_the_predictions_are_each_image_s_label_score_and_answer(ran, preprocessed, model) -> None:
    with np.load("data/predictions.npz") as archive:
        got = dict(archive)
    assert [*got] == [
        f"{name}_{part}"
        for part in ("train", "test")
        for name in ("index", "label", "score", "predicted")
    ]
    for part in ("train", "test"):
        f = model.decision_function(preprocessed[f"X_{part}"])
        np.testing.assert_array_equal(got[f"index_{part}"], preprocessed[f"index_{part}"])
        np.testing.assert_array_equal(got[f"label_{part}"], preprocessed[f"y_{part}"])
        np.testing.assert_array_equal(got[f"score_{part}"], f.round(9))
        np.testing.assert_array_equal(got[f"predicted_{part}"], np.where(f > 0, 5, 8))


def test_the_tables_are_of_the_test_images_in_their_order(ran, table) -> None:
    y, answers, f = ran
    header, rows = table("plots/confusion.csv")
    assert header == ["actual", "predicted", "images"]
    assert rows.tolist() == [
        [actual, answer, np.count_nonzero((y == actual) & (answers == answer))]
        for actual in (8, 5)
        for answer in (8, 5)
    ]
    s = np.where(y == 5, 1, -1)
    fpr, tpr, _ = roc_curve(s, f)
    precision, recall, _ = precision_recall_curve(s, f)
    header, rows = table("plots/roc.csv")
    assert header == ["fpr", "tpr", "positive"]
    np.testing.assert_array_equal(rows, np.column_stack([fpr, tpr, np.full(len(fpr), 5)]))
    header, rows = table("plots/precision_recall.csv")
    assert header == ["recall", "precision", "positive"]
    np.testing.assert_array_equal(
        rows, np.column_stack([recall, precision, np.full(len(recall), 5)])
    )
    header, rows = table("plots/scores.csv")
    assert header == ["actual", "f", "negative", "positive"]
    ends = np.full((40, 2), [8, 5])
    np.testing.assert_array_equal(rows, np.column_stack([y, f.round(9), ends]))


def test_a_terminal_sees_the_pictures_go_by(project, preprocessed, model, drawn, terminal) -> None:
    screen = terminal()
    main(project("evaluate"))
    (*_, last) = screen.getvalue().splitlines()
    assert last.startswith("pictures: 100%")
    assert " 2/2 " in last


def test_the_pictures_show_the_worst_and_the_least_certain(ran, preprocessed, model, drawn) -> None:
    y, answers, f = ran
    wrong = [k for k in np.argsort(-np.abs(f), kind="stable") if answers[k] != y[k]]
    assert len(wrong) > 3
    unsure = np.argsort(np.abs(f), kind="stable")[:2]
    for file, said, chosen in (
        ("mistakes", f"3 worst of {len(wrong)} mistakes in 40", wrong[:3]),
        ("uncertain", "2 least certain answers in 40", unsure),
    ):
        figure = drawn(f"plots/{file}.png")
        assert said in figure.get_suptitle()
        axes, bar = figure.axes
        names, scores, numbers = ([t.get_text() for t in axes.texts[k::3]] for k in range(3))
        assert [int(re.search(r"\d", name)[0]) for name in names] == [y[k] for k in chosen]
        assert [", read as" in name for name in names] == [answers[k] != y[k] for k in chosen]
        assert scores == [f"score {f[k]:+.2f}" for k in chosen]
        assert numbers == [f"no. {preprocessed['index_test'][k]}" for k in chosen]
        for place, k in enumerate(chosen):
            ink, why, _ = axes.images[2 + 3 * place : 5 + 3 * place]
            x = preprocessed["X_test"][k]
            np.testing.assert_array_equal(ink.get_array().ravel(), x)
            np.testing.assert_array_equal(why.get_array().filled(0).ravel(), model.coef_[0] * x)
        assert "← for an 8, for a 5 →" in bar.get_xlabel()
