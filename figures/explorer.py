"""The explorer: one HTML page, needing nothing else, to follow the model along C.

The page's own text, style and code are in the folder explorer_page beside this file; `page` makes
one file of them and puts the data into it.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from analysis.ink import UNUSUAL, usual
from analysis.path import FollowedPath, PathPoint
from figures.style import (
    LARGEST,
    LINEAR,
    NEGATIVE,
    POSITIVE,
    RED_TO_BLUE,
    ZERO,
    weight_colours,
    weight_norm,
)
from figures.words import with_article
from pipeline.about import About
from pipeline.rounding import exact_scores

PARTS = Path(__file__).with_name("explorer_page")  # with {{names}} of what `page` puts in
# In this order; each may use at once what those before it define.
SCRIPTS = (
    *("data", "model", "state", "paint", "charts", "weights", "compare", "gallery", "histogram"),
    *("detail", "pixel", "turn", "strokes", "likeness", "drawing", "try"),
)
MARKS = (-2, -0.5, -0.1, 0, 0.1, 0.5, 2)  # on the scale of weights
BUDGET = 900_000  # bytes of the images' run lengths; base64 makes four characters of three


def page(
    path: Sequence[PathPoint],
    images: np.ndarray,
    y: np.ndarray,
    index: np.ndarray,
    classes: tuple[str, str],
    C: float,
    about: About,
    every: FollowedPath | None = None,
    stability: np.ndarray | None = None,
) -> str:
    """The whole page; the same input gives the same bytes.

    Parameters
    ----------
    path : the models, in ascending order of C
    images : (n, height, width) uint8, the test images
    y : (n,) names, each one of `classes`
    index : (n,) their rows in x_test of data/raw/images.npz
    classes : the names that a negative and a positive score stand for
    C : the trained model's, one of the path's; the page opens with it
    about : the data set
    every : what is known between the path's C; the page then shows every C, else those alone
    stability : (height, width) share of samples in which a pixel is chosen again, at C

    Raises
    ------
    ValueError
        C is not on the path, the path does not ascend, or `every` is of other pixels or begins
        above the path's first C.
    """
    Cs = [point.C for point in path]
    if C not in Cs:
        raise ValueError(f"C={C!r} is not on the path")
    if sorted(set(Cs)) != Cs:
        raise ValueError("the path's C do not ascend")
    start = Cs.index(C)
    pixels = images.reshape(len(images), -1)
    kept, parts = selection(pixels, y, path[start], classes, room_for(pixels, BUDGET))
    data = {
        "classes": list(classes),
        "articles": {name: with_article(name) for name in classes},
        "height": about.height,
        "width": about.width,
        "inkSide": about.ink_side,
        "start": start,
        "colours": {"scale": RED_TO_BLUE, "zero": ZERO, "linear": LINEAR, "largest": LARGEST},
        "path": [_point(point) for point in path],
        "every": None if every is None else _every(every, pixels.shape[1], Cs[0]),
        "images": {
            "of": len(y),
            **parts,
            "index": index[kept].tolist(),
            "label": y[kept].tolist(),
            "pixels": base64.b64encode(run_lengths(pixels[kept])).decode("ascii"),
        },
        "usual": asdict(usual(images[kept])) | {"unusual": UNUSUAL},
        "stability": None if stability is None else stability.ravel().tolist(),
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")  # a name must not end the script that holds it
    code = "".join(_part(f"{name}.js") for name in (*SCRIPTS, "start"))
    code = f'\n"use strict";\n(() => {{\n{code}}})();\n'
    names = {"first": classes[0], "second": classes[1], "credit": about.credit}
    names |= {f"a_{name}": with_article(names[name]) for name in ("first", "second")}
    names["size"] = f"{about.height}×{about.width} pixels"
    names |= _numbers(path[start], pixels.shape[1])
    colours = {"negative": NEGATIVE, "positive": POSITIVE, "zero": ZERO}
    colours["scale"] = ", ".join(RED_TO_BLUE)
    return _filled(
        _part("page.html"),
        {name: html.escape(value) for name, value in names.items()}
        | {
            "marks": _marks(),
            "picture": _picture(path[start], about, names["a_first"], names["a_second"]),
            "style": _filled(_part("style.css"), colours),
            "data": text,
            "code": code,
            # For the page's Content-Security-Policy: its own script runs, and none of the data's.
            "script": base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii"),
        },
    )


def selection(
    pixels: np.ndarray, y: np.ndarray, point: PathPoint, classes: tuple[str, str], room: int
) -> tuple[np.ndarray, dict[str, int]]:
    """Which `room` of the (n, p) uint8 images the page shows, as ascending positions, and how many
    of each kind.

    All that `point` gets wrong; of the others those with scores nearest to 0, for half of the room
    that is left; for the other half an even sample of the rest.
    """
    f = exact_scores(pixels / 255, point.coef, point.intercept)
    right = y == np.where(f > 0, classes[1], classes[0])
    wrong = np.flatnonzero(~right)[:room]
    by_distance = np.argsort(np.abs(f), kind="stable")
    by_distance = by_distance[right[by_distance]]
    room = min(room - len(wrong), len(by_distance))
    near, far = by_distance[: room // 2], np.sort(by_distance[room // 2 :])
    sample = far[np.arange(room - len(near)) * len(far) // max(room - len(near), 1)]
    kept = np.sort(np.concatenate([wrong, near, sample]))
    return kept, {"wrong": len(wrong), "near": len(near), "sample": len(sample)}


def room_for(pixels: np.ndarray, budget: int) -> int:
    """How many of the (n, p) uint8 images surely fit: all, or as many as the longest would."""
    zero = pixels == 0
    runs = zero[:, 0] + np.count_nonzero(zero[:, 1:] & ~zero[:, :-1], axis=1)
    zeros = np.count_nonzero(zero, axis=1)
    lengths = pixels.shape[1] - zeros + 2 * (runs + zeros // 255)  # of each alone, at most
    if lengths.sum() <= budget:
        return len(pixels)
    return int(min(len(pixels), budget // lengths.max()))


def run_lengths(pixels: np.ndarray) -> bytes:
    """uint8 pixels, row after row; zeros as a 0 and how many follow each other, 255 at most."""
    flat = pixels.ravel()
    zero = flat == 0
    place = np.arange(len(flat))
    began = np.maximum.accumulate(np.where(zero, 0, place + 1))  # the run of zeros at a place
    # A byte is written at each pixel that is not 0, and two at each beginning of a run of zeros and
    # at each 255th zero of it.
    told = np.flatnonzero(~zero | ((place - began) % 255 == 0))
    follow = np.diff(told, append=len(flat))
    coded = np.stack([flat[told], follow.astype(np.uint8)], axis=1)
    said = np.stack([np.ones_like(told, dtype=bool), zero[told]], axis=1)
    return bytes(coded[said])


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _filled(text: str, values: dict[str, str]) -> str:
    """`text` with each {{name}} replaced by its value; KeyError: a name without one."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def _numbers(point: PathPoint, pixels: int) -> dict[str, str]:
    """The point's numbers as the page writes them, for readers without JavaScript."""
    return {
        "C": f"{point.C:.4g}",
        "nonzero": f"{point.nonzero} of {pixels + 1}",
        "train": f"{100 * point.train_accuracy:.2f} %",
        "test": f"{100 * point.test_accuracy:.2f} %",
        "bias": _minus(f"{point.intercept:+.3f}") if point.intercept else "0",
        "objective": f"{point.objective:,.2f}",
    }


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _marks() -> str:
    """The ticks of the scale of weights, as HTML."""
    place = weight_norm()
    return "".join(
        f'<span style="left: {100 * float(place(value)):.2f}%">{_minus(f"{value:g}")}</span>'
        for value in MARKS
    )


def _picture(point: PathPoint, about: About, negative: str, positive: str) -> str:
    """The map of the weights as SVG, for readers without JavaScript."""
    colours, place = weight_colours(), weight_norm()
    cells = "".join(
        f'<rect x="{j % about.width}" y="{j // about.width}" width="1" height="1" '
        f'fill="{to_hex(colours(float(place(point.coef[j]))))}"/>'
        for j in np.flatnonzero(point.coef)
    )
    told = html.escape(
        f"The weights at C = {point.C:.4g}: {np.count_nonzero(point.coef < 0)} speak for "
        f"{negative}, {np.count_nonzero(point.coef > 0)} for {positive}, the others are exactly 0"
    )
    return (
        f'<svg class="picture" viewBox="0 0 {about.width} {about.height}" role="img" '
        f'aria-label="{told}" shape-rendering="crispEdges">{cells}</svg>'
    )


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


def _every(every: FollowedPath, pixels: int, lowest: float) -> dict[str, Any]:
    steps = {name: getattr(every, name) for name in ("nonzero", "train", "test")}
    if len(every.entries) != pixels or any(C[0] > lowest for C, _ in steps.values()):
        raise ValueError("`every` does not fit the path")
    return {
        "entries": [[float(C) for C in entries] for entries in every.entries],
        **{name: [np.asarray(part).tolist() for part in step] for name, step in steps.items()},
    }
