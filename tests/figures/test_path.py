"""Small multiples: the weights along the path, as drawn."""

import numpy as np
import pytest

from analysis.path import PathPoint
from figures.path import small_multiples
from figures.style import INK

CS = [float(f"{C:.4g}") for C in np.geomspace(1e-3, 10, 25)]


def points(nonzero: list[int] | None = None) -> list[PathPoint]:
    """Every point has weights of its own."""
    found = []
    for k, C in enumerate(CS):
        w = np.zeros(784)
        w[k : 2 * k + 1] = np.linspace(-1, 1, k + 1) + 0.01 * k
        count = int(np.count_nonzero(w)) if nonzero is None else nonzero[k]
        found.append(PathPoint(C, w, 0.0, count, 0.9, 0.5 + k / 100, 1.0))
    return found


@pytest.mark.parametrize("trained", [0, 1, 12])
def test_each_map_is_its_points_and_the_trained_one_is_framed(trained: int) -> None:
    along = points()
    figure = small_multiples(along, (16, 49), CS[trained], ("5", "8"))
    assert len(figure.axes) == 12
    shown = []
    for axes in figure.axes:
        image = axes.images[0].get_array().filled(0)
        assert image.shape == (16, 49)
        image = image.ravel()
        (k,) = [k for k, point in enumerate(along) if np.array_equal(point.coef, image)]
        shown.append(k)
        point = along[k]
        title = f"C = {point.C:.2g}" + (" (trained)" if k == trained else "")
        assert axes.get_title() == title
        assert all(spine.get_visible() == (k == trained) for spine in axes.spines.values())
        plural = "" if point.nonzero == 1 else "s"
        assert axes.get_xlabel() == (
            f"{point.nonzero} non-zero weight{plural}\ntest accuracy {point.test_accuracy:.1%}"
        )
        assert axes.images[0].get_clim() == (-2, 2)
    assert shown == sorted(set(shown))
    assert {trained, 24} <= set(shown)
    assert trained == 1 or 0 in shown
    frame = figure.axes[shown.index(trained)].spines["left"]
    assert frame.get_edgecolor() == pytest.approx(
        [int(INK[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [1]
    )


def test_the_headline_says_what_this_path_shows() -> None:
    """0 against 1 has 84, 85, 83 weights: more C is not always more weights."""
    counts = [84, 85, 83, *[60] * 22]
    figure = small_multiples(points(counts), (28, 28), CS[3], ("0", "1"))
    assert "60 to 85 of 785 weights" in figure.get_suptitle()


def test_the_words_name_the_colours_as_drawn() -> None:
    figure = small_multiples(points(), (28, 28), CS[3], ("3", "8"))
    assert figure.get_supxlabel().startswith("Red speaks for a 3, blue for an 8; grey is ")
    image = figure.axes[0].images[0]
    red, blue, zero = (image.cmap(image.norm(np.ma.masked_equal([v], 0)))[0] for v in (-1, 1, 0))
    assert red[0] > red[2] + 0.3
    assert blue[2] > blue[0] + 0.3
    assert np.ptp(zero[:3]) < 0.03
