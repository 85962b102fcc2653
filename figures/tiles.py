"""Single images and maps of contributions as small PNGs, a pixel a pixel: for pages of many."""

import io

import matplotlib.image
import numpy as np

from figures.style import ZERO, weight_colours, weight_norm


def image_tile(x: np.ndarray) -> bytes:
    """x (height, width) in [0, 1], black on white, as PNG."""
    return _png(np.repeat(np.rint(255 * (1 - x))[..., None], 3, axis=2))


def contributions_tile(w: np.ndarray, x: np.ndarray) -> bytes:
    """w_j x_j in the colours of weights; grey, ink on a weight of 0; white, no ink."""
    colours = weight_colours(ZERO)(weight_norm()(np.ma.masked_equal(w * x, 0)))[..., :3]
    return _png(np.where((x == 0)[..., None], 255, np.rint(255 * colours)))


def _png(pixels: np.ndarray) -> bytes:
    data = io.BytesIO()
    matplotlib.image.imsave(data, pixels.astype(np.uint8), format="png")
    return data.getvalue()
