"""The heatmap: colours, names and scale, as drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from figures.style import ZERO
from figures.weights import heatmap


def drawn(figure: Figure) -> np.ndarray:
    """Red, green, blue in [0, 1] of the picture as it is drawn, from the bottom up."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[::-1, :, :3] / 255


def test_zero_small_and_opposite_weights_look_different() -> None:
    w = np.zeros((28, 28))
    w[10, 10], w[10, 12], w[10, 14] = 1e-6, 1.0, -1.0
    figure = heatmap(w, ("5", "8"), 0.2, 4)
    pixels = drawn(figure)
    places = figure.axes[0].transData.transform([(5, 5), (10, 10), (14, 10), (12, 10)])
    zero, small, red, blue = (pixels[round(y), round(x)] for x, y in places)
    np.testing.assert_allclose(zero, to_rgb(ZERO), atol=0.01)
    assert small.min() > 0.95  # white
    assert red[0] > red[2] + 0.3
    assert blue[2] > blue[0] + 0.3


def test_the_names_stand_at_their_colours_ends_of_the_bar() -> None:
    figure = heatmap(np.ones((28, 28)), ("3", "8"), 0.2, 4)
    pixels = drawn(figure)
    _, bar = figure.axes
    below, above = sorted(bar.texts, key=lambda text: text.get_window_extent().y0)
    assert (below.get_text(), above.get_text()) == ("looks like a 3", "looks like an 8")
    box = bar.get_window_extent()
    assert below.get_window_extent().y1 < box.y0 < box.y1 < above.get_window_extent().y0
    middle = round((box.x0 + box.x1) / 2)
    low, high = (pixels[round(box.y0 + share * box.height), middle] for share in (0.2, 0.8))
    assert low[0] > low[2]  # red below
    assert high[2] > high[0]  # blue above


def test_the_title_counts_and_pixels_have_their_places() -> None:
    w = np.zeros((28, 28))
    w[3, 20] = -0.5
    figure = heatmap(w, ("3", "8"), 0.2, 4)
    axes, bar = figure.axes
    assert "C = 0.2: 1 of 784 pixels used" in axes.get_title("left")
    assert axes.images[0].get_array()[3, 20] == -0.5
    assert axes.images[0].get_array().mask.sum() == 783
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("column", "row")
    assert axes.get_xticks().tolist() == axes.get_yticks().tolist() == list(range(0, 28, 4))
    figure.draw_without_rendering()
    marks = [label.get_text().replace("−", "-") for label in bar.get_yticklabels()]
    assert marks[0] == "-2"
    assert marks[4:7] == ["-0.1", "0", "+0.1"]
    assert marks[-1] == "+2"


@pytest.mark.parametrize("border", [1, 13])
def test_the_border_is_drawn_and_said(border: int) -> None:
    figure = heatmap(np.ones((28, 28)), ("3", "8"), 0.2, border)
    (frame,) = figure.axes[0].patches
    low, high = border - 0.5, 27.5 - border
    assert frame.get_bbox().extents.tolist() == [low, low, high, high]
    zero, outside = (text.get_text() for text in figure.legends[0].get_texts())
    assert "0: not used" in zero
    assert f"border of {border} pixels" in outside


def test_other_images_and_names() -> None:
    """Taller than wide, and large: the numbers along the axes stay few."""
    figure = heatmap(np.ones((20, 16)), ("Sandal", "Ankle boot"), 0.2, 3)
    axes, bar = figure.axes
    assert "320 of 320 pixels" in axes.get_title("left")
    assert axes.images[0].get_extent() == [-0.5, 15.5, 19.5, -0.5]
    assert axes.patches[0].get_bbox().extents.tolist() == [2.5, 2.5, 12.5, 16.5]
    assert axes.get_xticks().tolist() == [0, 4, 8, 12]
    assert axes.get_yticks().tolist() == [0, 4, 8, 12, 16]
    said = {text.get_text() for text in bar.texts}
    assert said == {"looks like a Sandal", "looks like an Ankle boot"}
    assert axes.images[0].get_clim() == (-2, 2)
    large = heatmap(10 * np.ones((100, 60)), ("0", "1"), 0.2, 3).axes[0]
    assert large.images[0].get_clim() == (-2, 2)  # whatever the weights
    assert large.get_yticks().tolist() == [*range(0, 100, 12)]
