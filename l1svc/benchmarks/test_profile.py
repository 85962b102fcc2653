"""The performance profile: what is drawn."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from l1svc.benchmarks.profile import GREY, INK, factors, profile_figure

SECONDS = {
    "mine": [1.0, 4.0, 1.0, 1.0],
    "theirs": [2.0, 1.0, np.inf, 30.0],
    "others": [np.inf, np.inf, np.inf, np.inf],
}
GROUPS = ["C = 1", "C = 1", "C = 10", "C = 10"]


@pytest.fixture(scope="module")
def figure() -> Figure:
    return profile_figure(SECONDS, GROUPS, 1e-6)


def shares(line, factor: float) -> float:
    """How high the stairs are at that factor."""
    at = np.searchsorted(line.get_xdata(), factor, side="right") - 1
    return float(line.get_ydata()[at])


def test_a_factor_is_that_of_the_fastest_and_infinite_where_nothing_is_solved() -> None:
    found = factors({"a": [1, 6, np.inf, np.inf], "b": [2, 3, 5, np.inf]})
    assert found["a"].tolist() == [1, 2, np.inf, np.inf]
    assert found["b"].tolist() == [2, 1, 1, np.inf]


def test_a_curve_is_the_share_within_each_factor(figure: Figure) -> None:
    mine, theirs, others = figure.axes[0].lines
    assert [line.get_label() for line in (mine, theirs, others)] == list(SECONDS)
    assert {line.get_drawstyle() for line in (mine, theirs, others)} == {"steps-post"}
    assert [shares(mine, at) for at in (1, 3.9, 4, 100)] == [0.75, 0.75, 1, 1]
    assert [shares(theirs, at) for at in (1, 1.9, 2, 29, 30)] == [0.25, 0.25, 0.5, 0.5, 0.75]
    assert shares(others, 1) == shares(others, 100) == 0


def test_the_small_panels_are_the_groups_and_the_headline_says_who_is_first(figure: Figure) -> None:
    assert "mine is the fastest to a gap of 1e-6 on 75% of 4 problems" in figure.get_suptitle()
    first, second = figure.axes[1:]
    assert [axes.get_title("left") for axes in (first, second)] == ["C = 1", "C = 10"]
    assert [shares(line, 1) for line in first.lines] == [0.5, 0.5, 0]
    assert [shares(line, 1) for line in second.lines] == [1, 0, 0]
    assert {axes.get_xlim() for axes in figure.axes} == {(1, 100)}
    assert {axes.get_ylim() for axes in figure.axes} == {(0, 1)}


def test_names_stand_at_the_ends_and_no_solver_has_the_colour_of_a_class(figure: Figure) -> None:
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["mine 100%", "theirs 75%", "others 0%"]
    looks = [(to_hex(line.get_color()), line.get_linestyle()) for line in figure.axes[0].lines]
    assert looks == [(INK, "-"), (GREY.lower(), "-"), (GREY.lower(), "--")]


@pytest.mark.parametrize("last", [1.0, 1e4])
def test_no_words_are_cut_or_meet(last: float) -> None:
    """Where curves end together too, and over four decades."""
    seconds = {"l1svc": [1.0] * 5, "LIBLINEAR": [2.0] * 4 + [last], "skglm": [3.0] * 4 + [last]}
    figure = profile_figure(seconds, [f"C = {C}" for C in (1.1, 10, 100, 1000, 10000)], 1e-6)
    figure.draw_without_rendering()
    words = [figure._suptitle, figure._supxlabel, *figure.axes[0].texts]
    boxes = [Text.get_window_extent(text) for text in words]  # without the leaders
    for axes in figure.axes[1:]:
        boxes += [axes._left_title.get_window_extent()]
        ticks = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert not any(one.overlaps(other) for one, other in combinations(ticks, 2))
    assert all(figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
