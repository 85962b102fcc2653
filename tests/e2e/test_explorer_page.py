"""The explorer in a real Chromium: its numbers are the model's, and everybody can use it.

Most tests look at one page, loaded anew for each; those with a look of its own have their own.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, expect
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

from analysis.follow import solve_path
from analysis.ink import usual
from analysis.path import FollowedPath, PathPoint, path_points
from figures import explorer
from figures.style import ZERO, weight_colours, weight_norm
from pipeline.datasets import DATASETS
from stages.preprocess import signs

CLASSES = (5, 8)
ABOUT = DATASETS["mnist"].about
CS = [0.012, 0.02, 0.05, 0.2, 2.0]
TRAINED = 3  # the place of the C that the page opens with
STABILITY = np.arange(784).reshape(28, 28) % 101 / 100
GREY = np.array([int(ZERO[i : i + 2], 16) for i in (1, 3, 5)])  # of a weight of 0
DESK, PHONE = {"width": 1300, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def known() -> SimpleNamespace:
    """What the page shows: images X, their labels y and index, the path's points, (C, n) scores f.

    The images are real 5s and 8s, scikit-learn's of 8×8, as large as MNIST's; off centre, so that
    some are mistaken.
    """
    digits, random = load_digits(), np.random.default_rng(0)
    at = np.flatnonzero(np.isin(digits.target, CLASSES))
    images = np.zeros((len(at), 28, 28))
    for image, small in zip(images, digits.images[at], strict=True):
        row, column = random.integers(2, 7, 2)
        ink = np.clip(zoom(small, 2.5, order=1) / 8 - 0.5, 0, 1)
        image[row : row + 20, column : column + 20] = np.rint(255 * ink) / 255
    X, y = images.reshape(-1, 784), digits.target[at]
    s = signs(y, np.array(CLASSES))
    solved = solve_path(X[::2], s[::2], CS)
    points = path_points(*solved.values(), X[::2], s[::2], X, s)
    # Made up: with so few weights and this bias some answers cannot be turned.
    points[0] = replace(points[0], intercept=0.001, nonzero=points[0].nonzero + 1)
    f = np.array([X @ point.coef + point.intercept for point in points])
    return SimpleNamespace(X=X, y=y, index=1000 + 7 * np.arange(len(y)), points=points, f=f)


def bytes_of(X: np.ndarray) -> np.ndarray:
    """(n, 28, 28) uint8: the images whose pixels, divided by 255, are X."""
    return np.rint(255 * X).astype(np.uint8).reshape(-1, 28, 28)


def write_page(to: Path, known: SimpleNamespace, **more: Any) -> Path:
    shown = bytes_of(known.X), ABOUT.named(known.y), known.index
    text = explorer.page(known.points, *shown, ("5", "8"), CS[TRAINED], ABOUT, **more)
    to.write_text(text, encoding="utf-8")
    return to


@pytest.fixture(scope="module")
def file(known: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explorer")
    return write_page(folder / "explorer.html", known, stability=STABILITY)


@contextmanager
def visit(browser: Browser, **look: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page without a network, and what it asks of it or writes to the console."""
    context = browser.new_context(offline=True, **look)
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or heard.append(r.url))
    yield page, heard
    context.close()


@pytest.fixture(scope="module")
def shared(chromium: Browser) -> Iterator[tuple[Page, list[str]]]:
    expect.set_options(timeout=30_000)  # a busy machine is no fault of the page's
    with visit(chromium) as shared:
        yield shared
    expect.set_options(timeout=5_000)


RESET = """() => {
    const byId = (id) => document.getElementById(id);
    byId("clear").click();
    if (byId("eraser").getAttribute("aria-pressed") === "true") byId("eraser").click();
    history.replaceState(null, "", location.pathname);
    dispatchEvent(new PopStateEvent("popstate"));
    document.activeElement.blur();
    byId("live").textContent = "";
    byId("gallery").scrollTop = 0;
    scrollTo(0, 0);
}"""


@pytest.fixture
def opened(shared: tuple[Page, list[str]], file: Path) -> Iterator[Page]:
    """The page as it opens, on a desk; only what can be undone of a drawing may be left."""
    page, heard = shared
    page.mouse.up()
    page.mouse.move(0, 0)
    page.set_viewport_size(DESK)
    page.emulate_media(
        media="screen", color_scheme="light", forced_colors="none", reduced_motion="reduce"
    )
    if page.url.partition("#")[0] == file.as_uri():
        page.evaluate(RESET)
    else:
        page.goto(file.as_uri())
    heard.clear()
    yield page
    assert heard == []


def numbers(text: str) -> list[float]:
    found = re.findall(r"[-−+]?\d[\d.,]*", text)
    return [float(one.replace("−", "-").replace(",", "")) for one in found]


def number(page: Page, selector: str) -> float:
    return numbers(page.inner_text(selector))[0]


def pixels(page: Page, canvas: str) -> np.ndarray:
    """(784, 4) red, green, blue, alpha; of a copy, since reading slows a canvas down."""
    read = page.locator(canvas).evaluate(
        """shown => {
            const copy = document.createElement("canvas").getContext("2d");
            copy.drawImage(shown, 0, 0);
            return Array.from(copy.getImageData(0, 0, 28, 28).data);
        }"""
    )
    return np.reshape(read, (784, 4))


def in_colour(w: np.ndarray) -> np.ndarray:
    """(p, 3) weights in the colours of the pictures, 0 to 255."""
    return 255 * weight_colours()(weight_norm()(np.ma.masked_equal(w, 0)))[:, :3]


def assert_map(page: Page, canvas: str, w: np.ndarray) -> None:
    """The weights have the colours that they have in the pictures, grey for those of 0 alone."""
    shown = pixels(page, canvas)[:, :3]
    np.testing.assert_allclose(shown, in_colour(w), rtol=0, atol=3)  # matplotlib has 256 steps
    np.testing.assert_array_equal((shown == GREY).all(axis=1), w == 0)


def set_C(page: Page, k: int) -> None:
    """The slider to its k-th stop."""
    page.locator("#C").fill(str(k))


def type_C(page: Page, typed: str) -> None:
    page.fill("#C-value", typed)
    page.press("#C-value", "Enter")


def shown(page: Page) -> dict[str, Any]:
    """What the page says of its state, each part read where it is shown."""
    state = page.evaluate(
        """() => {
            const byId = (id) => document.getElementById(id);
            const filter = document.querySelector("input[name=show]:checked").value;
            const pinned = byId("compare").checkVisibility() ? byId("pinned-C").textContent : null;
            return {
                C: byId("C-value").value, slider: Number(byId("C").value), filter, pinned,
                count: document.querySelector(`[data-count=${filter}]`).textContent,
                image: byId("selected-title").textContent,
            };
        }"""
    )
    return state | {"slider": CS[state["slider"]], "image": int(numbers(state["image"])[0])}


def all_tiles(page: Page) -> list[str]:
    """Of all pages of the gallery, from its first."""
    return page.evaluate(
        """() => {
            const [number, after] = ["page", "page-after"].map((id) => document.getElementById(id));
            const tiles = () => Array.from(document.querySelectorAll("#gallery li"))
                .filter((tile) => tile.checkVisibility()).map((tile) => tile.textContent);
            if (!after.checkVisibility()) return tiles();
            const pages = Array.from({ length: 20 }, () => {
                const page = [number.textContent.startsWith("1 to "), tiles()];
                after.click();
                return page;
            });
            const first = pages.findIndex(([first]) => first);
            const again = pages.findIndex(([first], k) => first && k > 0);
            return pages.slice(first, again || undefined).flatMap(([, tiles]) => tiles);
        }"""
    )


def count(page: Page, choice: str) -> int:
    return int(number(page, f"[data-count={choice}]"))


def chosen(page: Page, known: SimpleNamespace) -> np.ndarray:
    """(784,) the pixels of the chosen image."""
    return known.X[known.index == number(page, "#selected-title")][0]


def read(f: np.ndarray) -> np.ndarray:
    return np.where(f > 0, 8, 5)


def name(label: int) -> str:
    return {5: "a 5", 8: "an 8"}[int(label)]


# The model along C


def test_its_scores_are_the_models(opened: Page, known) -> None:
    images, found = opened.evaluate(
        """Cs => {
            const images = explorer.images();
            return [images.map(({ index, label }) => [index, label]),
                Cs.map((C) => images.map(({ pixels }) => explorer.score(C, pixels)))];
        }""",
        CS,
    )
    assert images == [list(of) for of in zip(known.index, ABOUT.named(known.y), strict=True)]
    np.testing.assert_allclose(found, known.f, rtol=0, atol=1e-9)


def test_the_slider_leads_along_the_path(opened: Page, known) -> None:
    slider = opened.locator("#C")
    assert float(opened.input_value("#C-value")) == CS[TRAINED]
    slider.focus()
    for key, k in (("Home", 0), ("ArrowRight", 1), ("End", 4), ("ArrowLeft", 3)):
        slider.press(key)
        assert float(opened.input_value("#C-value")) == CS[k]
        assert number(opened, "#nonzero") == known.points[k].nonzero
        assert_map(opened, "#weights", known.points[k].coef)


def test_weight_times_ink_is_white_without_ink_and_grey_on_a_weight_of_0(
    opened: Page, known
) -> None:
    x, w = chosen(opened, known), known.points[TRAINED].coef
    expected = np.where((x > 0)[:, None], in_colour(w * x), 255)
    assert np.count_nonzero((x > 0) & (w == 0)) > 10
    assert np.count_nonzero(w * x) > 5
    np.testing.assert_allclose(pixels(opened, "#selected-map")[:, :3], expected, rtol=0, atol=3)


def test_the_filters_let_through_what_they_count(opened: Page, known) -> None:
    for k in (0, TRAINED):
        set_C(opened, k)
        f, right = known.f[k], read(known.f[k]) == known.y
        below = np.abs(f).mean() / 10
        assert number(opened, "#uncertain-below") == pytest.approx(below, rel=0.01)
        kept = {"all": f < np.inf, "right": right, "wrong": ~right, "uncertain": np.abs(f) <= below}
        for choice, passed in kept.items():
            opened.check(f"input[value={choice}]")
            assert count(opened, choice) == passed.sum() > 0
            told = [
                re.fullmatch(r"is (\d), reads (\d)(\S+)( ✗)?", t).groups()
                for t in all_tiles(opened)
            ]
            labels, said, values, wrong = zip(*told, strict=True)
            assert [int(label) for label in labels] == known.y[passed].tolist()
            assert [int(answer) for answer in said] == read(f[passed]).tolist()
            assert [mark is None for mark in wrong] == right[passed].tolist()
            np.testing.assert_allclose([numbers(v)[0] for v in values], f[passed], atol=0.0006)


def walk(page: Page, by: int) -> None:
    """Back or forward in the history, until the page has heard of it."""
    page.evaluate(
        """by => new Promise((done, fail) => {
            addEventListener("popstate", () => done(), { once: true });
            setTimeout(fail, 60_000, new Error("no popstate"));
            history.go(by);
        })""",
        by,
    )


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
    states.append(shown(opened))
    opened.click("#pin")
    set_C(opened, 1)
    expect(opened).to_have_url(re.compile(r"#C=0.02&show=wrong&image=\d+&pinned=2$"))
    states.append(shown(opened))
    assert len({str(state) for state in states}) == 5
    for state in states[3::-1]:
        walk(opened, -1)
        assert shown(opened) == state
    walk(opened, 4)
    assert shown(opened) == states[-1]
    opened.reload()
    assert shown(opened) == states[-1]
    opened.goto("about:blank")
    opened.go_back()
    assert shown(opened) == states[-1]


def test_an_address_that_says_nonsense_opens_the_trained_model(opened: Page) -> None:
    usual = shown(opened)
    for address, state in (
        ("C=x&show=x&image=-1&page=0&pinned=0&pixel=99,1", usual),
        ("C=7&show=turned&page=999", usual | {"C": "2", "slider": 2.0}),  # above it; none pinned
    ):
        opened.evaluate("address => { location.hash = address; }", address)
        assert shown(opened) == state


def test_C_can_be_typed(opened: Page) -> None:
    for typed, C in (("0,05", 0.05), ("7", 2), ("nonsense", 2), ("-1", 2), ("0.019", 0.02)):
        type_C(opened, typed)
        assert float(opened.input_value("#C-value")) == shown(opened)["slider"] == C
    expect(opened.locator("#live")).to_contain_text("The page has 5 values of C from 0.012")


def test_while_C_moves_what_is_in_sight_follows_and_the_rest_does_when_it_stops(
    opened: Page, known
) -> None:
    """Else a phone could not draw as fast as a finger moves."""

    def drag(k: int, event: str) -> float:
        opened.locator("#C").evaluate(
            "(slider, [k, event]) => { slider.value = k; "
            "slider.dispatchEvent(new Event(event, { bubbles: true })); }",
            [k, event],
        )
        return number(opened, "#selected-sum .verdict")

    assert drag(1, "input") == pytest.approx(known.f[TRAINED, 0], abs=0.0006)
    assert float(opened.input_value("#C-value")) == CS[1]
    assert drag(1, "change") == pytest.approx(known.f[1, 0], abs=0.0006)
    opened.locator("#selected-sum").scroll_into_view_if_needed()
    assert drag(4, "input") == pytest.approx(known.f[4, 0], abs=0.0006)


def test_it_plays_along_C(chromium: Browser, file: Path) -> None:
    with visit(chromium) as (page, heard):
        page.clock.install(time=0)
        page.goto(file.as_uri())
        page.clock.pause_at(3_600_000)  # from here on by the test's steps alone
        for passed, C in ((11_000, "2"), (3_000, "0.02"), (9_000, "0.02")):
            page.click("#play")  # plays, plays anew from the end, stops
            page.clock.fast_forward(passed)
            assert shown(page)["C"] == C
            expect(page.locator("#play")).to_have_text("Pause" if passed == 3_000 else "Play")
        page.click("#play")
        set_C(page, 3)
        page.clock.fast_forward(9_000)
        assert shown(page)["C"] == "0.2"  # who moves the slider has it
    assert heard == []


def test_two_C_stand_side_by_side(opened: Page, known) -> None:
    assert not opened.is_visible("#compare")
    set_C(opened, 1)
    opened.click("#pin")
    set_C(opened, 4)
    before, after = known.points[1].coef, known.points[4].coef
    assert_map(opened, "#pinned-map", before)
    assert_map(opened, "#chosen-map", after)
    assert_map(opened, "#difference-map", after - before)
    both = np.count_nonzero(before * after)
    only = [(np.count_nonzero(w) - both, C) for w, C in ((before, CS[1]), (after, CS[4]))]
    assert numbers(opened.inner_text("#shared")) == [both, *only[0], *only[1]]
    turned = read(known.f[1]) != read(known.f[4])
    better = np.count_nonzero(turned & (read(known.f[4]) == known.y))
    worse = turned.sum() - better
    assert better > worse > 0
    assert numbers(opened.inner_text("#turned")) == [len(turned), turned.sum(), better, worse]
    opened.click("#show-turned")
    assert count(opened, "turned") == len(all_tiles(opened)) == turned.sum()
    assert shown(opened)["image"] == known.index[turned][0]
    opened.click("#pin")
    assert not opened.is_visible("#compare")
    assert shown(opened)["filter"] == "all"


def test_five_cases_to_try(opened: Page, known) -> None:
    f = known.f[TRAINED]
    worst = known.index[np.argmax(np.abs(f) * (read(f) != known.y))]
    links = opened.locator("#try a")
    assert links.count() == 5
    for k, part, state in (
        (0, "#weights", {"C": "0.012", "pinned": None}),
        (2, "#compare", {"C": "2", "pinned": "C = 0.2"}),
        (3, "#selected", {"C": "0.2", "pinned": None, "filter": "wrong", "image": worst}),
        (4, "#pad", {"C": "0.2", "pinned": None, "filter": "all"}),
        (1, "#weights", {"C": "0.2", "pinned": None}),
    ):
        links.nth(k).click()
        expect(opened).to_have_url(re.compile(f"{re.escape(links.nth(k).get_attribute('href'))}$"))
        expect(opened.locator(part)).to_be_in_viewport()
        assert state.items() <= shown(opened).items()
    used = np.count_nonzero(known.points[0].coef)
    assert links.nth(0).inner_text() == ("One pixel" if used == 1 else f"{used} pixels")
    opened.go_back()  # a link to where one is already is no step
    assert shown(opened)["image"] == worst


def test_the_picture_can_be_saved(opened: Page, known, tmp_path: Path) -> None:
    set_C(opened, 2)
    with opened.expect_download() as waiting:
        opened.click("#save")
    assert waiting.value.suggested_filename == "weights-C-0.05.png"
    waiting.value.save_as(tmp_path / "saved.png")
    saved = imread(tmp_path / "saved.png")[..., :3]
    middles = saved[64 + 10 : 64 + 560 : 20, 24 + 10 : 24 + 560 : 20]
    expected = in_colour(known.points[2].coef).reshape(28, 28, 3)
    np.testing.assert_allclose(255 * middles, expected, rtol=0, atol=3)


def between(C: float, start: tuple[float, Any], end: tuple[float, Any]) -> Any:
    """What a straight line in 1/C from one (C, value) to another has at C."""
    (a, f), (b, g) = start, end
    return f + (1 / C - 1 / a) / (1 / b - 1 / a) * (g - f)


def test_between_two_points_everything_is_as_it_is_said_to_be(opened, known, tmp_path) -> None:
    """Made up: a pixel that comes and goes between the points, steps of counts and accuracies."""
    low, high = known.points[2:4]
    pixel = int(np.argmax(np.minimum(np.abs(low.coef), np.abs(high.coef))))
    entries: list[tuple[float, ...]] = [(0.0005,)] * 784
    entries[pixel] = (0.0005, 0.1, 0.15)
    starts = np.array([0.0005, 0.1, 0.12, 1.0])
    steps = {
        "nonzero": np.array([3, 77, 99, 222]),
        "train": np.array([0.5, 0.75, 0.875, 0.9375]),
        "test": np.array([0.625, 0.6875, 0.8125, 0.9]),
    }
    every = FollowedPath(entries, *((starts, values) for values in steps.values()))
    opened.goto(write_page(tmp_path / "every.html", known, every=every).as_uri())
    for C, k in ((0.08, 0), (0.1, 1), (0.11, 1), (0.13, 2), (0.18, 2)):
        type_C(opened, str(C))
        w = between(C, (low.C, low.coef), (high.C, high.coef))
        w[pixel] = 0
        if C < 0.1:
            w[pixel] = between(C, (low.C, low.coef[pixel]), (0.1, 0))
        elif C > 0.15:
            w[pixel] = between(C, (0.15, 0), (high.C, high.coef[pixel]))
        b = between(C, (low.C, low.intercept), (high.C, high.intercept))
        found = opened.evaluate(
            "C => explorer.images().slice(0, 20).map(({ pixels }) => explorer.score(C, pixels))", C
        )
        np.testing.assert_allclose(found, known.X[:20] @ w + b, rtol=0, atol=1e-9)
        assert_map(opened, "#weights", w)
        assert number(opened, "#nonzero") == steps["nonzero"][k]
        for name in ("train", "test"):
            assert number(opened, f"#{name}") == pytest.approx(100 * steps[name][k], abs=0.006)
        X, s = known.X[::2], signs(known.y[::2], np.array(CLASSES))
        (best,) = path_points(*solve_path(X, s, [C]).values(), X, s, X, s)
        assert number(opened, "#objective") == pytest.approx(best.objective, rel=0.02)
    opened.goto(f"{opened.url.partition('#')[0]}#C=0.13&pixel={pixel // 28 + 1},{pixel % 28 + 1}")
    expect(opened.locator("#story-facts")).to_contain_text("0.0005 to 0.1, from 0.15")
    expect(opened.locator("#story-title")).to_contain_text("the model does not look here")
    x, y = curve(opened)
    of_C = np.polyfit(np.log10([CS[0], CS[-1]]), x[[0, -1]], 1)
    gone = (x > np.polyval(of_C, -1) + 0.3) & (x < np.polyval(of_C, np.log10(0.15)) - 0.3)
    at_zero = float(opened.get_attribute("#chart-pixel circle.now", "cy"))
    assert gone.sum() > 10
    np.testing.assert_allclose(y[gone], at_zero, atol=0.006)
    assert np.abs(y[~gone] - at_zero).max() > 10
    for point in known.points:  # at the points nothing is in between
        type_C(opened, str(point.C))
        assert number(opened, "#nonzero") == point.nonzero
    opened.press("#C", "ArrowLeft")
    assert 1.98 < float(opened.input_value("#C-value")) < 2  # 2,000 steps over the logarithm


# A pixel's story, what would change the answer, where the score lies


def curve(page: Page) -> np.ndarray:
    """(2, n) the curve of a pixel's weight, on the screen."""
    points = page.get_attribute("#chart-pixel .weight", "points").split()
    return np.array([xy.split(",") for xy in points], dtype=float).T


def place(pixel: int) -> str:
    return f"row {pixel // 28 + 1}, column {pixel % 28 + 1}"


def point_at(page: Page, pixel: int) -> tuple[float, float]:
    """The middle of a pixel of the map of weights, on the screen."""
    box, (row, column) = still(page, "#weights"), divmod(pixel, 28)
    return (
        box["x"] + box["width"] * (column + 0.5) / 28,
        box["y"] + box["height"] * (row + 0.5) / 28,
    )


def still(page: Page, selector: str) -> dict[str, float]:
    """Where an element in sight lies once it has lain still for three frames: what comes into
    sight is laid out only then."""
    return page.locator(selector).evaluate(
        """async element => {
            const seen = [];
            for (let frames = 0; frames < 1000; frames++) {
                element.scrollIntoView({ block: "nearest", behavior: "instant" });
                await new Promise(requestAnimationFrame);
                const { x, y, width, height } = element.getBoundingClientRect();
                seen.unshift({ x, y, width, height });
                const [now, ...before] = seen.slice(0, 4).map((box) => JSON.stringify(box));
                if (before.length === 3 && before.every((box) => box === now)) return seen[0];
            }
            throw new Error("it does not lie still");
        }"""
    )


def test_a_pixel_tells_its_story(opened: Page, known) -> None:
    x, w = chosen(opened, known), known.points[TRAINED].coef
    pixel, heaviest = int(np.argmax(np.abs(w * x))), int(np.argmax(np.abs(w)))
    assert pixel != heaviest
    title = opened.locator("#story-title")
    expect(title).to_contain_text(place(heaviest).capitalize())
    opened.mouse.move(*point_at(opened, pixel))
    expect(title).to_contain_text(place(pixel).capitalize())
    expect(title).to_contain_text(f"speaks for {name(read(w[pixel]))}")
    path = [point.coef[pixel] for point in known.points]
    rows = opened.locator("#story-facts div").all_inner_texts()
    facts = {term: numbers(value)[0] for term, value in (row.split("\n") for row in rows)}
    assert facts == pytest.approx(
        {
            "Weight at C = 0.2": w[pixel],
            "Not 0 at C": CS[np.flatnonzero(path)[0]],
            "Chosen by bootstrap samples at C = 0.2": 100 * STABILITY.flat[pixel],
            "Ink in test image 1000, a 5": x[pixel],
            "Adds to its score": w[pixel] * x[pixel],
        },
        abs=0.001,
    )
    _, heights = curve(opened)
    assert np.corrcoef(path, heights)[0, 1] == pytest.approx(-1)  # upwards on the screen
    opened.mouse.move(0, 0)
    expect(title).to_contain_text(place(heaviest).capitalize())


def test_a_pixel_is_chosen_by_click_and_arrow_keys_and_kept_in_the_address(opened: Page) -> None:
    title, of_image = opened.locator("#story-title"), opened.locator(".selected .spot")
    assert [spot.is_visible() for spot in of_image.all()] == [False, False]
    opened.mouse.click(*point_at(opened, 13 * 28 + 10))
    opened.mouse.move(0, 0)
    expect(title).to_contain_text("Row 14, column 11: ")
    for key, at in (("Down", (15, 11)), ("Right", (15, 12)), ("Up", (14, 12)), ("Left", (14, 11))):
        opened.press("#weights", f"Arrow{key}")
        expect(title).to_contain_text("Row {}, column {}: ".format(*at))
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


def test_the_bars_are_the_pixels_that_add_most(opened: Page, known) -> None:
    added = known.points[TRAINED].coef * chosen(opened, known)
    most = np.argsort(-np.abs(added), kind="stable")[:8]
    assert added[most].min() < 0 < added[most].max()
    bars = opened.locator("#bars button")
    told = [text.split("\n") for text in bars.all_inner_texts()]
    assert [where for where, _ in told] == [place(pixel) for pixel in most]
    np.testing.assert_allclose([numbers(v)[0] for _, v in told], added[most], atol=0.0006)
    lengths = bars.evaluate_all(
        """all => all.map((button) => {
            const row = button.querySelector(".bar-of").getBoundingClientRect();
            const bar = button.querySelector("i").getBoundingClientRect();
            return [bar.left, bar.right].map((x) => 2 * (x - row.left) / row.width - 1);
        })"""
    )
    ends = added[most] / np.abs(added[most[0]])
    expected = np.stack([np.minimum(ends, 0), np.maximum(ends, 0)], axis=1)
    np.testing.assert_allclose(lengths, expected, atol=0.01)  # from the middle of the row
    bars.nth(2).click()
    expect(bars.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("#story-title")).to_contain_text(place(most[2]).capitalize())


def fewest(point: PathPoint, x: np.ndarray) -> list[tuple[int, int, float]] | None:
    """Pixel, new ink and score then of the fewest changes of x, in [0, 1], that turn the answer.

    A change of pixel j moves the score towards the other side by |w_j| times its ink, or times what
    is missing to full: no k pixels move it further than the k with the largest moves.
    """
    w, up = point.coef, x @ point.coef + point.intercept <= 0
    to = ((w > 0) == up).astype(int)
    order = np.argsort(-np.abs(w * (to - x)), kind="stable")
    steps, changed = [], x.copy()
    for pixel in order[: np.count_nonzero(w * (to - x))]:
        changed[pixel] = to[pixel]
        f = changed @ w + point.intercept
        steps.append((int(pixel), int(to[pixel]), f))
        if (f > 0) == up:
            return steps
    return None


def test_what_would_change_the_answer_is_what_python_finds(opened: Page, known) -> None:
    found = opened.evaluate(
        """Cs => {
            const images = explorer.images().filter((_, i) => i % 3 === 0);
            return Cs.map((C) => images.map(({ pixels }) => explorer.turning(C, pixels)));
        }""",
        CS,
    )
    lengths = set()
    for point, by_page in zip(known.points, found, strict=True):
        for x, turning in zip(known.X[::3], by_page, strict=True):
            expected = fewest(point, x)
            assert turning["turned"] == (expected is not None)
            if expected is not None:
                steps = [(one["pixel"], one["to"] / 255, one["score"]) for one in turning["steps"]]
                np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-9)
            lengths.add(expected and len(expected))
    assert {None, 1, 2, 3, 4} <= lengths


def test_the_steps_to_another_answer_are_shown_one_after_the_other(opened: Page, known) -> None:
    changed = chosen(opened, known).copy()
    steps = fewest(known.points[TRAINED], changed)
    items = opened.locator("#selected-turn li")
    expect(items).to_have_count(len(steps) + 1)
    for k, (pixel, to, f) in enumerate(steps, 1):
        assert f"{k}. {place(pixel)}" in items.nth(k).inner_text()
        assert f"score {f:+.3f}".replace("-", "−") in items.nth(k).inner_text()
        changed[pixel] = to
        ink = pixels(opened, f"#selected-turn li:nth-child({k + 1}) canvas")[:, 3]
        np.testing.assert_array_equal(ink, np.rint(changed * 255))
    expect(items.last).to_contain_text(f"reads {name(read(f))}")
    assert number(opened, "#selected-turn .turn-words") == len(steps)


@pytest.mark.parametrize("k", [0, TRAINED])
def test_the_histogram_counts_the_test_images_of_each_class(opened: Page, known, k: int) -> None:
    set_C(opened, k)
    f, y, total = known.f[k], known.y, known.f[k, 0]
    figure, most = opened.locator("#selected-sum .histogram"), []
    size = np.abs(f).max() / 16  # of a bar
    left, right = int(np.floor(max(-f.min(), 0) / size)) + 1, max(1, int(np.ceil(f.max() / size)))
    width = 280 / (left + right)
    for of_class, label in (("negative", 5), ("positive", 8)):
        # from above an edge up to the next
        edges = size * np.arange(-right, left + 1)
        counts = np.histogram(-f[y == label], edges)[0][::-1]
        drawn = figure.locator(f"path.{of_class}").get_attribute("d")
        bars = [(float(x), abs(float(v))) for x, v in re.findall(r"M(\S+) 64v(\S+)h", drawn)]
        assert [round((x - 4.5) / width) for x, _ in bars] == np.flatnonzero(counts).tolist()
        most.append((counts[counts > 0], np.array([height for _, height in bars])))
    counts, heights = (np.concatenate(both) for both in zip(*most, strict=True))
    np.testing.assert_allclose(heights, np.maximum(counts / counts.max() * 48, 1), atol=0.006)
    mark = float(figure.locator(".now").get_attribute("x1"))
    assert mark == pytest.approx(4 + width * (left + total / size), abs=0.006)
    lower = [n for label in CLASSES for n in ((f[y == label] < total).sum(), (y == label).sum())]
    said = numbers(opened.inner_text("#selected-sum figcaption"))
    assert said == [*lower[:2], 5, *lower[2:], 8]


# Drawings

FIVE = [(0.8, 0.1), (0.3, 0.1), (0.25, 0.45), (0.55, 0.4), (0.75, 0.6), (0.6, 0.85), (0.2, 0.8)]
ACROSS, DOWN = [(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)]


def draw(page: Page, *strokes: list[tuple[float, float]]) -> None:
    """With the mouse on the pad, (0, 0) to (1, 1)."""
    for points in strokes:
        box = still(page, "#pad")
        for k, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
            if k == 0:
                page.mouse.down()
        page.mouse.up()


def circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turn = np.linspace(0, 2 * np.pi, 20)
    return [(x + radius * np.sin(t), y - radius * np.cos(t)) for t in turn]


def drawn_ink(page: Page) -> np.ndarray:
    return pixels(page, "#drawn-image")[:, 3] / 255


def most_like(known: SimpleNamespace, x: np.ndarray) -> tuple[int, float]:
    """Which image is most like x, and how like."""
    X = known.X
    likeness = X @ x / np.linalg.norm(X, axis=1) / np.linalg.norm(x)
    return int(np.argmax(likeness)), float(likeness.max())


def test_one_draws_with_the_mouse(opened: Page, known) -> None:
    draw(opened, circle(0.35, 0.25, 0.12), circle(0.35, 0.55, 0.16))  # an 8, off centre
    expect(opened.locator("#drawn-sum")).to_contain_text("reads an 8")
    ink = drawn_ink(opened).reshape(28, 28)
    rows, columns = np.nonzero(ink > 8 / 255)
    assert 18 <= np.ptp(rows) + 1 <= 21
    assert np.ptp(columns) + 1 <= 21
    centre = [np.average(np.arange(28), weights=ink.sum(axis=axis)) for axis in (1, 0)]
    np.testing.assert_allclose(centre, 13.5, atol=1)
    nearest, _ = most_like(known, ink.ravel())
    of = f"test image {known.index[nearest]}, {name(known.y[nearest])}"
    expect(opened.locator("#most-like-name")).to_contain_text(of)
    expect(opened.locator("#drawn-turn li").last).to_contain_text("reads a 5")
    opened.click("#clear")
    expect(opened.locator("#drawn-sum")).to_contain_text("Nothing drawn yet")
    expect(opened.locator("#drawn-most-like")).to_be_hidden()
    expect(opened.locator("#drawn-turn-box")).to_be_hidden()


def test_a_small_5_and_a_big_5_look_alike(opened: Page) -> None:
    found = []
    for size in (1, 0.3):
        opened.click("#clear")
        draw(opened, [(size * x, size * y) for x, y in FIVE])
        expect(opened.locator("#drawn-sum")).to_contain_text("reads a 5")
        found.append(drawn_ink(opened))
    assert np.abs(found[0] - found[1]).mean() < 0.02
    assert found[0].sum() == pytest.approx(found[1].sum(), rel=0.05)


def test_a_drawing_unlike_the_images_is_told_so(opened: Page, known) -> None:
    most = usual(np.rint(255 * known.X).astype(np.uint8).reshape(-1, 28, 28))
    kinds = []
    for strokes in ([[(0.5, 0.5)]], [ACROSS], [ACROSS, DOWN], [FIVE]):
        opened.click("#clear")
        draw(opened, *strokes)
        x = drawn_ink(opened)
        ink, inked, (_, like) = x.sum(), np.count_nonzero(x), most_like(known, x)
        beyond = [
            not low <= value <= high
            for value, (low, high) in ((ink, most.ink), (inked, most.inked))
        ]
        kinds.append([*beyond, like < most.likeness])
        sentences = [
            [round(ink), 98, 100, *map(round, most.ink)],
            [inked, 98, 100, *most.inked],
            [round(like, 2), 1, 0, 99, 100, round(most.likeness, 2)],
        ]
        told = [numbers(line) for line in opened.locator("#unlike-list li").all_inner_texts()]
        assert told == [line for line, so in zip(sentences, kinds[-1], strict=True) if so]
        assert opened.is_visible("#unlike") == any(kinds[-1])
        if told:
            expect(opened.locator("#live")).to_contain_text("unlike these images")
    assert np.any(kinds, axis=0).all()
    assert not any(kinds[-1])  # the 5


def test_a_drawing_can_be_off_the_scale(opened: Page, known, tmp_path: Path) -> None:
    near = (known.f[TRAINED] > 0) & (
        known.f[TRAINED] < 0.5
    )  # images of which a drawing is easily beyond
    few = {part: getattr(known, part)[near] for part in ("X", "y", "index")}
    opened.goto(write_page(tmp_path / "few.html", SimpleNamespace(**vars(known) | few)).as_uri())
    sides = set()
    square = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.1)]
    for stroke in ([(0.5, 0.5)], square):
        opened.click("#clear")
        draw(opened, stroke)
        for k, point in enumerate(known.points[1:], 1):  # at the first they are on the very edge
            f, total = known.f[k, near], drawn_ink(opened) @ point.coef + point.intercept
            beyond = "lower" if total < f.min() else "higher" if total > f.max() else None
            set_C(opened, k)
            said = re.search("Off the scale: (lower|higher)", opened.inner_text("#drawn-sum"))
            assert (said and said[1]) == beyond
            sides.add(beyond)
    assert sides == {"lower", "higher", None}


def test_what_was_drawn_can_be_undone_and_rubbed_out(opened: Page) -> None:
    opened.reload()  # nothing to undo is left

    def ink() -> float:
        return opened.locator("#pad").evaluate(
            """pad => pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data
                .reduce((sum, value, i) => sum + (i % 4 === 3 && value > 0), 0)"""
        )

    draw(opened, ACROSS)
    one = ink()
    draw(opened, DOWN)
    assert ink() > 1.5 * one
    opened.click("#undo")
    assert ink() == one
    opened.click("#eraser")
    draw(opened, DOWN)  # cuts the stroke in two
    assert 0.75 * one < ink() < 0.95 * one
    opened.click("#undo")
    assert ink() == one
    draw(opened, [(0.5, 0.9), (0.6, 0.9)])  # where nothing is: nothing to undo
    draw(opened, ACROSS)
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
    draw(opened, ACROSS)
    assert ink() == one


# Everybody can use it


def test_a_keyboard_is_enough(opened: Page) -> None:
    opened.reload()  # Tab begins at the top
    opened.evaluate(
        "() => { window.reached = []; addEventListener('focusin', ({ target }) => "
        "reached.push(target.id || target.name || target.role)); }"
    )
    for _ in range(50):
        opened.keyboard.press("Tab")
    reached = set(opened.evaluate("reached"))
    assert {"C", "reset", "weights", "show", "option", "pad", "eraser", "undo", "clear"} <= reached
    opened.locator("#gallery li").first.focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Enter")
    assert shown(opened)["image"] == 1007
    opened.locator("#pad").focus()
    opened.keyboard.press("Space")
    for _ in range(8):
        opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Space")
    expect(opened.locator("#drawn-sum")).to_contain_text("reads a")
    assert np.ptp(np.nonzero(drawn_ink(opened).reshape(28, 28))[0]) > 17  # a line, no dot
    opened.keyboard.press("Delete")
    expect(opened.locator("#drawn-sum")).to_contain_text("Nothing drawn yet")


@pytest.mark.parametrize(
    "widths",
    [
        pytest.param((320, 360, 768, 1300), id="some"),
        pytest.param((*range(320, 1000, 20), 1300, 1920), id="all", marks=pytest.mark.long),
    ],
)
def test_it_fits_every_width(opened: Page, widths: tuple[int, ...]) -> None:
    opened.evaluate("location.hash = '#C=2&pinned=0.05'")
    draw(opened, [(0.2, 0.2), (0.8, 0.8)])
    for width in widths:
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
    opened.set_viewport_size(DESK)
    expect(opened.locator("#bar")).to_be_in_viewport()


def test_on_a_phone_a_tap_chooses_and_shows_it(chromium: Browser, file: Path) -> None:
    with visit(chromium, viewport=PHONE, has_touch=True, is_mobile=True) as (page, heard):
        page.goto(file.as_uri())
        page.touchscreen.tap(*point_at(page, 15 * 28 + 14))
        expect(page.locator("#story-title")).to_contain_text("Row 16, column 15: ")
        tile, title = page.locator("#gallery li").nth(0), page.locator("#selected-title")
        expect(title).not_to_be_in_viewport()
        tile.tap()
        for part in ("#selected-title", "#selected-image"):
            expect(page.locator(part)).to_be_in_viewport()
        first = title.inner_text()
        page.tap("#image-before")  # the last one: they stand in a ring
        assert title.inner_text() != first
        page.tap("#image-after")
        assert title.inner_text() == first
        page.tap("#to-gallery")
        expect(tile).to_be_in_viewport()
    assert heard == []


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds, beside two C and a dot with all that the page says of it."""
    page.evaluate("location.hash = '#C=2&pinned=0.05&show=turned'")
    draw(page, [(0.5, 0.5)])
    expect(page.locator("#unlike")).to_be_visible()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["impact"]) for one in found]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_it_is_accessible(opened: Page, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    back = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (numbers(back)[0] < 128) == (scheme == "dark")
    assert violations(opened) == []


def tones(page: Page, selector: str) -> np.ndarray:
    """(n, 3) the colours on the screen."""
    picture = imread(io.BytesIO(page.locator(selector).first.screenshot()))
    return picture[..., :3].reshape(-1, 3)


def assert_red_and_blue(found: np.ndarray) -> None:
    redder = found[:, 0] - found[:, 2]
    assert redder.min() < -0.3
    assert redder.max() > 0.3


def test_in_forced_colours_digits_scale_and_choice_are_seen(opened: Page) -> None:
    opened.emulate_media(color_scheme="dark", forced_colors="active")
    for digit in ("#selected-image", "#gallery canvas"):
        assert tones(opened, digit).max() > 0.9
        assert (tones(opened, digit).max(axis=1) < 0.3).mean() > 0.03
    for coloured in (".scale", "#weights"):
        assert_red_and_blue(tones(opened, coloured))
    assert np.abs(tones(opened, ".legend .swatch") - GREY / 255).max(axis=1).min() < 0.02
    outlines = opened.locator("#gallery li").evaluate_all(
        "all => all.slice(0, 2).map(tile => getComputedStyle(tile).outlineStyle)"
    )
    assert outlines == ["solid", "none"]
    assert violations(opened) == []


def test_without_JavaScript_the_trained_model_is_there(
    chromium: Browser, file: Path, known
) -> None:
    with visit(chromium, java_script_enabled=False) as (page, heard):
        page.goto(file.as_uri())
        assert page.inner_text("h1").startswith("5 or 8?")
        text = page.inner_text("main").replace("\n", " ")
        assert "A score of exactly 0 counts as a 5" in text
        assert "with C = 0.2;" in text
        words = page.locator(".words dt").all_inner_texts()
        assert {"C", "Bias", "Margin", "Objective", "Gap"} <= set(words)
        point = known.points[TRAINED]
        assert numbers(page.inner_text("#nonzero")) == [point.nonzero, 785]
        assert number(page, "#bias") == pytest.approx(point.intercept, abs=0.0006)
        assert page.locator("svg.picture rect").count() == np.count_nonzero(point.coef)
        assert_red_and_blue(tones(page, "svg.picture"))
        for missing in ("#bar", "#images", "#draw", "#try-this", "#save", ".charts"):
            expect(page.locator(missing)).to_be_hidden()
    assert heard == []


def test_printed_it_is_ink_on_paper(opened: Page) -> None:
    def styles(selector: str, of: str) -> set[str]:
        all_of = f"all => all.map((one) => getComputedStyle(one).{of})"
        return set(opened.locator(selector).evaluate_all(all_of))

    opened.evaluate("location.hash = '#C=2&pinned=0.05'")
    opened.emulate_media(media="print", color_scheme="dark")
    assert tones(opened, "h1").max() > 0.99
    assert np.median(tones(opened, "h1")) > 0.9
    assert (tones(opened, "#selected-image").min(axis=1) > 0.9).mean() > 0.5
    assert styles(".scale, #weights, .swatch", "printColorAdjust") == {"exact"}
    assert styles("h2, h3", "breakAfter") == {"avoid"}
    assert opened.locator("button:not(.bars *):visible").count() == 0
    opened.set_viewport_size({"width": 700, "height": 900})  # about a sheet
    parts = ("#weights", "#weights-part dl >> nth=-1", "#story")
    of_map, of_numbers, of_story = (opened.locator(part).bounding_box() for part in parts)
    assert of_numbers["x"] > of_map["x"] + of_map["width"]
    assert of_story["y"] > of_map["y"] + of_map["height"]


def test_what_came_with_the_data_is_text_and_runs_nothing(shared, known, tmp_path: Path) -> None:
    run = "document.title='hacked'"
    names = (f"</script><script>{run}</script>", f"<!--<script><img src=x onerror={run}>")
    of_label = dict(zip(CLASSES, names, strict=True))
    about = replace(ABOUT, credit=f"<svg onload={run}>", names=of_label)
    shown = bytes_of(known.X), about.named(known.y), known.index
    text = explorer.page(known.points, *shown, names, CS[TRAINED], about)
    spoiled = text.replace("</body>", f"<script>{run}</script><img src=x onerror={run}></body>")
    assert spoiled != text
    page, heard = shared
    for html, complaints in ((text, False), (spoiled, True)):
        heard.clear()
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        expect(page.locator("h1")).to_contain_text(names[0])
        assert page.title() != "hacked"
        assert any("Content Security Policy" in line for line in heard) == complaints == bool(heard)
