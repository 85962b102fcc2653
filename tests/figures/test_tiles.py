"""Small pictures: a pixel a pixel, in the colours of the large ones."""

import io

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from figures.style import ZERO
from figures.tiles import contributions_tile, image_tile


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_an_image_is_black_on_white() -> None:
    x = np.array([[0.0, 1.0, 100 / 255]])
    assert pixels(image_tile(x)).tolist() == [[[255] * 3, [0] * 3, [155] * 3]]


def test_contributions_are_red_blue_grey_or_white() -> None:
    w, x = np.array([[-1.0, 1.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 1.0, 0.0]])
    red, blue, grey, white = pixels(contributions_tile(w, x))[0]
    assert red[0] > red[2] + 60
    assert blue[2] > blue[0] + 60
    np.testing.assert_allclose(grey / 255, to_rgb(ZERO), atol=0.01)
    assert white.tolist() == [255] * 3
