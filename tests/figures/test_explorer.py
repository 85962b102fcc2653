"""The explorer's data."""

import base64
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_hex

from analysis.ink import usual
from analysis.path import FollowedPath, PathPoint
from figures import explorer, style
from figures.explorer import page, room_for, run_lengths, selection
from pipeline.about import About

CLASSES = ("5", "8")
ABOUT = About("Some", "Some, by somebody", 28, 28, 20, {5: "5", 8: "8"})


def point(C: float, scale: float) -> PathPoint:
    w = np.zeros(784)
    w[[300, 401]] = scale / 3, -scale / 7
    return PathPoint(C, w, 0.1 * scale, 3, 0.9, 0.8, 1.5)


def images(n: int) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (n, 784))
    pixels[:, :290] = 0
    return pixels.astype(np.uint8).reshape(-1, 28, 28)


POINTS = point(0.1, 1.0), point(0.2, 2.0)
LABELS = np.array(["5", "8"] * 4 + ["5"])


def write(*more, points=POINTS, X=None, y=LABELS, classes=CLASSES, **named) -> tuple[str, dict]:
    """The page of nine images, and the data in it."""
    X = images(len(y)) if X is None else X
    text = page(points, X, y, np.arange(len(y)), classes, 0.2, ABOUT, *more, **named)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return text, json.loads(found[1])


@pytest.fixture(scope="module")
def written() -> tuple[str, dict]:
    return write()


def test_the_script_has_nothing_that_a_linter_finds(written, root: Path, tmp_path: Path) -> None:
    """The scripts share their names: of one alone a linter would say that its names are unused."""
    (script,) = re.findall(r"<script>(.*?)</script>", written[0], re.S)
    (tmp_path / "page.js").write_text(script, encoding="utf-8")
    command = ["oxlint", "--deny-warnings", f"--config={root / '.oxlintrc.json'}", "page.js"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_double_comes_back_exactly(written) -> None:
    _, data = written
    for stored, expected in zip(data["path"], POINTS, strict=True):
        w = np.zeros(784)
        w[stored["at"]] = stored["w"]
        np.testing.assert_array_equal(w, expected.coef)
        assert stored["bias"] == expected.intercept
    assert data["start"] == 1


def test_every_pixel_comes_back_exactly(written) -> None:
    _, data = written
    coded, pixels = iter(base64.b64decode(data["images"]["pixels"])), []
    for value in coded:
        pixels += [0] * next(coded) if value == 0 else [value]
    kept = np.array(data["images"]["index"])
    np.testing.assert_array_equal(np.reshape(pixels, (-1, 28, 28)), images(9)[kept])
    assert data["images"]["label"] == LABELS[kept].tolist()


def test_the_scale_of_colours_is_that_of_the_pictures(written) -> None:
    text, data = written
    assert data["colours"] == {
        "scale": list(style.RED_TO_BLUE),
        "zero": style.ZERO,
        "linear": style.LINEAR,
        "largest": style.LARGEST,
    }
    for name, colour in (("negative", style.NEGATIVE), ("positive", style.POSITIVE)):
        assert f"--{name}: {colour};" in text
    assert f"--zero: {style.ZERO};" in text


def test_the_page_says_what_it_shows(written) -> None:
    text, data = written
    assert data["classes"] == ["5", "8"]
    assert data["articles"] == {"5": "a 5", "8": "an 8"}
    assert (data["height"], data["width"], data["inkSide"]) == (28, 28, 20)
    assert "<h1>5 or 8? " in text
    assert "Images: Some, by somebody" in text
    for stored, expected in zip(data["path"], POINTS, strict=True):
        for name, value in (
            ("C", expected.C),
            ("nonzero", expected.nonzero),
            ("train", expected.train_accuracy),
            ("test", expected.test_accuracy),
            ("objective", expected.objective),
        ):
            assert stored[name] == value
    shown = data["images"]
    assert shown["of"] == 9
    assert shown["wrong"] + shown["near"] + shown["sample"] == len(shown["index"])


def test_the_page_says_what_is_usual_and_how_stable_a_pixel_is() -> None:
    share = np.linspace(0, 1, 784).reshape(28, 28)
    for stability, stored in ((None, None), (share, share.ravel().tolist())):
        _, data = write(stability=stability)
        assert data["stability"] == stored
        found = usual(images(9))
        assert data["usual"]["ink"] == list(found.ink)
        assert data["usual"]["stroke"] == found.stroke


def test_without_a_script_the_start_is_there(written) -> None:
    text, _ = written
    numbers = dict(re.findall(r'<dd id="(\w+)" class="number">(.*?)</dd>', text))
    assert numbers == {
        "nonzero": "3 of 785",
        "train": "90.00 %",
        "test": "80.00 %",
        "bias": "+0.200",
        "objective": "1.50",
    }
    picture = re.search(r"<svg class=.picture.*?</svg>", text, re.S)[0]
    assert "1 speak for a 5, 1 for an 8" in picture
    cells = re.findall(r'<rect x="(\d+)" y="(\d+)" width="1" height="1" fill="(.*?)"', picture)
    assert [(int(x) + 28 * int(y)) for x, y, _ in cells] == [300, 401]
    w = point(0.2, 2.0).coef[[300, 401]]
    assert [c for _, _, c in cells] == [
        to_hex(colour) for colour in style.weight_colours()(style.weight_norm()(w))
    ]
    marks = re.search(r'<div class="marks">(.*?)</div>', text)[1]
    places = {
        float(value.replace("−", "-")): float(place)
        for place, value in re.findall(r"left: ([\d.]+)%.>(.*?)<", marks)
    }
    assert (places[-2], places[0], places[2]) == (0, 50, 100)
    assert places[0.5] == pytest.approx(100 * float(style.weight_norm()(0.5)), abs=0.01)


def every(lowest: float, pixels: int = 784) -> FollowedPath:
    step = np.array([lowest, 0.15])
    entries = [(lowest, 0.125)] * pixels
    return FollowedPath(entries, (step, np.array([3, 4])), (step, step / 2), (step, step / 4))


def test_what_is_known_of_every_C_comes_back_exactly(written) -> None:
    assert written[1]["every"] is None
    assert write(every(0.1))[1]["every"] == {
        "entries": [[0.1, 0.125]] * 784,
        "nonzero": [[0.1, 0.15], [3, 4]],
        "train": [[0.1, 0.15], [0.05, 0.075]],
        "test": [[0.1, 0.15], [0.025, 0.0375]],
    }


@pytest.mark.parametrize("known", [every(0.11), every(0.1, 783)])
def test_of_another_path_it_takes_nothing(known: FollowedPath) -> None:
    with pytest.raises(ValueError, match="does not fit the path"):
        write(known)


def test_every_script_is_on_the_page(written) -> None:
    text, _ = written
    folder = explorer.PARTS
    for script in folder.glob("*.js"):
        assert text.count(script.read_text(encoding="utf-8")) == 1
        assert script.read_text(encoding="utf-8").startswith("// ")  # what it is for
    assert {path.suffix for path in folder.iterdir()} == {".js", ".css", ".html"}


def test_no_two_scripts_define_the_same_name() -> None:
    """They share one scope, where the later function would take the place of the earlier."""
    defined = []
    for script in explorer.PARTS.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        defined += re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", text, re.M)
        for several in re.findall(r"^(?:const|let) [{[](.*?)[}\]] =", text, re.M | re.S):
            defined += [name.split(":")[-1].strip() for name in several.split(",")]
    assert len(defined) > 100
    assert sorted(defined) == sorted(set(defined))


def test_the_page_asks_nothing_of_the_network(written) -> None:
    text, _ = written
    assert not re.search(r"(?:src|href)\s*=|\burl\(|fetch\(|import\(|XMLHttp", text)
    assert "{{" not in text


def test_a_name_cannot_end_the_script() -> None:
    names = ("</script><b>", "8")
    text, data = write(y=np.array([*names] * 4), classes=names)
    assert "</script><b>" not in text
    assert data["classes"] == [*names]


def test_all_mistakes_are_shown_and_then_the_nearest() -> None:
    X = np.zeros((1000, 784), dtype=np.uint8)
    X[:, 300] = np.arange(1000) % 256
    y = np.where(np.arange(1000) < 30, "5", "8")
    model = PathPoint(1.0, point(1, 3).coef, 0.01, 2, 0, 0, 0)
    kept, parts = selection(X, y, model, CLASSES, 600)
    assert set(range(30)) <= set(kept.tolist())
    assert parts == {"wrong": 30, "near": 285, "sample": 285}
    assert len(set(kept.tolist())) == 600


def test_long_runs_of_zeros() -> None:
    assert run_lengths(np.zeros((1, 784), dtype=np.uint8)) == b"\0\xff\0\xff\0\xff\0\x13"


@given(arrays(np.uint8, (2, 400), elements=st.sampled_from([0, 0, 0, 1, 255])))
def test_run_lengths_say_each_pixel_and_never_need_more_than_was_said(pixels) -> None:
    coded = run_lengths(pixels)
    decoded, left = [], iter(coded)
    for value in left:
        decoded += [0] * next(left) if value == 0 else [value]
    np.testing.assert_array_equal(np.reshape(decoded, pixels.shape), pixels)
    assert room_for(pixels, len(coded) - 1) < len(pixels)


def test_as_many_images_as_the_budget_holds(monkeypatch) -> None:
    monkeypatch.setattr("figures.explorer.BUDGET", 5 * 500)
    X = images(9)
    X.reshape(9, 784)[:, 784 - 200 :] = 0  # 294 pixels with ink or a 0 now and then
    shown = write(X=X)[1]["images"]
    assert shown["of"] == 9
    assert 5 <= len(shown["index"]) < 9
    assert len(base64.b64decode(shown["pixels"])) <= 5 * 500


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([point(0.1, 1.0)], "C=0.2 is not on the path"),
        ([point(0.2, 1.0), point(0.1, 1.0)], "do not ascend"),
    ],
)
def test_what_it_cannot_show_exactly_it_refuses(points, message) -> None:
    with pytest.raises(ValueError, match=message):
        write(points=points)
