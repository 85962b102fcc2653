"""The language of colour, and that a picture depends on nothing around it."""

import json
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import _pylab_helpers, colormaps
from matplotlib.colors import to_hex, to_rgb

from figures import style
from figures.style import footnote, headline, legend_below, new_figure, png

TEMPLATES = sorted((Path(__file__).parents[2] / ".dvc/plots").glob("*.json"))
PURPLE = "#54278F"  # where the charts' scale of amounts ends
ROLES = {
    *(style.NEGATIVE, style.POSITIVE, style.INK, style.GREY, style.ZERO),
    *(*style.REVISIONS, *style.RED_TO_BLUE),
    *("#FFFFFF", "#000000", PURPLE),
}


def test_the_scale_is_matplotlibs_of_that_name() -> None:
    places = np.linspace(0, 1, len(style.RED_TO_BLUE))
    ours = np.array([to_rgb(colour) for colour in style.RED_TO_BLUE])
    np.testing.assert_allclose(colormaps["RdBu"](places)[:, :3], ours, atol=3 / 255)  # of 256
    assert {style.NEGATIVE, style.POSITIVE} < set(style.RED_TO_BLUE)
    norm = style.weight_norm()
    expected = np.arcsinh(0.5 / style.LINEAR) / np.arcsinh(style.LARGEST / style.LINEAR)
    assert norm(0.5) == pytest.approx(0.5 + expected / 2)
    assert to_hex(style.weight_colours()(np.ma.masked_all(1))[0]).upper() == style.ZERO


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.stem)
def test_a_chart_has_no_colour_that_has_no_role(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    used = set(re.findall(r"#[0-9A-Fa-f]{6}\b", text))
    assert used <= ROLES
    assert '"scheme"' not in text  # a colour by name
    json.loads(text)


def test_the_charts_scale_of_weights_is_that_of_the_pictures() -> None:
    text = next(file for file in TEMPLATES if file.stem == "weights").read_text(encoding="utf-8")
    ranges = re.findall(r'"range":\s*\[([^\]]*#67001F[^\]]*)\]', text)
    assert ranges
    for found in ranges:
        assert tuple(re.findall(r"#\w{6}", found)) == style.RED_TO_BLUE


def test_the_charts_amounts_are_those_of_the_pictures() -> None:
    np.testing.assert_allclose(style.AMOUNT(0.875)[:3], to_rgb(PURPLE), atol=2 / 255)


def draw() -> bytes:
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1], [1, 0], label="a line")
    headline(figure, "Title")
    footnote(figure, "Note")
    legend_below(figure, *figure.axes[0].lines)
    return png(figure)


def test_the_same_picture_gives_the_same_bytes_whatever_the_user_has_set() -> None:
    before = draw()
    matplotlib.rcParams["font.size"] = 30
    matplotlib.rcParams["savefig.facecolor"] = "red"
    assert draw() == before
    assert b"matplotlib" not in before
    assert before.startswith(b"\x89PNG")
    assert _pylab_helpers.Gcf.figs == {}  # none stays open


def test_words_stand_where_they_belong() -> None:
    figure = new_figure(4, 3)
    (line,) = figure.add_subplot().plot([0, 1], [1, 0], label="a line")
    headline(figure, "Title")
    footnote(figure, "Note")
    legend_below(figure, line)
    figure.draw_without_rendering()
    drawn = (figure._suptitle, figure.axes[0], figure.legends[0], figure._supxlabel)
    title, axes, legend, note = (one.get_window_extent() for one in drawn)
    assert title.y0 > axes.y1
    assert axes.y0 >= max(legend.y1, note.y1)
