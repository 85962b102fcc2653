"""The picture of all pairs, as drawn."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes

from figures.pairs import Pair, pairs_figure

DIGITS = (2, 5, 8)


def pair(negative: int, positive: int, accuracy: float) -> Pair:
    """Weights that no other pair has."""
    w = np.zeros((28, 28))
    w[negative, positive] = 0.1 * positive
    nonzero = 100 * negative + positive
    return Pair(negative, positive, 0.2, accuracy, accuracy - 0.01, accuracy + 0.01, nonzero, w)


PAIRS = [pair(2, 5, 0.9962), pair(2, 8, 0.985), pair(5, 8, 0.9419)]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.fixture(scope="module")
def panels() -> np.ndarray:
    return np.array(pairs_figure(PAIRS).axes).reshape(3, 3)


def test_weights_stand_above_the_diagonal_accuracy_and_their_number_below_it(
    panels: np.ndarray,
) -> None:
    for one in PAIRS:
        low, high = DIGITS.index(one.negative), DIGITS.index(one.positive)
        (image,) = panels[low, high].images
        np.testing.assert_array_equal(image.get_array().filled(0), one.weights)
        assert image.get_clim() == (-2, 2)
        assert texts(panels[low, high]) == []
        assert texts(panels[high, low]) == [f"{one.test_accuracy:.2%}", f"{one.nonzero} weights"]
        assert panels[high, low].images[0].get_array().item() == pytest.approx(
            1 - one.test_accuracy
        )
    assert [texts(panels[k, k]) for k in range(3)] == [["2"], ["5"], ["8"]]
    assert not any(panels[k, k].images for k in range(3))


def test_the_more_mistakes_the_darker_and_black_can_be_read_on_it(panels: np.ndarray) -> None:
    shades = []
    for one in PAIRS:  # from the easiest to the hardest
        image = panels[DIGITS.index(one.positive), DIGITS.index(one.negative)].images[0]
        shades.append(np.mean(image.cmap(image.norm(image.get_array()))[0, 0, :3]))
    assert shades == sorted(shades, reverse=True)
    assert shades[0] > shades[-1] + 0.1
    assert shades[-1] > 0.55


def test_the_headline_says_what_these_pairs_show() -> None:
    figure = pairs_figure(PAIRS)
    said = " ".join(figure.get_suptitle().split())
    assert "2-5 is the easiest of 3 pairs (99.62%" in said
    assert "5-8 the hardest (94.19%" in said


@pytest.mark.parametrize("digits", [(0, 1), pytest.param(range(10), marks=pytest.mark.long)])
def test_no_words_are_cut_or_meet(digits: Sequence[int]) -> None:
    figure = pairs_figure([pair(a, b, 0.95) for a, b in combinations(digits, 2)])
    figure.draw_without_rendering()
    whole = figure.bbox
    for words in (figure._suptitle, figure._supxlabel):
        box = words.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= whole.x1
    for axes in figure.axes:
        inside = axes.get_window_extent()
        boxes = [text.get_window_extent() for text in axes.texts]
        assert all(inside.x0 <= box.x0 < box.x1 <= inside.x1 for box in boxes)
        assert len(boxes) < 2 or boxes[0].y0 > boxes[1].y1
