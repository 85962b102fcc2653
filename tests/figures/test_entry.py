"""The picture of the order of entry."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from figures.entry import entry
from figures.style import ZERO

STEPS = np.array([0.001, 0.01, 0.5, 10.0]), np.array([1, 2, 3, 2])


def picture(exact: bool = True):
    first = np.full((28, 28), np.inf)
    first[1, 2], first[1, 3], first[14, 8] = 0.001, 0.01, 0.5
    return first, entry(first, STEPS, 0.2, exact)


def test_each_pixel_has_the_c_of_its_entry_the_sooner_the_darker() -> None:
    first, figure = picture()
    axes, _, bar = figure.axes
    assert axes.get_title("left").startswith("3 pixels")
    image = axes.images[0]
    np.testing.assert_array_equal(image.get_array().filled(np.inf), first)
    assert image.get_clim() == (0.001, 10.0)
    dark = image.cmap(image.norm([0.001, 0.01, 0.5]))[:, :3].sum(axis=1)
    assert (np.diff(dark) > 0).all()
    assert to_hex(axes.get_facecolor()) == ZERO.lower()
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["weight always 0", "trained: C = 0.2"]
    assert bar.lines[0].get_ydata()[0] == 0.2


def test_the_number_of_weights_stands_below_as_steps() -> None:
    _, figure = picture()
    counts = figure.axes[1]
    steps, trained = counts.lines
    assert steps.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(steps.get_xydata(), np.column_stack(STEPS))
    assert trained.get_xdata()[0] == 0.2
    assert counts.get_xscale() == "log"
    assert counts.get_ylim() == (0, 785)


@pytest.mark.parametrize(("exact", "said"), [(True, "every C followed"), (False, "4 values of C")])
def test_it_says_how_it_is_known(exact: bool, said: str) -> None:
    _, figure = picture(exact)
    assert said in figure.axes[2].get_ylabel()
