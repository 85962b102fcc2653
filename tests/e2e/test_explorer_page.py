"""The explorer in a real Chromium: its numbers are the model's, and everybody can use it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sklearn.svm import LinearSVC

from analysis.path import PathPoint, solve_path
from figures import explorer
from figures.style import ZERO, weight_colours, weight_norm
from l1svc import L1LinearSVC, to_linear_svc
from pipeline.datasets import DATASETS
from pipeline.labels import signs

CLASSES = (5, 8)
ABOUT = DATASETS["mnist"].about
CS = [0.001, 0.01, 0.05, 0.2, 2.0]


@pytest.fixture(scope="module")
def data(mnist: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The images of the two classes, a quarter of those to train on."""
    found = {}
    for part, step in (("train", 4), ("test", 1)):
        at = np.flatnonzero(np.isin(mnist[f"y_{part}"], CLASSES))[::step]
        found[f"X_{part}"] = mnist[f"x_{part}"][at].reshape(-1, 784) / 255
        found[f"y_{part}"], found[f"index_{part}"] = mnist[f"y_{part}"][at], at
    return found


@pytest.fixture(scope="module")
def models(data) -> list[LinearSVC]:
    s = signs(data["y_train"], np.array(CLASSES))
    return [to_linear_svc(L1LinearSVC(C).fit(data["X_train"], s)) for C in CS]


@pytest.fixture(scope="module")
def file(data, models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    X, X_test = data["X_train"], data["X_test"]
    s, s_test = (signs(data[f"y_{part}"], np.array(CLASSES)) for part in ("train", "test"))
    points = [
        PathPoint(
            p.C,
            model.coef_[0],
            float(model.intercept_[0]),
            p.nonzero,
            p.train_accuracy,
            p.test_accuracy,
            p.objective,
        )
        for p, model in zip(solve_path(X, s, X_test, s_test, CS), models, strict=True)
    ]
    written = tmp_path_factory.mktemp("explorer") / "explorer.html"
    y = ABOUT.named(data["y_test"])
    text = explorer.page(points, X_test, y, data["index_test"], ("5", "8"), 0.2, ABOUT)
    assert len(text.encode()) < 2_000_000
    written.write_text(text, encoding="utf-8")
    return written


@pytest.fixture
def opened(page: Page, file: Path) -> Page:
    page.goto(file.as_uri())
    return page


def number(page: Page, selector: str) -> float:
    return float(re.search(r"[-−+]?[\d.]+", page.inner_text(selector)).group().replace("−", "-"))


def pixels(page: Page, canvas: str) -> np.ndarray:
    """(28, 28, 4) red, green, blue, alpha; of a copy, since reading slows a canvas down."""
    read = page.locator(canvas).evaluate(
        """shown => {
            const copy = document.createElement("canvas").getContext("2d");
            copy.drawImage(shown, 0, 0);
            return Array.from(copy.getImageData(0, 0, 28, 28).data);
        }"""
    )
    return np.reshape(read, (28, 28, 4))


def tiles(page: Page) -> list[str]:
    return page.locator("#gallery li:visible").all_inner_texts()


def test_its_scores_are_scikit_learns(opened: Page, data, models) -> None:
    shown = opened.evaluate("window.explorer.images().slice(0, 200)")
    assert len(shown) == 200
    at = [int(np.flatnonzero(data["index_test"] == image["index"])[0]) for image in shown]
    assert [image["label"] for image in shown] == ABOUT.named(data["y_test"][at]).tolist()
    for C, model in zip(CS, models, strict=True):
        scores = opened.evaluate(
            "C => window.explorer.images().slice(0, 200).map("
            "image => window.explorer.score(C, image.pixels))",
            C,
        )
        expected = model.decision_function(data["X_test"][at])
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)


def test_the_slider_leads_along_the_path(opened: Page, models) -> None:
    slider = opened.locator("#C")
    expect(opened.locator("#C-value")).to_have_text("0.2")
    slider.focus()
    for key, k in (("Home", 0), ("ArrowRight", 1), ("End", 4), ("ArrowLeft", 3)):
        slider.press(key)
        assert number(opened, "#C-value") == CS[k]
        used = np.count_nonzero(models[k].coef_) + np.count_nonzero(models[k].intercept_)
        assert number(opened, "#nonzero") == used
        painted = pixels(opened, "#weights")
        grey = (painted == painted[0, 0]).all(axis=2)  # the corner's weight is exactly 0
        np.testing.assert_array_equal(grey.ravel(), models[k].coef_[0] == 0)


def test_a_weight_has_the_colour_that_it_has_in_the_pictures(opened: Page, models) -> None:
    w = models[CS.index(0.2)].coef_[0]
    expected = weight_colours()(weight_norm()(np.ma.masked_equal(w, 0)))[:, :3]
    shown = pixels(opened, "#weights")[..., :3].reshape(784, 3) / 255
    np.testing.assert_allclose(shown, expected, rtol=0, atol=3 / 255)  # matplotlib has 256 steps


def test_weight_times_ink_is_white_without_ink_and_grey_on_a_weight_of_0(
    opened: Page, data, models
) -> None:
    number_shown = int(number(opened, "#selected-title"))
    x = data["X_test"][np.flatnonzero(data["index_test"] == number_shown)[0]]
    w = models[CS.index(0.2)].coef_[0]
    shown = pixels(opened, "#selected-map")[..., :3].reshape(784, 3)
    np.testing.assert_array_equal(shown[x == 0], 255)
    grey = np.array([int(ZERO[i : i + 2], 16) for i in (1, 3, 5)])
    blank = (x > 0) & (w == 0)
    assert blank.sum() > 10
    np.testing.assert_array_equal(shown[blank], np.tile(grey, (blank.sum(), 1)))
    speaks = w * x
    red, blue = shown[speaks < -0.05], shown[speaks > 0.05]
    assert (red[:, 0] > red[:, 2]).all()
    assert (blue[:, 2] > blue[:, 0]).all()


def count(page: Page, choice: str) -> int:
    return int(re.sub(r"\D", "", page.inner_text(f"[data-count={choice}]")))


@pytest.mark.parametrize("k", [0, 3])
def test_the_filters_count_all_test_images_at_every_C(opened: Page, data, models, k: int) -> None:
    opened.fill("#C", str(k))
    f = models[k].decision_function(data["X_test"])
    right = np.where(f > 0, 8, 5) == data["y_test"]
    below = np.abs(f) <= np.abs(f).mean() / 10
    counts = {choice: count(opened, choice) for choice in ("all", "right", "wrong", "uncertain")}
    assert counts == {
        "all": len(f),
        "right": right.sum(),
        "wrong": (~right).sum(),
        "uncertain": below.sum(),
    }


def test_the_gallery_holds_what_its_filters_say(opened: Page) -> None:
    for choice in ("all", "right", "wrong", "uncertain"):
        opened.check(f"input[value={choice}]")
        expected = count(opened, choice)
        listed = tiles(opened)
        while opened.is_enabled("#page-after") and opened.is_visible("#page-after"):
            opened.click("#page-after")
            listed += tiles(opened)
        assert len(listed) == expected
        below = float(opened.inner_text("#uncertain-below"))
        for tile in listed:
            label, said = re.search(r"is (\d), reads (\d)", tile).groups()
            f = float(re.findall(r"[-−+]?\d+\.\d+", tile)[-1].replace("−", "-"))
            assert (said == "8") == (f > 0) or abs(f) < 0.001
            assert choice != "right" or label == said
            assert choice != "wrong" or label != said
            assert choice != "uncertain" or abs(f) <= below + 0.001


def test_one_draws_with_the_mouse(opened: Page) -> None:
    pad = opened.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    turn = np.linspace(0, 2 * np.pi, 30)
    for middle, radius in ((0.25, 0.12), (0.55, 0.16)):  # the two bowls of an 8, off centre
        for k, angle in enumerate(turn):
            x = box["x"] + box["width"] * (0.35 + radius * np.sin(angle))
            y = box["y"] + box["height"] * (middle - radius * np.cos(angle))
            opened.mouse.move(x, y)
            if k == 0:
                opened.mouse.down()
        opened.mouse.up()
    expect(opened.locator("#drawn-sum")).to_contain_text("reads an 8")
    ink = pixels(opened, "#drawn-image")[..., 3]
    rows, columns = np.nonzero(ink > 8)
    assert 18 <= np.ptp(rows) + 1 <= 21
    assert np.ptp(columns) + 1 <= 21
    centre = [np.average(np.arange(28), weights=ink.sum(axis=axis)) for axis in (1, 0)]
    np.testing.assert_allclose(centre, 13.5, atol=1)
    opened.click("#clear")
    expect(opened.locator("#drawn-sum")).to_contain_text("Nothing drawn yet")


def test_a_keyboard_is_enough(opened: Page) -> None:
    reached = set()
    for _ in range(12):
        opened.keyboard.press("Tab")
        reached.add(
            opened.evaluate("(e => e.id || e.name || e.role || '')(document.activeElement)")
        )
    assert {"C", "reset", "show", "pad", "clear"} <= reached
    opened.locator("#gallery li").first.focus()
    before = opened.inner_text("#selected-title")
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Enter")
    assert opened.inner_text("#selected-title") != before
    opened.locator("#pad").focus()
    opened.keyboard.press("Space")
    for _ in range(8):
        opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Space")
    expect(opened.locator("#drawn-sum")).to_contain_text("reads a")
    opened.keyboard.press("Delete")
    expect(opened.locator("#drawn-sum")).to_contain_text("Nothing drawn yet")


def test_it_fits_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_in_light_and_dark(chromium: Browser, file: Path, scheme: str) -> None:
    context = chromium.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(file.as_uri())
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 128")
    assert dark == (scheme == "dark")
    found = Axe().run(page).response["violations"]
    context.close()
    serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


def test_what_came_with_the_data_is_text_and_runs_nothing(
    chromium: Browser, data, models, tmp_path: Path
) -> None:
    run = "document.title='hacked'"
    names = (f"</script><script>{run}</script>", f"<!--<script><img src=x onerror={run}>")
    about = replace(
        ABOUT, credit=f"<svg onload={run}>", names=dict(zip(CLASSES, names, strict=True))
    )
    X, X_test = data["X_train"], data["X_test"]
    s, s_test = (signs(data[f"y_{part}"], np.array(CLASSES)) for part in ("train", "test"))
    points = solve_path(X, s, X_test, s_test, [0.05, 0.2])
    y = about.named(data["y_test"])
    text = explorer.page(points, X_test, y, data["index_test"], names, 0.2, about)
    spoiled = text.replace("</body>", f"<script>{run}</script><img src=x onerror={run}></body>")
    assert spoiled != text
    for html, complaints in ((text, False), (spoiled, True)):
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        page, said = chromium.new_page(), []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto((tmp_path / "page.html").as_uri())
        expect(page.locator("body")).to_contain_text(names[0])
        assert page.title() != "hacked"
        assert any("Content Security Policy" in line for line in said) == complaints
        page.close()
