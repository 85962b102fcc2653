"""The picture of the stability."""

import numpy as np
from matplotlib.colors import to_hex

from figures.stability import stability
from figures.style import ZERO


def test_each_pixel_has_its_share_and_the_often_chosen_are_circled_and_counted() -> None:
    share = np.zeros(784)
    share[[30, 31, 400]] = 0.95, 0.5, 1.0
    share = share.reshape(28, 28)
    figure = stability(share, share >= 0.9, 0.9, 0.2, 100)
    axes, bar = figure.axes
    assert axes.get_title("left") == "2 pixels are chosen in at least 90% of 100 samples"
    assert axes.collections[0].get_offsets().tolist() == [[2, 1], [8, 14]]
    image = axes.images[0]
    assert image.get_clim() == (0, 1)
    np.testing.assert_array_equal(image.get_array().filled(0), share)
    dark = image.cmap(image.norm([0.1, 0.5, 1.0]))[:, :3].sum(axis=1)
    assert (np.diff(dark) < 0).all()  # the more often, the darker
    assert to_hex(axes.get_facecolor()) == ZERO.lower()  # never chosen
    never, often = (text.get_text() for text in figure.legends[0].get_texts())
    assert never == "never chosen"
    assert "90%" in often
    assert "C = 0.2" in bar.get_ylabel()
    figure.draw_without_rendering()
    assert [label.get_text() for label in bar.get_yticklabels()][-1] == "100%"
