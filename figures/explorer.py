"""The explorer: one HTML page, needing nothing else, to follow the model along C.

The page's own text, style and code are in explorer.html beside this file; `page` puts the data
into it.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.path import PathPoint
from figures.style import LARGEST, LINEAR, NEGATIVE, POSITIVE, RED_TO_BLUE, ZERO
from pipeline.about import About
from pipeline.canonical import scores
from pipeline.labels import with_article

TEMPLATE = Path(__file__).with_name("explorer.html")  # with {{names}} of what `page` puts in
SHOWN = 600  # images on the page, at most: about 200 kB


def page(
    path: Sequence[PathPoint],
    images: np.ndarray,
    y: np.ndarray,
    index: np.ndarray,
    classes: tuple[str, str],
    C: float,
    about: About,
) -> str:
    """The whole page; the same input gives the same bytes.

    Parameters
    ----------
    path : the models, in ascending order of C
    images : (n, p) test images, multiples of 1/255 in [0, 1]
    y : (n,) names, each one of `classes`
    index : (n,) their places in the test set
    classes : the names that a negative and a positive score stand for
    C : the trained model's, one of the path's; the page opens with it
    about : the data set; p is the pixels of its images

    Raises
    ------
    ValueError
        C is not on the path, the path does not ascend, or a pixel is no multiple of 1/255.
    """
    Cs = [point.C for point in path]
    if C not in Cs:
        raise ValueError(f"C={C!r} is not on the path")
    if sorted(set(Cs)) != Cs:
        raise ValueError("the path's C do not ascend")
    start = Cs.index(C)
    kept, parts = selection(images, y, path[start], classes)
    shown = np.rint(images[kept] * 255).astype(np.uint8)
    if not np.array_equal(shown / 255, images[kept]):
        raise ValueError("pixels are not all multiples of 1/255 in [0, 1]")
    data = {
        "classes": list(classes),
        "articles": {name: with_article(name) for name in classes},
        "credit": about.credit,
        "height": about.height,
        "width": about.width,
        "inkSide": about.ink_side,
        "start": start,
        "colours": {"scale": RED_TO_BLUE, "zero": ZERO, "linear": LINEAR, "largest": LARGEST},
        "path": [_point(point) for point in path],
        "images": {
            "of": len(y),
            **parts,
            "index": index[kept].tolist(),
            "label": y[kept].tolist(),
            "pixels": base64.b64encode(run_lengths(shown)).decode("ascii"),
        },
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")  # a name must not end the script that holds it
    filled = TEMPLATE.read_text(encoding="utf-8")
    for name, value in (
        ("negative", NEGATIVE),
        ("positive", POSITIVE),
        ("zero", ZERO),
        ("data", text),
    ):
        filled = filled.replace("{{" + name + "}}", value)
    # The page's own script runs, and no other that came with the data.
    own = filled[filled.rindex("<script>") + len("<script>") : filled.rindex("</script>")]
    digest = hashlib.sha256(own.encode()).digest()
    return filled.replace("{{script}}", base64.b64encode(digest).decode("ascii"))


def selection(
    images: np.ndarray, y: np.ndarray, point: PathPoint, classes: tuple[str, str]
) -> tuple[np.ndarray, dict[str, int]]:
    """Which images the page shows, as ascending positions, and how many of each kind.

    All that `point` gets wrong; of the others those with scores nearest to 0, for half of the room
    that is left; for the other half an even sample of the rest.
    """
    f = scores(images, point.coef, point.intercept)
    right = y == np.where(f > 0, classes[1], classes[0])
    wrong = np.flatnonzero(~right)[:SHOWN]
    by_distance = np.argsort(np.abs(f), kind="stable")
    by_distance = by_distance[right[by_distance]]
    room = min(SHOWN - len(wrong), len(by_distance))
    near, far = by_distance[: room // 2], np.sort(by_distance[room // 2 :])
    sample = far[np.arange(room - len(near)) * len(far) // max(room - len(near), 1)]
    kept = np.sort(np.concatenate([wrong, near, sample]))
    return kept, {"wrong": len(wrong), "near": len(near), "sample": len(sample)}


def run_lengths(pixels: np.ndarray) -> bytes:
    """uint8 pixels, row after row; zeros as a 0 and how many follow each other, 255 at most."""
    flat = pixels.ravel()
    edges = np.flatnonzero(np.diff(flat == 0)) + 1
    coded = bytearray()
    for run in np.split(flat, edges):
        if run.size and run[0] == 0:
            full, rest = divmod(run.size, 255)
            coded += b"\0\xff" * full + (bytes((0, rest)) if rest else b"")
        else:
            coded += run.tobytes()
    return bytes(coded)


def _point(point: PathPoint) -> dict[str, Any]:
    """A point's JSON: Python writes a double with the digits that give it back exactly."""
    at = np.flatnonzero(point.coef)
    return {
        "C": float(point.C),
        "at": at.tolist(),
        "w": point.coef[at].tolist(),
        "bias": float(point.intercept),
        "nonzero": int(point.nonzero),
        "train": float(point.train_accuracy),
        "test": float(point.test_accuracy),
        "objective": float(point.objective),
    }
