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
    text = explorer.page(
        *(points, X_test, y, data["index_test"], ("5", "8"), 0.2, ABOUT), stability=STABILITY
    )
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
    for _ in range(24):
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
    noun = "pixel is" if len(steps) == 1 else "pixels are"
    expect(opened.locator(".turn-words").first).to_contain_text(f"{len(steps)} {noun} enough")


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
        bars = figure.locator(f"rect.{name}").evaluate_all(
            "bars => bars.map(bar => [+bar.getAttribute('x'), +bar.getAttribute('height')])"
        )
        assert [round((x - 4.5) / width) for x, _ in bars] == np.flatnonzero(counts).tolist()
        most.append((counts[counts > 0], np.array([height for _, height in bars])))
    counts, heights = (np.concatenate(both) for both in zip(*most, strict=True))
    np.testing.assert_allclose(heights, np.maximum(counts / counts.max() * 48, 1), atol=1e-6)
    mark = float(figure.locator(".now").get_attribute("x1"))
    assert mark == pytest.approx(4 + width * (left + total / size))
    expect(opened.locator("#selected-sum figcaption")).to_contain_text(
        f"{(f[y == 5] < total).sum()} of the {(y == 5).sum()} that are a 5 and "
        f"{(f[y == 8] < total).sum()} of the {(y == 8).sum()} that are an 8 score lower."
    )


# Drawings

FIVE = [(0.8, 0.1), (0.3, 0.1), (0.25, 0.45), (0.55, 0.4), (0.75, 0.6), (0.6, 0.85), (0.2, 0.8)]


def draw(page: Page, *strokes: list[tuple[float, float]]) -> None:
    """With the mouse on the pad, (0, 0) to (1, 1)."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    for points in strokes:
        for k, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=3)
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
