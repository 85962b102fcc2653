"""Contributions: each image beside what its pixels add."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.images import contributions
from figures.style import ZERO


def draw(n: int, columns: int = 4) -> tuple[Figure, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X, w = random.integers(1, 256, (n, 784)) / 255, np.linspace(-1, 1, 784)
    X[:, :300], w[300:330] = 0, 0  # no ink; ink on a weight of 0
    y = np.array(["8", "5", "8"] * n)[:n]
    said = np.array(["5", "5", "8"] * n)[:n]
    scores = np.linspace(-1.5, 1.25, n)
    index = np.arange(n) + 100
    shown = np.rint(X * 255).astype(np.uint8).reshape(-1, 28, 28)
    weights = w.reshape(28, 28)
    figure = contributions("Some", shown, y, said, scores, index, weights, ("5", "8"), columns)
    return figure, X, w


def test_each_image_stands_beside_its_contributions() -> None:
    figure, X, w = draw(3)
    axes, _ = figure.axes
    at = {}
    for image in axes.images[2:]:  # the first two are the scale's
        left, right, bottom, top = image.get_extent()
        assert (right - left, bottom - top) == (28, 28)
        at.setdefault((left + 0.5, top + 0.5), []).append(image)
    assert sorted(at) == [(0, 0), (31, 0), (62, 0), (93, 0), (124, 0), (155, 0)]
    for k in range(3):
        (ink,) = at[62 * k, 0]
        why, paper = at[62 * k + 31, 0]
        np.testing.assert_array_equal(ink.get_array().ravel(), X[k])
        darkness = 1 - ink.cmap(ink.norm(X[k]))[:, 0]
        assert np.corrcoef(darkness, X[k])[0, 1] > 0.99
        np.testing.assert_array_equal(why.get_array().ravel().filled(0), w * X[k])
        np.testing.assert_array_equal(paper.get_array().mask.ravel(), X[k] > 0)
    texts = [text.get_text() for text in axes.texts]
    assert texts[:3] == ["an 8, read as 5", "score -1.50", "no. 100"]
    assert texts[3::3] == ["a 5", "an 8"]
    assert figure.get_suptitle() == "Some"


def colours(figure: Figure, image: int) -> np.ndarray:
    """(28, 28, 3): how the pixels right of an image of the first row look."""
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    rows, columns = np.mgrid[:28, :28]
    places = np.stack([columns + 62 * image + 31, rows], axis=-1).reshape(-1, 2)
    x, y = figure.axes[0].transData.transform(places).round().astype(int).T
    return drawn[drawn.shape[0] - 1 - y, x].reshape(28, 28, 3)


def test_no_ink_is_white_a_zero_weight_grey_and_the_sign_red_or_blue() -> None:
    figure, X, w = draw(1)
    shown = colours(figure, 0).reshape(784, 3)
    np.testing.assert_array_equal(shown[X[0] == 0], 1.0)
    grey = np.array([int(ZERO[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    np.testing.assert_allclose(shown[(w == 0) & (X[0] > 0)], np.tile(grey, (30, 1)), atol=0.01)
    total = w * X[0]
    red, blue = shown[total < -0.1], shown[total > 0.1]
    assert (red[:, 0] > red[:, 2]).all()
    assert (blue[:, 2] > blue[:, 0]).all()


def test_the_words_and_the_scale_say_what_the_colours_mean() -> None:
    figure, *_ = draw(2)
    axes, bar = figure.axes
    assert "← for a 5, for an 8 →" in bar.get_xlabel()
    mappable = axes.images[0]
    left, right = mappable.cmap(mappable.norm(-1.0)), mappable.cmap(mappable.norm(1.0))
    assert left[0] > left[2]  # red, which the bar has on the left, is for the first class
    assert right[2] > right[0]
    assert bar.get_xlim()[0] < bar.get_xlim()[1]
    grey, white = (text.get_text() for text in figure.legends[0].get_texts())
    assert grey.startswith("grey: ")
    assert white.startswith("white: ")


@pytest.mark.parametrize(("n", "rows"), [(4, 1), (5, 2)])
def test_rows_of_four(n: int, rows: int) -> None:
    figure, *_ = draw(n)
    tops = sorted({image.get_extent()[3] + 0.5 for image in figure.axes[0].images})
    assert tops == [39 * row for row in range(rows)]
    bottom, top = figure.axes[0].get_ylim()
    assert bottom >= 39 * (rows - 1) + 28  # all of it is on the picture
    assert top < 0
    assert figure.axes[0].get_xlim()[1] >= 62 * 3 + 31 + 27.5


def test_no_mistake_at_all_is_a_picture_too() -> None:
    none = np.array([], dtype=int)
    figure = contributions(
        *("None", np.zeros((0, 28, 28), np.uint8), none, none, none * 1.0, none),
        *(np.ones((28, 28)), ("5", "8")),
    )
    assert not figure.axes[0].texts
    assert figure.get_suptitle() == "None"


LONG = ("shoes $50 to $80 (large)", "Men's winter jackets, XL")


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((28, 28), ("3", "11")),
        ((28, 28), ("T-shirt", "Ankle boot")),
        ((20, 16), LONG),
        ((90, 120), LONG),
    ],
)
def test_nothing_is_written_over_anything(shape: tuple[int, int], names: tuple[str, str]) -> None:
    """Whatever the size of the images and the length of the names."""
    n = 6
    y = np.array([*names] * 3)
    figure = contributions(
        *(
            "Some",
            np.full((n, *shape), 255, np.uint8),
            y,
            y[::-1],
            np.linspace(-30, 30, n),
            np.arange(n) + 59990,
        ),
        *(np.ones(shape), names),
    )
    figure.draw_without_rendering()
    axes = figure.axes[0]
    texts = [text.get_window_extent() for text in axes.texts]
    images = [image.get_window_extent() for image in axes.images[2:]]
    assert len(texts) == 3 * n
    for k, box in enumerate(texts):
        assert axes.bbox.x0 - 1 <= box.x0
        assert box.y1 <= axes.bbox.y1 + 1
        for other in [*texts[:k], *images]:
            assert not box.padded(-1).overlaps(other.padded(-1))
