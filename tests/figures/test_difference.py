"""The difference of two models: its marks, its counts, its scale."""

import numpy as np

from figures.difference import difference
from figures.weights import heatmap


def test_it_shows_what_is_used_more_and_no_more_in_the_heatmaps_size() -> None:
    before, after = np.zeros((28, 28)), np.zeros((28, 28))
    before[1, 2] = after[5, 6] = 0.5
    before[10, 10], after[10, 10] = 1.0, -1.0
    figure = difference(before, after, ("5", "8"))
    axes, bar = figure.axes
    assert axes.get_title("left") == "Difference: 1 pixels more used, 1 no more"
    np.testing.assert_array_equal(axes.images[0].get_array().filled(0), after - before)
    marks = {c.get_label(): c.get_offsets().tolist() for c in axes.collections}
    assert marks == {"used only now": [[6, 5]], "used no more": [[2, 1]]}
    assert {text.get_text() for text in bar.texts} == {"more for an 8", "more for a 5"}
    beside = heatmap(after, ("5", "8"), 0.2, 4)
    assert figure.get_size_inches().tolist() == beside.get_size_inches().tolist()
    assert axes.images[0].get_clim() == beside.axes[0].images[0].get_clim()


def test_the_same_weights_have_no_difference() -> None:
    w = np.random.default_rng(0).normal(size=(28, 28))
    axes = difference(w, w, ("5", "8")).axes[0]
    assert axes.get_title("left") == "Difference: 0 pixels more used, 0 no more"
    assert axes.images[0].get_array().mask.all()
