"""Two revisions' curves in one picture: each its own, in the colours of revisions."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from figures.overlay import Curves, overlay
from figures.style import REVISIONS


def curves(C: list[float], at: float) -> Curves:
    x = np.array(C)
    return Curves(x, 0.9 + x / 10, 0.9 - x / 10, 100 * x, at)


@pytest.mark.parametrize("second", [[0.2, 0.1, 0.4], [0.001, 0.1, 10.0], [0.3]])
def test_every_curve_is_drawn_over_its_own_c(second: list[float]) -> None:
    both = {"before": curves([0.1, 0.2], 0.1), "now": curves(second, 0.3)}
    figure = overlay("Title", "score", "best", both)
    axes, counts = figure.axes
    for (name, found), colour in zip(both.items(), REVISIONS, strict=False):
        order = np.argsort(found.C)
        drawn = [line for line in axes.lines if to_hex(line.get_color()).upper() == colour]
        trained, tested, upright = drawn
        assert (trained.get_linestyle(), tested.get_linestyle()) == ("--", "-")
        for line, values in ((trained, found.trained), (tested, found.tested)):
            np.testing.assert_array_equal(line.get_xdata(), found.C[order])
            np.testing.assert_array_equal(line.get_ydata(), values[order])
        assert set(upright.get_xdata()) == {found.at}
        weights = next(x for x in counts.lines if to_hex(x.get_color()).upper() == colour)
        np.testing.assert_array_equal(weights.get_ydata(), found.nonzero[order])
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert f"{name}, best C = {found.at:g}" in labels
    low, high = counts.get_xlim()
    every = np.concatenate([found.C for found in both.values()])
    assert low < every.min() <= every.max() < high
