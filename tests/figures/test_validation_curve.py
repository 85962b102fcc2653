"""The validation curve: what is drawn."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.search import Search
from figures.style import GREY, INK
from figures.validation_curve import score_steps, ticks, validation_curve
from l1svc.tests.rules import examples
from pipeline.params import SCORINGS


def draw(
    C: list[float],
    scores: list[float],
    scoring: str = "accuracy",
    *,
    sparsest: int | None = None,
    std: float = 0.002,
    every: dict[str, Any] | None = None,
) -> Figure:
    """Four folds, with scores of train 0.01 above those of test."""
    means, spread = np.array(scores), std * np.array([[-1], [1], [-1], [1]])  # (4, 1)
    best = int(means.argmax())
    search = Search(
        scoring=scoring,
        C=np.array(C, dtype=float),
        train_scores=np.minimum(1, means + 0.01) + spread / 2,
        test_scores=means + spread,
        nonzero=np.arange(len(C)) + 100.0 * np.array([[1], [2], [3], [4]]),
        duality_gap=np.zeros((4, len(C))),
        fold_sizes=np.full(4, 10.0),
        best=best,
        sparsest=best if sparsest is None else sparsest,
        every=every,
    )
    return validation_curve(search)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_scores_and_numbers_of_weights_stand_over_c_in_ascending_order() -> None:
    figure = draw([0.5, 0.01, 2], [0.95, 0.96, 0.94], "balanced_accuracy")
    axes, counts = figure.axes
    assert (axes.get_xscale(), counts.get_xscale()) == ("log", "log")
    assert axes.get_ylabel() == "balanced accuracy"
    assert counts.get_ylabel() == "non-zero weights"
    assert counts.get_xlabel().startswith("C ")
    train, test, *_ = axes.lines
    for line, expected in ((train, [0.97, 0.96, 0.95]), (test, [0.96, 0.95, 0.94])):
        assert line.get_xdata().tolist() == [0.01, 0.5, 2]
        np.testing.assert_allclose(line.get_ydata(), expected)
    assert (to_hex(train.get_color()), train.get_linestyle()) == (GREY.lower(), "--")
    assert (to_hex(test.get_color()), test.get_linestyle()) == (INK.lower(), "-")
    assert counts.lines[0].get_ydata().tolist() == [251, 250, 252]
    assert legend(figure)[:2] == ["train folds (mean ± 1 std)", "held-out fold (mean ± 1 std)"]


def test_the_band_is_one_standard_deviation_each_way() -> None:
    axes, counts = draw([0.1, 0.2], [0.95, 0.96], std=0.004).axes
    train, _, test, _ = axes.collections  # each an area, and lines for a single C
    for band, mean, spread in ((train, 0.97, 0.002), (test, 0.96, 0.004)):
        edge = band.get_paths()[0].vertices
        at = np.sort(edge[np.isclose(edge[:, 0], 0.2), 1])
        np.testing.assert_allclose([at[0], at[-1]], [mean - spread, mean + spread])
        assert band.get_alpha() > 0.1
    lines = axes.collections[3].get_segments()
    np.testing.assert_allclose(lines[0], [(0.1, 0.946), (0.1, 0.954)])
    edge = counts.collections[0].get_paths()[0].vertices
    spread = np.std([100, 200, 300, 400])
    np.testing.assert_allclose(edge[:, 1].max(), 251 + spread)


@pytest.mark.parametrize(
    ("scores", "scoring", "lowest", "said"),
    [
        ([0.95, 0.96], "accuracy", 0.94, ""),
        ([0.99, 1.0], "accuracy", 0.94, ""),
        ([0.70, 0.96], "accuracy", 0.64, "low scores: scale from 0.64, not 0.94"),
        ([0.9, 0.9], "jaccard", 0.88, ""),
    ],
)
def test_two_curves_have_the_same_scale_unless_scores_are_low_which_it_says(
    scores: list[float], scoring: str, lowest: float, said: str
) -> None:
    axes, counts = draw([0.1, 0.2], scores, scoring).axes
    assert axes.get_ylim() == pytest.approx((lowest, 1))
    assert axes.get_title("right") == said
    assert counts.get_ylim() == (0, 785)
    low, high = counts.get_xlim()
    assert low < 0.1 < 0.2 < high


@examples(20)
@given(st.floats(-1, 1), st.sampled_from(SCORINGS))
def test_no_score_is_below_the_scale(lowest: float, scoring: str) -> None:
    steps = score_steps(lowest, scoring)
    assert 1 - 0.06 * steps <= lowest + 1e-9
    assert steps == score_steps(1, scoring) or 1 - 0.06 * (steps - 1) > lowest


@pytest.mark.parametrize(
    ("C", "scores", "sparsest", "marks"),
    [
        ([0.2], [0.96], 0, ["best C = 0.2, and the smallest within 1 std. error"]),
        (
            [0.1, 0.101, 3],
            [0.9600, 0.9601, 0.95],
            0,
            ["best C = 0.101", "smallest C within 1 std. error: 0.1"],
        ),
        (
            np.geomspace(1e-4, 10, 100).tolist(),
            [0.95] * 99 + [0.96],
            99,
            ["best C = 10, and the smallest within 1 std. error"],
        ),
    ],
)
def test_both_marks_stand_and_are_named_and_no_label_touches_another(
    C, scores, sparsest, marks
) -> None:
    figure = draw(C, scores, sparsest=sparsest)
    assert legend(figure)[2:] == marks
    marked = [C[int(np.argmax(scores))], *([C[sparsest]] if len(marks) == 2 else [])]
    for axes, curves in zip(figure.axes, (2, 1), strict=True):
        rules = axes.lines[curves:]
        assert [rule.get_xdata()[0] for rule in rules] == marked
        assert len({rule.get_linestyle() for rule in rules}) == len(rules)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.legends[0].get_texts()]
    labels = [text.get_window_extent() for text in figure.axes[1].get_xticklabels()]
    for inside in (*boxes, *labels):
        assert figure.bbox.x0 <= inside.x0 < inside.x1 <= figure.bbox.x1
    for one, other in (*combinations(boxes, 2), *combinations(labels, 2)):
        assert not one.overlaps(other)


def test_ticks_keep_their_distance_and_begin_with_the_first() -> None:
    C = np.geomspace(1, 256, 16)  # every second is more than an eighth of the axis away
    values, labels = ticks(C)
    assert values == C[::2].tolist()
    assert labels[:3] == ["1", "2.09", "4.39"]
    assert ticks(np.array([0.12345])) == ([0.12345], ["0.123"])


@pytest.mark.parametrize("exact", [True, False])
def test_the_curve_over_every_c_lies_under_the_points(exact: bool) -> None:
    every = {
        "exact": exact,
        "C": np.array([0.1, 0.3, 0.4, 5.0]),
        "mean_test_score": np.array([0.93, 0.97, 0.95] if exact else [0.93, 0.97, 0.95, 0.9]),
        "best_score": 0.97,
        "best_C": 0.35,
    }
    figure = draw([0.2, 0.4], [0.95, 0.96], every=every)
    axes, counts = figure.axes
    _, points, curve, best = axes.lines[:4]
    assert (points.get_linestyle(), points.get_marker()) == ("None", "o")
    steps = [(0.1, 0.93), (0.3, 0.93), (0.3, 0.97), (0.4, 0.97), (0.4, 0.95), (5.0, 0.95)]
    values = [(0.1, 0.93), (0.3, 0.97), (0.4, 0.95), (5.0, 0.9)]
    assert [tuple(xy) for xy in curve.get_xydata()] == (steps if exact else values)
    assert [tuple(xy) for xy in best.get_xydata()] == [(0.35, 0.97)]
    what = "every C" if exact else "4 values of C"
    said = legend(figure)
    assert {f"held-out fold, {what}", f"best of {what}: C = 0.35"} < set(said)
    assert any(text.startswith("best of the grid: C = 0.4") for text in said)
    low, high = counts.get_xlim()
    assert low < 0.1
    assert high > 5.0
    assert axes.get_ylim()[0] <= curve.get_ydata().min()
