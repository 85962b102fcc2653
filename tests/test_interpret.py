"""Stage interpret: the weights' measures and their picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from stages.interpret import heatmap, metrics
from stages.style import ZERO


def test_counts_norm_and_shares_by_hand() -> None:
    w = np.zeros((28, 28))
    w[0, 0], w[3, 14], w[14, 14], w[27, 27] = 1.0, -2.0, 4.0, -1.0
    got = metrics(w.ravel(), -0.5, border=4)
    assert got["weights"] == {"nonzero": 5, "zero": 780}
    assert got["l1_norm"] == 8.5
    assert got["border"] == {"pixels": 384, "nonzero": 3, "share_of_l1": 0.5}
    assert got["corners"] == {"pixels": 64, "nonzero": 2, "share_of_l1": 0.25}


def test_all_zero_weights_have_shares_too() -> None:
    got = metrics(np.zeros(784), 0.0, border=4)
    assert got["weights"] == {"nonzero": 0, "zero": 785}
    assert got["border"]["share_of_l1"] == 0.0


@given(border=st.integers(1, 13))
def test_the_borders_size(border: int) -> None:
    got = metrics(np.ones(784), 0.0, border)
    assert got["border"]["pixels"] == 784 - (28 - 2 * border) ** 2
    assert got["corners"]["pixels"] == (2 * border) ** 2
    assert got["border"]["share_of_l1"] == pytest.approx(got["border"]["pixels"] / 784)


def test_zero_small_and_opposite_weights_look_different() -> None:
    w = np.zeros((28, 28))
    w[10, 10], w[10, 12], w[10, 14] = 1e-6, 1.0, -1.0
    figure = heatmap(w.ravel(), (5, 8), 0.2, 4)
    figure.canvas.draw()
    axes = figure.axes[0]
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255

    def colour(row: int, column: int) -> np.ndarray:
        x, y = axes.transData.transform((column, row))
        return pixels[pixels.shape[0] - 1 - round(y), round(x)]

    np.testing.assert_allclose(colour(5, 5), to_rgb(ZERO), atol=0.01)
    assert colour(10, 10).min() > 0.95  # small: white
    red, blue = colour(10, 14), colour(10, 12)
    assert red[0] > red[2] + 0.3
    assert blue[2] > blue[0] + 0.3


def test_the_scale_is_the_same_whatever_the_weights() -> None:
    def limits(scale: float) -> tuple[float, float]:
        figure = heatmap(scale * np.linspace(-1, 1, 784), (5, 8), 0.2, 4)
        return figure.axes[0].images[0].get_clim()

    assert limits(0.1) == limits(10.0) == (-2.0, 2.0)


def test_the_picture_names_the_classes() -> None:
    figure = heatmap(np.ones(784), (3, 8), 0.2, 4)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["looks like an 8", "looks like a 3"]
    assert figure.axes[0].get_title("left") == "Weights at C = 0.2: 784 of 784 pixels used"
