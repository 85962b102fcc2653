"""The explorer in a real Chromium: its numbers are the model's, and everybody can use it."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, expect
from scipy.interpolate import CubicHermiteSpline
from sklearn.svm import LinearSVC

from analysis.path import EveryC, PathPoint, solve_path
from figures import explorer
from figures.style import ZERO, weight_colours, weight_norm
from l1svc import L1LinearSVC, to_linear_svc
from pipeline.datasets import DATASETS
from pipeline.labels import signs

CLASSES = (5, 8)
ABOUT = DATASETS["mnist"].about
CS = [0.001, 0.01, 0.05, 0.2, 2.0]
STABILITY = np.arange(784).reshape(28, 28) % 101 / 100


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
def points(data, models) -> list[PathPoint]:
    X, X_test = data["X_train"], data["X_test"]
    s, s_test = (signs(data[f"y_{part}"], np.array(CLASSES)) for part in ("train", "test"))
    return [
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


@pytest.fixture(scope="module")
def file(data, points, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("explorer") / "explorer.html"
    y = ABOUT.named(data["y_test"])
    text = explorer.page(
        *(points, data["X_test"], y, data["index_test"], ("5", "8"), 0.2, ABOUT),
        stability=STABILITY,
    )
    assert len(text.encode()) < 2_000_000
    written.write_text(text, encoding="utf-8")
    return written


@pytest.fixture
def opened(page: Page, file: Path) -> Page:
    page.goto(file.as_uri())
    return page


def number(page: Page, selector: str) -> float:
    found = re.search(r"[-−+]?[\d.,]+", page.inner_text(selector)).group()
    return float(found.replace("−", "-").replace(",", ""))


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
    return page.locator("#gallery li:visible").all_text_contents()


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
    expect(opened.locator("#C-value")).to_have_value("0.2")
    slider.focus()
    for key, k in (("Home", 0), ("ArrowRight", 1), ("End", 4), ("ArrowLeft", 3)):
        slider.press(key)
        assert float(opened.input_value("#C-value")) == CS[k]
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


def all_tiles(page: Page) -> list[str]:
    """Of all pages of the gallery, which stands at its first."""
    pages = 1
    if page.is_visible("#pages"):
        last, of = re.search(r"to (\d+) of ([\d,]+)", page.inner_text("#page")).groups()
        pages = -(-int(of.replace(",", "")) // int(last))
    listed = []
    for _ in range(pages):
        listed += tiles(page)
        if pages > 1:
            page.click("#page-after")
    return listed


def set_C(page: Page, k: int) -> None:
    """The slider to its k-th stop."""
    page.locator("#C").fill(str(k))


def shown(page: Page) -> dict:
    """What the page says of its state, each part read where it is shown."""
    return {
        "C": page.input_value("#C-value"),
        "slider": CS[int(page.input_value("#C"))],
        "filter": page.locator("input[name=show]:checked").get_attribute("value"),
        "tiles": count(page, page.locator("input[name=show]:checked").get_attribute("value")),
        "image": int(number(page, "#selected-title")),
        "pinned": page.inner_text("#pinned-C") if page.is_visible("#compare") else None,
    }


def count(page: Page, choice: str) -> int:
    return int(re.sub(r"\D", "", page.inner_text(f"[data-count={choice}]")))


@pytest.mark.parametrize("k", [0, 3])
def test_the_filters_count_all_test_images_at_every_C(opened: Page, data, models, k: int) -> None:
    set_C(opened, k)
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
        listed = all_tiles(opened)
        assert len(listed) == expected
        below = float(opened.inner_text("#uncertain-below"))
        for tile in listed:
            label, said = re.search(r"is (\d), reads (\d)", tile).groups()
            f = float(re.findall(r"[-−+]?\d+\.\d+", tile)[-1].replace("−", "-"))
            assert (said == "8") == (f > 0) or abs(f) < 0.001
            assert choice != "right" or label == said
            assert choice != "wrong" or label != said
            assert choice != "uncertain" or abs(f) <= below + 0.001


def test_the_address_holds_the_state_and_back_leads_back(opened: Page) -> None:
    states = [shown(opened)]
    set_C(opened, 4)
    expect(opened).to_have_url(re.compile(r"#C=2$"))
    states.append(shown(opened))
    opened.check("input[value=wrong]")
    expect(opened).to_have_url(re.compile(r"#C=2&show=wrong&image=\d+$"))
    states.append(shown(opened))
    assert "wrong" in opened.inner_text("#selected-sum")  # a right one is chosen no more
    opened.locator("#gallery li").nth(3).click()
    expect(opened).not_to_have_url(re.compile(f"image={states[-1]['image']}$"))
    opened.click("#pin")
    set_C(opened, 1)
    expect(opened).to_have_url(re.compile(r"#C=0.01&show=wrong&image=\d+&pinned=2$"))
    states.append(shown(opened))
    address = opened.url
    assert len({str(state) for state in states}) == 4
    opened.go_back()  # the image
    for state in states[2::-1]:
        opened.go_back()
        expect(opened.locator("#C-value")).to_have_value(state["C"])
        assert shown(opened) == state
    for _ in range(4):
        opened.go_forward()
    expect(opened).to_have_url(address)
    assert shown(opened) == states[-1]
    opened.reload()
    assert shown(opened) == states[-1]
    opened.goto("about:blank")
    opened.go_back()
    assert shown(opened) == states[-1]


def test_an_address_that_says_nonsense_opens_the_trained_model(opened: Page) -> None:
    usual = shown(opened)
    opened.evaluate("location.hash = '#C=x&show=x&image=-1&page=0&pinned=0&pixel=99,1'")
    assert shown(opened) == usual
    opened.evaluate("location.hash = '#C=7&show=turned&page=999'")  # above the path; nothing pinned
    assert shown(opened) == usual | {"C": "2", "slider": 2.0}


def test_C_can_be_typed(opened: Page) -> None:
    for typed, C in (
        ("0,05", "0.05"),
        ("7", "2"),
        ("nonsense", "2"),
        ("-1", "2"),
        ("0.012", "0.01"),
    ):
        opened.fill("#C-value", typed)
        opened.press("#C-value", "Enter")
        assert opened.input_value("#C-value") == C
        assert shown(opened)["slider"] == float(C)
    expect(opened.locator("#live")).to_have_text(
        re.compile("^The page has 5 values of C from 0.001")
    )


def test_while_C_moves_what_is_in_sight_follows_and_the_rest_does_when_it_stops(
    opened: Page, data, models
) -> None:
    """Else a phone could not draw as fast as a finger moves."""
    x = data["X_test"][data["index_test"] == int(number(opened, "#selected-title"))]
    expected = [float(model.decision_function(x)[0]) for model in models]

    def drag(k: int, *events: str) -> float:
        opened.locator("#C").evaluate(
            "(slider, [k, events]) => { slider.value = k; for (const name of events) "
            "slider.dispatchEvent(new Event(name, { bubbles: true })); }",
            [k, events],
        )
        return number(opened, "#selected-sum .verdict")

    assert drag(1, "input") == pytest.approx(expected[3], abs=0.0006)
    assert float(opened.input_value("#C-value")) == CS[1]
    assert drag(1, "change") == pytest.approx(expected[1], abs=0.0006)
    opened.locator("#selected-sum").scroll_into_view_if_needed()
    assert drag(4, "input") == pytest.approx(expected[4], abs=0.0006)


def test_it_plays_along_C(opened: Page) -> None:
    opened.clock.install()
    opened.reload()
    opened.click("#play")
    opened.clock.run_for(11_000)
    assert shown(opened)["C"] == "2"
    expect(opened.locator("#play")).to_have_text("Play")
    opened.click("#play")  # from the end: all of it
    opened.clock.run_for(3_000)
    assert shown(opened)["C"] == "0.01"
    opened.click("#play")
    opened.clock.run_for(9_000)
    assert shown(opened)["C"] == "0.01"
    opened.click("#play")
    set_C(opened, 3)
    opened.clock.run_for(9_000)
    assert shown(opened)["C"] == "0.2"  # who moves the slider has it


def test_two_C_stand_side_by_side(opened: Page, data, models) -> None:
    assert not opened.is_visible("#compare")
    set_C(opened, 1)
    opened.click("#pin")
    set_C(opened, 4)
    before, after = models[1], models[4]
    for canvas, w in (
        ("#pinned-map", before.coef_[0]),
        ("#chosen-map", after.coef_[0]),
        ("#difference-map", after.coef_[0] - before.coef_[0]),
    ):
        expected = weight_colours()(weight_norm()(np.ma.masked_equal(w, 0)))[:, :3]
        painted = pixels(opened, canvas)[..., :3].reshape(784, 3) / 255
        np.testing.assert_allclose(painted, expected, rtol=0, atol=3 / 255)
    both = np.count_nonzero(before.coef_[0] * after.coef_[0])
    assert opened.inner_text("#shared").startswith(f"{both} pixels with a weight at both C")
    f, g = (model.decision_function(data["X_test"]) for model in (before, after))
    turned = (f > 0) != (g > 0)
    better = turned & (np.where(g > 0, 8, 5) == data["y_test"])
    said = [int(n) for n in re.findall(r"\d+", opened.inner_text("#turned").replace(",", ""))]
    assert said == [len(f), turned.sum(), better.sum(), turned.sum() - better.sum()]
    opened.click("#show-turned")
    assert count(opened, "turned") == len(all_tiles(opened)) == turned.sum()
    assert int(number(opened, "#selected-title")) == data["index_test"][turned][0]
    opened.click("#pin")
    assert not opened.is_visible("#compare")
    assert shown(opened)["filter"] == "all"


def test_five_cases_to_try(opened: Page, data, models) -> None:
    assert opened.locator("#try li").count() == 5
    for text in opened.locator("#try li").all_inner_texts():
        assert re.fullmatch(r"[^.]+\. .+[.?]", text)
    links = opened.locator("#try a")
    links.nth(0).click()
    assert shown(opened)["C"] == "0.001"
    used = np.count_nonzero(models[0].coef_)
    assert links.nth(0).inner_text() == ("One pixel" if used == 1 else f"{used} pixels")
    links.nth(2).click()
    expect(opened.locator("#compare")).to_be_in_viewport()
    assert (shown(opened)["C"], shown(opened)["pinned"]) == ("2", "C = 0.2")
    links.nth(3).click()
    f, y = models[3].decision_function(data["X_test"]), data["y_test"]
    worst = np.argmax(np.abs(f) * (np.where(f > 0, 8, 5) != y))
    assert shown(opened)["image"] == data["index_test"][worst]
    expect(opened.locator("#images")).to_be_in_viewport()
    links.nth(4).click()
    expect(opened.locator("#pad")).to_be_in_viewport()
    links.nth(1).click()
    assert (shown(opened)["C"], shown(opened)["pinned"]) == ("0.2", None)
    opened.go_back()
    assert shown(opened)["image"] == data["index_test"][worst]


def test_the_picture_can_be_saved(opened: Page, models, tmp_path: Path) -> None:
    set_C(opened, 2)
    with opened.expect_download() as waiting:
        opened.click("#save")
    assert waiting.value.suggested_filename == "weights-C-0.05.png"
    waiting.value.save_as(tmp_path / "saved.png")
    saved = imread(tmp_path / "saved.png")[..., :3]
    w = models[2].coef_[0].reshape(28, 28)
    expected = weight_colours()(weight_norm()(np.ma.masked_equal(w, 0)))[..., :3]
    middles = saved[64 + 10 : 64 + 560 : 20, 24 + 10 : 24 + 560 : 20]
    np.testing.assert_allclose(middles, expected, rtol=0, atol=3 / 255)


def test_the_words_are_explained(opened: Page) -> None:
    words = opened.locator(".words dt").all_inner_texts()
    assert {"C", "Bias", "Margin", "Objective", "Gap"} <= set(words)
    assert "A score of exactly 0 counts as a 5" in opened.inner_text("main").replace("\n", " ")


@pytest.fixture(scope="module")
def points_between(data, file) -> tuple[list[float], EveryC]:
    """Made up: pixels that come and go between the points, and steps of counts and accuracies."""
    entries: list[tuple[float, ...]] = [(0.0005,)] * 784
    entries[14 * 28 + 14] = (0.0005, 0.1, 0.15)
    steps = np.array([0.0005, 0.1, 0.12, 1.0])
    return [0.08, 0.1, 0.11, 0.13, 0.5, 1.5], EveryC(
        entries,
        (steps, np.array([3, 77, 99, 222])),
        (steps, np.array([0.5, 0.75, 0.875, 0.9375])),
        (steps, np.array([0.625, 0.6875, 0.8125, 0.9])),
    )


def test_between_two_points_everything_is_as_it_is_said_to_be(
    page: Page, points, data, models, points_between, tmp_path: Path
) -> None:
    between, every = points_between
    text = explorer.page(
        points,
        data["X_test"],
        ABOUT.named(data["y_test"]),
        data["index_test"],
        ("5", "8"),
        0.2,
        ABOUT,
        every,
    )
    (tmp_path / "every.html").write_text(text, encoding="utf-8")
    page.goto((tmp_path / "every.html").as_uri())
    expect(page.locator("#how-between")).to_contain_text("a straight line in 1/C")
    X, s = data["X_train"], signs(data["y_train"], np.array(CLASSES))
    for C in between:
        page.fill("#C-value", str(C))
        page.press("#C-value", "Enter")
        above = np.searchsorted(CS, C)
        low, high = points[above - 1], points[above]
        part = (1 / C - 1 / low.C) / (1 / high.C - 1 / low.C)
        w = low.coef + part * (high.coef - low.coef)
        if low.C < 0.1:  # it leaves at 0.1: from what it was on a line to the 0 there
            rest = (1 / C - 1 / 0.1) / (1 / low.C - 1 / 0.1)
            w[14 * 28 + 14] = low.coef[14 * 28 + 14] * rest if C < 0.1 else 0.0
        b = low.intercept + part * (high.intercept - low.intercept)
        scores = page.evaluate(
            "C => window.explorer.images().slice(0, 20)"
            ".map(image => window.explorer.score(C, image.pixels))",
            C,
        )
        np.testing.assert_allclose(scores, data["X_test"][:20] @ w + b, rtol=0, atol=1e-9)
        painted = pixels(page, "#weights")
        grey = (painted == painted[0, 0]).all(axis=2)
        np.testing.assert_array_equal(grey.ravel(), w == 0)
        k = np.searchsorted(every.nonzero[0], C, side="right") - 1
        assert number(page, "#nonzero") == every.nonzero[1][k]
        for name, step in (("train", every.train), ("test", every.test)):
            assert number(page, f"#{name}") == pytest.approx(100 * step[1][k], abs=0.006)
        slopes = [
            (p.objective - np.abs(p.coef).sum() - np.abs(p.intercept)) / p.C for p in (low, high)
        ]
        cubic = CubicHermiteSpline([low.C, high.C], [low.objective, high.objective], slopes)
        assert number(page, "#objective") == pytest.approx(float(cubic(C)), abs=0.006)
        best = L1LinearSVC(C).fit(X, s)
        optimum = (
            np.abs(best.coef_).sum()
            + np.abs(best.intercept_).sum()
            + C * np.sum(np.maximum(0, 1 - s * best.decision_function(X)) ** 2)
        )
        assert number(page, "#objective") == pytest.approx(optimum, rel=0.05)  # far points
    page.evaluate("location.hash = '#C=0.13&pixel=15,15'")  # which comes and goes
    expect(page.locator("#story-facts")).to_contain_text("0.0005 to 0.1, from 0.15")
    expect(page.locator("#story-title")).to_contain_text("the model does not look here")
    curve = np.array(
        [xy.split(",") for xy in page.get_attribute("#chart-pixel .weight", "points").split()],
        dtype=float,
    )
    to_x = np.polyfit(np.log10([CS[0], CS[-1]]), curve[[0, -1], 0], 1)
    gone = (curve[:, 0] > np.polyval(to_x, -1) + 0.3) & (
        curve[:, 0] < np.polyval(to_x, np.log10(0.15)) - 0.3
    )
    at_zero = float(page.locator("#chart-pixel circle.now").get_attribute("cy"))
    assert gone.sum() > 10
    np.testing.assert_allclose(curve[gone, 1], at_zero, atol=0.006)
    assert np.abs(curve[~gone, 1] - at_zero).max() > 10
    for C, model in zip(CS, models, strict=True):  # at the points nothing is in between
        page.fill("#C-value", str(C))
        page.press("#C-value", "Enter")
        used = np.count_nonzero(model.coef_) + np.count_nonzero(model.intercept_)
        assert number(page, "#nonzero") == used
    page.focus("#C")
    page.press("#C", "ArrowLeft")
    assert 1.98 < float(page.input_value("#C-value")) < 2  # 2,000 steps over the logarithm


def test_one_draws_with_the_mouse(opened: Page) -> None:
    draw(opened, circle(0.35, 0.25, 0.12), circle(0.35, 0.55, 0.16))  # an 8, off centre
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
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(
            opened.evaluate("(e => e.id || e.name || e.role || '')(document.activeElement)")
        )
    assert {"C", "reset", "weights", "show", "pad", "eraser", "undo", "clear"} <= reached
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


def test_it_fits_every_width(opened: Page) -> None:
    opened.evaluate("location.hash = '#C=2&pinned=0.05'")
    draw(opened, [(0.2, 0.2), (0.8, 0.8)])
    for width in (*range(320, 1000, 20), 1300, 1920):
        opened.set_viewport_size({"width": width, "height": 740})
        assert opened.evaluate("document.documentElement.scrollWidth") == width
        cut = opened.locator("#gallery li:visible").evaluate_all(
            "all => all.filter(tile => tile.scrollWidth > tile.clientWidth).length"
        )
        assert cut == 0, width


def test_a_low_screen_is_left_to_what_one_looks_at(opened: Page) -> None:
    opened.set_viewport_size({"width": 844, "height": 390})
    assert opened.locator("#gallery").bounding_box()["height"] <= 390
    opened.set_viewport_size({"width": 320, "height": 180})  # 1280 × 720 at 400 %
    opened.locator("#images").scroll_into_view_if_needed()
    opened.mouse.wheel(0, 1000)
    expect(opened.locator("#bar")).not_to_be_in_viewport()
    opened.set_viewport_size({"width": 1300, "height": 900})
    expect(opened.locator("#bar")).to_be_in_viewport()


def test_a_tap_on_a_phone_shows_what_was_chosen(chromium: Browser, file: Path) -> None:
    size = {"width": 360, "height": 740}
    context = chromium.new_context(offline=True, viewport=size, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    tile = page.locator("#gallery li").nth(4)
    expect(page.locator("#selected-image")).not_to_be_in_viewport()
    tile.tap()
    expect(page.locator("#selected-title")).to_be_in_viewport()
    expect(page.locator("#selected-image")).to_be_in_viewport()
    first = page.inner_text("#selected-title")
    page.tap("#image-after")
    assert page.inner_text("#selected-title") != first
    page.tap("#image-before")
    assert page.inner_text("#selected-title") == first
    page.tap("#to-gallery")
    expect(tile).to_be_in_viewport()
    context.close()


LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"color_scheme": "dark", "forced_colors": "active"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_accessible(chromium: Browser, file: Path, look: str) -> None:
    context = chromium.new_context(offline=True, **LOOKS[look])
    page = context.new_page()
    page.goto(f"{file.as_uri()}#C=2&pinned=0.05&show=turned")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 128")
    assert dark == (look != "light")
    draw(page, [(0.5, 0.5)])  # a dot, with all that the page says of it
    expect(page.locator("#unlike")).to_be_visible()
    found = Axe().run(page).response["violations"]
    context.close()
    assert [(v["id"], v["impact"]) for v in found] == []


def tones(page: Page, selector: str) -> np.ndarray:
    """(n, 3) the colours on the screen."""
    picture = imread(io.BytesIO(page.locator(selector).first.screenshot()))
    return picture[..., :3].reshape(-1, 3)


def test_in_forced_colours_digits_scale_and_choice_are_seen(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(offline=True, **LOOKS["forced colours"])
    page = context.new_page()
    page.goto(file.as_uri())
    for digit in ("#selected-image", "#gallery canvas"):
        assert tones(page, digit).max() > 0.9
        assert (tones(page, digit).max(axis=1) < 0.3).mean() > 0.03
    for coloured in (".scale", "#weights"):
        found = tones(page, coloured)
        assert np.any(found[:, 0] > found[:, 2] + 0.3)
        assert np.any(found[:, 2] > found[:, 0] + 0.3)
    grey = tones(page, ".legend .swatch")
    assert (
        np.abs(grey - [int(ZERO[i : i + 2], 16) / 255 for i in (1, 3, 5)]).max(axis=1).min() < 0.02
    )
    outlines = page.locator("#gallery li").evaluate_all(
        "all => all.slice(0, 2).map(tile => getComputedStyle(tile).outlineStyle)"
    )
    assert outlines == ["solid", "none"]
    context.close()


def test_without_JavaScript_the_trained_model_is_there(chromium: Browser, file, models) -> None:
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.inner_text("h1") == "5 or 8? A model that one can see"
    text = page.inner_text("body")
    assert "below 0 it reads a 5, above 0 an 8" in text.replace("\n", " ")
    assert "with C = 0.2;" in text.replace("\n", " ")
    w, b = models[3].coef_[0], models[3].intercept_[0]
    used = np.count_nonzero(w) + np.count_nonzero(b)
    assert page.inner_text("#nonzero") == f"{used} of 785"
    assert number(page, "#bias") == pytest.approx(b, abs=0.0006)
    assert page.locator("svg.picture rect").count() == np.count_nonzero(w)
    painted = tones(page, "svg.picture")
    assert np.any(painted[:, 0] > painted[:, 2] + 0.3)
    assert np.any(painted[:, 2] > painted[:, 0] + 0.3)
    for missing in ("#bar", "#images", "#draw", "#try-this", "#save", ".charts"):
        expect(page.locator(missing)).to_be_hidden()
    context.close()


def test_printed_it_is_ink_on_paper(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{file.as_uri()}#C=2&pinned=0.05")
    page.emulate_media(media="print", color_scheme="dark")
    paper = tones(page, "h1")
    assert paper.max() > 0.99
    assert np.median(paper) > 0.9
    assert (tones(page, "#selected-image").min(axis=1) > 0.9).mean() > 0.5
    kept = page.locator(".scale, #weights, .swatch").evaluate_all(
        "all => all.map(shown => getComputedStyle(shown).printColorAdjust)"
    )
    assert set(kept) == {"exact"}
    for button in page.locator("button:not(.bars *)").all():
        expect(button).to_be_hidden()
    heads = page.locator("h2, h3").evaluate_all(
        "all => all.map(head => getComputedStyle(head).breakAfter)"
    )
    assert set(heads) == {"avoid"}
    page.set_viewport_size({"width": 700, "height": 900})  # about a sheet
    of_map, of_numbers, of_story = (
        page.locator(part).bounding_box()
        for part in ("#weights", "#weights-part dl >> nth=-1", "#story")
    )
    assert of_numbers["x"] > of_map["x"] + of_map["width"]
    assert of_story["y"] > of_map["y"] + of_map["height"]
    context.close()


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


# A pixel's story, what would change the answer, where the score lies


def place(pixel: int) -> str:
    return f"row {pixel // 28 + 1}, column {pixel % 28 + 1}"


def point_at(page: Page, pixel: int) -> tuple[float, float]:
    """The middle of a pixel of the map of weights, on the screen."""
    page.locator("#weights").scroll_into_view_if_needed()
    box = page.locator("#weights").bounding_box()
    row, column = divmod(pixel, 28)
    return (
        box["x"] + box["width"] * (column + 0.5) / 28,
        box["y"] + box["height"] * (row + 0.5) / 28,
    )


def facts(page: Page) -> dict[str, float]:
    terms, values = (page.locator(f"#story-facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return {
        term: float(re.search(r"[-−+]?[\d.]+", value).group().replace("−", "-"))
        for term, value in zip(terms, values, strict=True)
    }


def chosen(page: Page, data: dict[str, np.ndarray]) -> np.ndarray:
    """(784,) the pixels of the chosen image."""
    return data["X_test"][np.flatnonzero(data["index_test"] == number(page, "#selected-title"))[0]]


def test_a_pixel_tells_its_story(opened: Page, data, models) -> None:
    x, w = chosen(opened, data), models[CS.index(0.2)].coef_[0]
    pixel = int(np.argmax(np.abs(w * x)))
    title = opened.locator("#story-title")
    expect(title).to_contain_text(place(int(np.argmax(np.abs(w)))).capitalize())
    opened.mouse.move(*point_at(opened, pixel))
    expect(title).to_have_text(
        f"{place(pixel).capitalize()}: ink here speaks for {'an 8' if w[pixel] > 0 else 'a 5'}"
    )
    path = [model.coef_[0, pixel] for model in models]
    expected = {
        "Weight at C = 0.2": w[pixel],
        "Not 0 at C": CS[np.flatnonzero(path)[0]],
        "Chosen by bootstrap samples at C = 0.2": 100 * STABILITY.flat[pixel],
        f"Ink in test image {number(opened, '#selected-title'):.0f}, a 5": x[pixel],
        "Adds to its score": w[pixel] * x[pixel],
    }
    assert facts(opened) == pytest.approx(expected, abs=0.001)
    points = opened.get_attribute("#chart-pixel .weight", "points").split()
    heights = [float(xy.split(",")[1]) for xy in points]
    slope, _ = np.polyfit(path, heights, 1)
    assert slope < 0  # upwards on the screen
    assert np.corrcoef(path, heights)[0, 1] == pytest.approx(-1)
    opened.mouse.move(0, 0)
    expect(title).to_contain_text(place(int(np.argmax(np.abs(w)))).capitalize())


def test_a_pixel_is_chosen_by_click_and_arrow_keys_and_kept_in_the_address(opened: Page) -> None:
    title, at = opened.locator("#story-title"), 13 * 28 + 10
    of_image = opened.locator(".selected .spot")
    assert [spot.is_visible() for spot in of_image.all()] == [False, False]
    opened.mouse.click(*point_at(opened, at))
    opened.mouse.move(0, 0)
    expect(title).to_contain_text("Row 14, column 11: ")
    for key, words in (
        ("ArrowDown", "Row 15, column 11: "),
        ("ArrowRight", "Row 15, column 12: "),
        ("ArrowUp", "Row 14, column 12: "),
        ("ArrowLeft", "Row 14, column 11: "),
    ):
        opened.press("#weights", key)
        expect(title).to_contain_text(words)
    expect(opened.locator("#live")).to_contain_text("Row 14, column 11: ")
    box, mark = (opened.locator(f".map {inner}").bounding_box() for inner in ("canvas", ".spot"))
    assert mark["x"] - box["x"] == pytest.approx(box["width"] * 10 / 28, abs=1)
    assert mark["y"] - box["y"] == pytest.approx(box["height"] * 13 / 28, abs=1)
    assert [spot.is_visible() for spot in of_image.all()] == [True, True]
    opened.wait_for_url("**#*pixel=14,11*")
    opened.reload()
    expect(title).to_contain_text("Row 14, column 11: ")
    opened.press("#weights", "Escape")
    expect(title).not_to_contain_text("Row 14, column 11: ")


def test_a_tap_tells_a_pixels_story_on_a_phone(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(
        offline=True, has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.touchscreen.tap(*point_at(page, 15 * 28 + 14))
    expect(page.locator("#story-title")).to_contain_text("Row 16, column 15: ")
    context.close()


def test_the_bars_are_the_pixels_that_add_most(opened: Page, data, models) -> None:
    added = models[CS.index(0.2)].coef_[0] * chosen(opened, data)
    most = np.argsort(-np.abs(added), kind="stable")[:8]
    bars = opened.locator("#bars button")
    expect(bars).to_have_count(8)
    for k, pixel in enumerate(most):
        where, value = bars.nth(k).inner_text().split("\n")
        assert where == place(pixel)
        assert float(value.replace("−", "-")) == pytest.approx(added[pixel], abs=0.0005)
        bar, row = (bars.nth(k).locator(part).bounding_box() for part in (".bar-of i", ".bar-of"))
        length = row["width"] / 2 * abs(added[pixel] / added[most[0]])
        assert bar["width"] == pytest.approx(length, abs=1)
        middle = row["x"] + row["width"] / 2
        assert bar["x"] == pytest.approx(middle - (length if added[pixel] < 0 else 0), abs=1)
    bars.nth(2).click()
    expect(bars.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("#story-title")).to_contain_text(place(most[2]).capitalize())


def fewest(model: LinearSVC, x: np.ndarray) -> list[tuple[int, int, float]] | None:
    """Pixel, new ink and score then of the fewest changes of x, in [0, 1], that turn the answer.

    A change of pixel j moves the score towards the other side by |w_j| times its ink, or times what
    is missing to full: no k pixels move it further than the k with the largest moves.
    """
    w, up = model.coef_[0], model.predict(x[None])[0] < 0
    to = ((w > 0) == up).astype(int)
    order = np.argsort(-np.abs(w * (to - x)), kind="stable")
    steps, changed = [], x.copy()
    for pixel in order[: np.count_nonzero(w * (to - x))]:
        changed[pixel] = to[pixel]
        (f,) = model.decision_function(changed[None])
        steps.append((int(pixel), int(to[pixel]), f))
        if (f > 0) == up:
            return steps
    return None


@pytest.mark.parametrize("C", [0.001, 0.2, 2.0])
def test_what_would_change_the_answer_is_what_python_finds(
    opened: Page, data, models, C: float
) -> None:
    model = models[CS.index(C)]
    found = opened.evaluate(
        "C => window.explorer.images().filter((_, i) => i % 9 === 0)"
        ".map(({ pixels }) => window.explorer.turning(C, pixels))",
        C,
    )
    assert len(found) > 200
    lengths = []
    for x, by_page in zip(data["X_test"][::9], found, strict=True):
        expected = fewest(model, x)
        assert by_page["turned"] == (expected is not None)
        if expected is None:
            continue
        steps = [(step["pixel"], step["to"] / 255, step["score"]) for step in by_page["steps"]]
        np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-9)
        lengths.append(len(steps))
    assert C != 0.2 or np.median(lengths) <= 3


def test_the_steps_to_another_answer_are_shown_one_after_the_other(
    opened: Page, data, models
) -> None:
    x, model = chosen(opened, data), models[CS.index(0.2)]
    steps = fewest(model, x)
    shown = opened.locator("#selected-turn li")
    expect(shown).to_have_count(len(steps) + 1)
    changed = x.copy()
    for k, (pixel, to, f) in enumerate(steps, 1):
        assert f"{k}. {place(pixel)}" in shown.nth(k).inner_text()
        assert f"score {f:+.3f}".replace("-", "−") in shown.nth(k).inner_text()
        changed[pixel] = to
        ink = pixels(opened, f"#selected-turn li:nth-child({k + 1}) canvas")[..., 3]
        np.testing.assert_array_equal(ink.ravel(), np.rint(changed * 255))
    expect(shown.last).to_contain_text(f"reads {'an 8' if f > 0 else 'a 5'}")
    words = "1 pixel, made" if len(steps) == 1 else f"{len(steps)} pixels are enough"
    expect(opened.locator("#selected-turn .turn-words")).to_contain_text(words)


@pytest.mark.parametrize("C", [0.001, 0.2])
def test_the_histogram_counts_the_test_images_of_each_class(
    opened: Page, data, models, C: float
) -> None:
    opened.fill("#C", str(CS.index(C)))
    f, y = models[CS.index(C)].decision_function(data["X_test"]), data["y_test"]
    (total,) = models[CS.index(C)].decision_function(chosen(opened, data)[None])
    figure, most = opened.locator("#selected-sum .histogram"), []
    size = np.abs(f).max() / 16  # of a bar
    left, right = int(np.floor(-f.min() / size)) + 1, int(np.ceil(f.max() / size))
    width = 280 / (left + right)
    for name, label in (("negative", 5), ("positive", 8)):
        # from above an edge up to the next
        edges = size * np.arange(-right, left + 1)
        counts = np.histogram(-f[y == label], edges)[0][::-1]
        drawn = figure.locator(f"path.{name}").get_attribute("d")
        bars = [(float(x), abs(float(v))) for x, v in re.findall(r"M(\S+) 64v(\S+)h", drawn)]
        assert [round((x - 4.5) / width) for x, _ in bars] == np.flatnonzero(counts).tolist()
        most.append((counts[counts > 0], np.array([height for _, height in bars])))
    counts, heights = (np.concatenate(both) for both in zip(*most, strict=True))
    np.testing.assert_allclose(heights, np.maximum(counts / counts.max() * 48, 1), atol=0.006)
    mark = float(figure.locator(".now").get_attribute("x1"))
    assert mark == pytest.approx(4 + width * (left + total / size), abs=0.006)
    expect(opened.locator("#selected-sum figcaption")).to_contain_text(
        f"{(f[y == 5] < total).sum()} of the {(y == 5).sum()} that are a 5 and "
        f"{(f[y == 8] < total).sum()} of the {(y == 8).sum()} that are an 8 score lower."
    )


# Drawings

FIVE = [(0.8, 0.1), (0.3, 0.1), (0.25, 0.45), (0.55, 0.4), (0.75, 0.6), (0.6, 0.85), (0.2, 0.8)]


def draw(page: Page, *strokes: list[tuple[float, float]]) -> None:
    """With the mouse on the pad, (0, 0) to (1, 1)."""
    pad, box = page.locator("#pad"), None
    while box is None or box != pad.bounding_box():  # what comes into sight is laid out only then
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    for points in strokes:
        for k, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
            if k == 0:
                page.mouse.down()
        page.mouse.up()


def circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turn = np.linspace(0, 2 * np.pi, 30)
    return [(x + radius * np.sin(t), y - radius * np.cos(t)) for t in turn]


def drawn_ink(page: Page) -> np.ndarray:
    return pixels(page, "#drawn-image")[..., 3] / 255


def test_a_small_5_and_a_big_5_look_alike(opened: Page) -> None:
    found = []
    for size in (1, 0.3):
        opened.click("#clear")
        draw(opened, [(size * x, size * y) for x, y in FIVE])
        expect(opened.locator("#drawn-sum")).to_contain_text("reads a 5")
        expect(opened.locator("#unlike")).to_be_hidden()
        found.append(drawn_ink(opened))
    assert np.abs(found[0] - found[1]).mean() < 0.02
    assert found[0].sum() == pytest.approx(found[1].sum(), rel=0.05)


@pytest.mark.parametrize(
    ("strokes", "words"),
    [
        (
            [[(0.5, 0.5)]],
            r"Its ink adds up to \d+ full pixels; 98 in 100 of these images have 5\d to",
        ),
        ([[(0.2, 0.5), (0.8, 0.5)]], r"agrees to 0\.\d\d .* 99 in 100 .* to 0\.\d\d or more"),
        (
            [[(0.5, 0.1), (0.5, 0.9)]],
            r"There is ink on \d+ pixels; 98 in 100 of these images have it",
        ),
    ],
    ids=["dot", "line", "upright line"],
)
def test_a_drawing_unlike_the_images_is_told_so(opened: Page, strokes, words: str) -> None:
    draw(opened, *strokes)
    expect(opened.locator("#drawn-sum")).to_contain_text("reads a")
    expect(opened.locator("#unlike")).to_contain_text("This drawing is unlike these images")
    assert re.search(words, opened.inner_text("#unlike-list"))
    expect(opened.locator("#live")).to_contain_text("unlike these images")
    expect(opened.locator("#draw-help")).to_contain_text("two answers and no third")


def test_the_image_most_like_the_drawing_is_found(opened: Page, data) -> None:
    draw(opened, circle(0.5, 0.3, 0.13), circle(0.5, 0.65, 0.2))
    x = np.rint(255 * drawn_ink(opened).ravel())
    X = np.rint(255 * data["X_test"])
    likeness = X @ x / np.linalg.norm(X, axis=1) / np.linalg.norm(x)
    index = data["index_test"][np.argmax(likeness)]
    expect(opened.locator("#most-like-name")).to_contain_text(f"test image {index}, an 8")
    expect(opened.locator("#unlike")).to_be_hidden()
    other = "a 5" if "reads an 8" in opened.inner_text("#drawn-sum") else "an 8"
    expect(opened.locator("#drawn-turn li").last).to_contain_text(f"reads {other}")
    opened.click("#clear")
    expect(opened.locator("#drawn-most-like")).to_be_hidden()
    expect(opened.locator("#drawn-turn-box")).to_be_hidden()


def test_a_drawing_can_be_off_the_scale(opened: Page, data, models) -> None:
    draw(opened, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.1)])
    x, beyond = drawn_ink(opened).ravel(), []
    for k, model in enumerate(models):
        f, (total,) = model.decision_function(data["X_test"]), model.decision_function(x[None])
        beyond.append(total < f.min())
        opened.fill("#C", str(k))
        words = "Off the scale: lower than any of the test images"
        assert (words in opened.inner_text("#drawn-sum")) == beyond[-1]
    assert set(beyond) == {True, False}


def test_what_was_drawn_can_be_undone_and_rubbed_out(opened: Page) -> None:
    def ink() -> float:
        return opened.locator("#pad").evaluate(
            """pad => pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data
                .reduce((sum, value, i) => sum + (i % 4 === 3 && value > 0), 0)"""
        )

    across, down = [(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)]
    draw(opened, across)
    one = ink()
    draw(opened, down)
    both = ink()
    assert both > 1.5 * one
    opened.click("#undo")
    assert ink() == one
    opened.click("#eraser")
    draw(opened, down)  # cuts the stroke in two
    assert 0.75 * one < ink() < 0.95 * one
    opened.click("#undo")
    assert ink() == one
    draw(opened, [(0.5, 0.9), (0.6, 0.9)])  # where nothing is: nothing to undo
    draw(opened, across)
    assert ink() == 0
    expect(opened.locator("#drawn-sum")).to_contain_text("Nothing drawn yet")
    opened.press("#pad", "Control+z")
    assert ink() == one
    opened.click("#clear")
    assert ink() == 0
    opened.press("#pad", "Control+z")
    assert ink() == one
    opened.click("#undo")
    opened.click("#undo")
    assert ink() == 0
    expect(opened.locator("#live")).to_have_text("Nothing to undo")
    opened.click("#eraser")
    draw(opened, across)
    assert ink() == one
