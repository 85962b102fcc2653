"""Other data by the same commands: an npz of 20×16 images with labels 3 and 11."""

from pathlib import Path

import joblib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Run, change, metrics, refusal, stages_run
from tests.graph import STAGES, plots
from tests.quick import save_images

HEIGHT, WIDTH = 20, 16
NAMES = ["lying bar", "upright bar"]


def bars(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of lying (3) and upright (11) bars among speckles."""
    random = np.random.default_rng(seed)
    y = np.where(random.random(n) < 0.5, 3, 11)
    x = random.integers(0, 60, (n, HEIGHT, WIDTH)) * (random.random((n, HEIGHT, WIDTH)) < 0.2)
    for image, label in zip(x, y, strict=True):
        row, column = random.integers(5, HEIGHT - 5), random.integers(4, WIDTH - 4)
        if label == 3:
            image[row, 2:-2] = 200
        else:
            image[2:-2, column] = 200
    return x.astype(np.uint8), y


@pytest.fixture(scope="module")
def ran(project: Path, run: Run) -> Path:
    """The project after a run on a file of bars, beside it."""
    arrays = {}
    for seed, (part, n) in enumerate({"train": 300, "test": 120}.items()):
        arrays[f"x_{part}"], arrays[f"y_{part}"] = bars(n, seed)
    change(
        project / "params.yaml",
        download=save_images(project / "bars.npz", **arrays) | {"class_names": NAMES},
        filter_5_8={"classes": [3, 11]},
        gridsearch={"C": [0.01, 0.1, 1]},
        interpret={"border": 3},
    )
    assert stages_run(run("dvc", "repro")) == list(STAGES)
    return project


@pytest.fixture
def file(ran: Path) -> Path:
    return ran / "bars.npz"


def test_the_model_tells_them_apart(ran: Path, file: Path) -> None:
    with np.load(file) as given, np.load(ran / "data/preprocessed.npz") as rows:
        np.testing.assert_array_equal(rows["X_test"] * 255, given["x_test"].reshape(120, -1))
        model = joblib.load(ran / "data/model.joblib")
        assert sorted(model.classes_) == [3, 11]
        assert model.score(rows["X_test"], given["y_test"]) > 0.9
        assert metrics(ran, "evaluate")["test"]["accuracy"] == model.score(
            rows["X_test"], given["y_test"]
        )
    counts = metrics(ran, "interpret")["weights"]
    assert counts["nonzero"] + counts["zero"] == HEIGHT * WIDTH + 1


def test_tables_and_charts_name_the_classes(ran: Path, run: Run, page: Page) -> None:
    assert (
        (ran / "plots/confusion.csv").read_text().split("\n")[1].startswith("lying bar,lying bar")
    )
    last = (ran / "plots/weights.csv").read_text().splitlines()[-1].split(",")
    assert last[:2] == ["19", "15"]
    assert last[3:] == NAMES
    run("python", "-m", "tools.plots_page")
    run("dvc", "plots", "show")
    page.goto((ran / "dvc_plots/index.html").as_uri())
    expect(page.locator("svg.marks")).to_have_count(len(plots(".csv")))
    weights = page.locator("div[id*=weights] svg.marks")
    expect(weights).to_contain_text("red speaks for lying bar, blue for upright bar")
    assert weights.locator(".mark-rect.role-mark > *").count() == HEIGHT * WIDTH
    box = weights.locator(".mark-rect.role-mark").bounding_box()
    assert box["height"] / box["width"] == pytest.approx(HEIGHT / WIDTH, rel=0.02)
    scores = page.locator("div[id*=scores] svg.marks")
    expect(scores).to_contain_text("red is lying bar, blue is upright bar")
    bars = scores.locator(".mark-rect.role-mark > *").evaluate_all(
        "all => new Set(all.map(bar => getComputedStyle(bar).fill)).size"
    )
    assert bars == 2  # each class has its colour


def test_the_explorer_has_their_size_and_names(ran: Path, page: Page) -> None:
    page.goto((ran / "plots/explorer.html").as_uri())
    assert page.inner_text("h1") == "lying bar or upright bar? A model that one can see"
    expect(page.locator("footer")).to_contain_text("Images: the file bars.npz.")
    for canvas in ("#weights", "#selected-image", "#drawn-map", "#gallery canvas >> nth=0"):
        shape = page.locator(canvas).evaluate("canvas => [canvas.height, canvas.width]")
        assert shape == [HEIGHT, WIDTH]
        box = page.locator(canvas).bounding_box()
        assert box["height"] / box["width"] == pytest.approx(HEIGHT / WIDTH, abs=0.05)
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert (box["height"], box["width"]) == (280, 224)
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 240, steps=10)
    page.mouse.up()
    expect(page.locator("#drawn-sum")).to_contain_text("reads an upright bar")
    ink = page.locator("#drawn-image").evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    rows, columns = np.nonzero(np.reshape(ink, (HEIGHT, WIDTH, 4))[..., 3] > 60)
    assert {rows.min(), rows.max()} == {2, 17}  # where it was drawn: nothing is moved
    assert set(columns) == {7, 8}


def test_what_does_not_fit_these_data_gets_its_line(
    ran: Path, run: Run, params: Path, file: Path
) -> None:
    before, whole = params.read_text(), file.read_bytes()
    for section, values, line in (
        ("interpret", {"border": 8}, "interpret.border: got 8; allowed: an integer, 1 to 7 pixels"),
        (
            "download",
            {"class_names": ["a", "b", "c"]},
            "download.class_names: got 3 names; allowed",
        ),
    ):
        params.write_text(before)
        change(params, **{section: values})
        assert refusal(run).startswith(f"params.yaml: {line}")
    file.write_bytes(whole + b"more")
    change(params, download={"file": "bars.npz", "timeout": 29})
    done = run("dvc", "repro", check=False)
    assert "params.yaml: download.sha256: got " in done.stderr
    params.write_text(before)
    file.write_bytes(whole)
    assert stages_run(run("dvc", "repro")) == []
