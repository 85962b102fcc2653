"""Reports on real changes, by the real dvc, opened in a browser. Each change is its own commit."""

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cmarkgfm
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from scipy.stats import binomtest

from tests.e2e.conftest import Run, change, commit_all, metrics, stages_run

WIDTHS = [1300, 400]
BASE_C, OTHER_C = 0.1, 0.01  # the small project's best, and one that costs many answers


@pytest.fixture(scope="module", autouse=True)
def base(run: Run) -> None:
    """The tag `base` is what all is compared with."""
    run("git", "remote", "add", "origin", "git@github.com:someone/digits.git")
    run("git", "tag", "base")


@pytest.fixture(autouse=True)
def back(run: Run) -> Iterator[None]:
    """Everything as at `base` when the test is over, by git and dvc."""
    yield
    run("git", "reset", "-q", "--hard", "base")
    run("dvc", "checkout", "--quiet")


@pytest.fixture
def said(run: Run) -> Callable[[], str]:
    """Write the report against `base`, and return its first sentence."""
    return lambda: run("python", "-m", "tools.report", "base").stdout.splitlines()[0]


@pytest.fixture
def report(project: Path, said: Callable[[], str], page: Page) -> Callable[[], str]:
    """The same, looked at in the browser."""

    def written() -> str:
        sentence = said()
        words = re.sub(r"[`*]", "", sentence)
        for width in WIDTHS:
            assert_looks_right(page, project / "report.html", width, words)
        assert_markdown(page, project, words)
        return sentence

    return written


def assert_looks_right(page: Page, file: Path, width: int, sentence: str) -> None:
    """No scrolling sideways, every picture there, folded ones too, each row's of one size."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1 + p").inner_text() == sentence
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for image in page.locator("img").all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 28
        assert image.get_attribute("alt")
    for row in page.locator(".pictures").all():
        boxes = [image.bounding_box() for image in row.locator("img").all()]
        assert max(box["width"] for box in boxes) <= width
        assert max(box["width"] for box in boxes) - min(box["width"] for box in boxes) < 1
        assert max(box["height"] for box in boxes) - min(box["height"] for box in boxes) < 30
    if width == WIDTHS[0]:
        return
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def assert_markdown(page: Page, project: Path, sentence: str) -> None:
    """As GitHub renders it: the same sentence, no data inside, every link to a commit's file."""
    text = (project / "report.md").read_text()
    assert len(text) < 2**20
    html = cmarkgfm.github_flavored_markdown_to_html(text, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    links = re.findall(r'<img src="([^"]+)"', html)
    for link in links:
        assert re.fullmatch(
            r"https://github\.com/someone/digits/blob/[0-9a-f]{40}/plots/\w+\.png\?raw=true", link
        )
    page.set_content(re.sub(r"<img[^>]+>", "", html))
    assert page.locator("p").first.inner_text() == sentence
    for table in page.locator("table").all():
        columns = table.locator("tr").evaluate_all("rows => rows.map((row) => row.cells.length)")
        assert len(set(columns)) == 1
    assert "**" not in page.locator("body").inner_text()


def sections(project: Path) -> dict[str, str]:
    """report.md by its headings."""
    parts = re.split(r"(?m)^## (.+)$", (project / "report.md").read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def gate(run: Run) -> tuple[int, dict[str, str]]:
    done = run("python", "-m", "tools.gate", "base", check=False)
    return done.returncode, {
        line[10:].split(": ")[0]: line[:10].strip() for line in done.stdout.splitlines()
    }


def wrong(run: Run, revision: str) -> set[int]:
    """Which test images a revision gets wrong, by plots/scores.csv."""
    text = run("git", "show", f"{revision}:plots/scores.csv").stdout
    rows = enumerate(csv.DictReader(text.splitlines()))
    return {k for k, row in rows if (float(row["f"]) > 0) != (row["actual"] == row["positive"])}


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def test_no_change_at_all(project: Path, run: Run, report) -> None:
    assert report() == "No code, param or data changed: every result is the same, byte for byte."
    assert gate(run)[0] == 0
    found = sections(project)
    assert "`dvc.lock` is the same" in found["Reproduced: yes"]
    assert "No answer changed; no score did." in found["The same test images, answer by answer"]
    assert run("git", "status", "--porcelain").stdout == ""  # its own files are ignored


def test_another_c(
    project: Path, run: Run, params: Path, report, page: Page, tmp_path: Path
) -> None:
    before = metrics(project, "evaluate")["test"]["accuracy"]
    weights = metrics(project, "interpret")["weights"]["nonzero"]
    change(params, train={"C": OTHER_C})
    run("dvc", "repro")
    commit_all(run, "Fewer weights\n\nGate-Waive: paired_p: half of the weights\n")
    newly_wrong = len(wrong(run, "HEAD") - wrong(run, "base"))
    newly_right = len(wrong(run, "base") - wrong(run, "HEAD"))
    p = binomtest(newly_right, newly_right + newly_wrong).pvalue
    after = metrics(project, "evaluate")["test"]["accuracy"]
    fewer = metrics(project, "interpret")["weights"]["nonzero"]
    assert newly_wrong > 5

    # one limit is waived by the commit's message, then the other one too
    worse = "may_worsen_by.evaluate.test.accuracy"
    status, words = gate(run)
    assert (status, words["paired_p"], words[worse]) == (1, "waived", "RED")
    run("git", "commit", "-q", "--allow-empty", "-m", "x\n\nGate-Waive: accuracy: so be it")
    status, words = gate(run)
    assert (status, words[worse]) == (0, "waived")

    answers = f"{newly_wrong} newly wrong, {newly_right} newly right"
    assert report() == (
        f"`train.C` the search's best ({BASE_C}) → {OTHER_C}: test accuracy {percent(before)} → "
        f"{percent(after)} %; {answers}, exact paired p = {p:.2g}; {weights} → {fewer} weights."
    )
    found = sections(project)
    assert found["The weights"].split("<details")[0].count("<img") == 2
    assert "the difference" in found["The weights"]
    assert "Every result is what dvc.lock says" in found["Reproduced: yes"]
    page.goto((project / "report.html").as_uri())
    cards = newly_wrong + newly_right
    assert page.locator(".card").count() == cards
    assert page.locator(".card img").count() == 3 * cards

    table = found["The gate: green, 2 waived"]
    assert re.search(r"waived by commit [0-9a-f]{7,}: `half of the weights`", table)

    # in a clone without data all but the images is told
    run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    done = run("sh", "-c", f"cd '{tmp_path}/clone' && python -m tools.report base")
    assert answers in done.stdout
    text = (tmp_path / "clone/report.md").read_text()
    assert "`data/filtered.npz` is not here" in text
    assert "## Reproduced: not told" in text


def test_other_classes(project: Path, run: Run, params: Path, said) -> None:
    before = metrics(project, "evaluate")["test"]["accuracy"]
    change(params, filter_5_8={"classes": [3, 8]}, gridsearch={"C": [0.05, BASE_C]})
    run("dvc", "repro")
    commit_all(run)
    now = metrics(project, "evaluate")["test"]["accuracy"]
    sentence = said()
    assert sentence.startswith("`filter_5_8.classes` 5, 8 → 3, 8; `gridsearch.C` ")
    assert f"test accuracy {percent(before)} → {percent(now)} %; not paired (" in sentence
    found = sections(project)
    told = found["The same test images, answer by answer"]
    assert "Not compared: `filter_5_8.classes` 5, 8 → 3, 8" in told
    assert "No difference of the weights" in found["The weights"]
    assert "The search, before and now" in found["The search for C"]
    assert gate(run)[1]["paired_p"] == "not told"


def test_a_change_of_code_that_changes_nothing(project: Path, run: Run, said) -> None:
    file = project / "stages/train.py"
    file.write_text(file.read_text() + "\n# A word that changes no result.\n")
    assert gate(run)[1]["reproduced"] == "RED"
    assert stages_run(run("dvc", "repro")) == ["train"]
    commit_all(run)
    assert said() == "The code of `stages/train.py`: every result is the same, byte for byte."
    assert gate(run)[0] == 0
    assert "none: the same bytes" in sections(project)["Reproduced: yes"]


def test_a_metric_that_was_edited(project: Path, run: Run, said) -> None:
    file, lock = project / "metrics/evaluate.json", project / "dvc.lock"
    before = file.read_bytes()
    accuracy = str(metrics(project, "evaluate")["test"]["accuracy"]).encode()
    assert before.count(accuracy) == 1
    file.write_bytes(before.replace(accuracy, b"0.9999999999999999"))
    commit_all(run, "Better!")
    status, words = gate(run)
    assert (status, words["reproduced"], words["paired_p"]) == (1, "RED", "green")
    # with a lock that was edited to fit, dvc is content
    sums = [
        hashlib.md5(text, usedforsecurity=False).hexdigest() for text in (before, file.read_bytes())
    ]
    lock.write_text(lock.read_text().replace(*sums))
    commit_all(run, "Better still!")
    assert "up to date" in run("dvc", "status").stdout
    assert "not of one run" in said()
    # and what CI does finds whatever was edited
    done = run("python", "-m", "tools.reproduced", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "not reproduced: dvc.lock",
        "not reproduced: metrics/evaluate.json",
    ]
    assert file.read_bytes() == before


@pytest.mark.long
def test_what_is_committed_is_reproduced_without_a_run(project: Path, run: Run) -> None:
    done = run("python", "-m", "tools.reproduced")
    assert stages_run(done) == []
    assert done.stdout.splitlines()[-1].startswith("reproduced: dvc.lock, metrics/ and plots/ are")
    assert run("git", "status", "--porcelain").stdout == ""


def test_a_reproduction_that_fails_leaves_the_lock(project: Path, run: Run, params: Path) -> None:
    lock = (project / "dvc.lock").read_bytes()
    file = project / "stages/train.py"
    file.write_text("raise SystemExit(3)\n")
    done = run("python", "-m", "tools.reproduced", check=False)
    assert done.returncode not in (0, 3)
    assert (project / "dvc.lock").read_bytes() == lock


@pytest.mark.long
def test_the_hooks(project: Path, run: Run, params: Path, tmp_path: Path) -> None:
    hooks = partial(run, "pre-commit", "run", "--all-files", PRE_COMMIT_HOME=str(tmp_path))
    done = hooks()
    assert done.stdout.count("Passed") == 6
    assert "make repro" not in done.stdout
    change(params, train={"C": -1})
    big = project / "plots/big.bin"
    big.write_bytes(bytes(600_000))
    stage = project / "stages/train.py"
    stage.write_text(stage.read_text() + "import os\n")
    run("git", "add", "-A")
    done = hooks(check=False)
    assert done.returncode == 1
    assert "params.yaml: train.C: got -1; allowed: null" in done.stdout
    assert "plots/big.bin (586 KB) exceeds 500 KB" in done.stdout
    assert re.search(r"ruff check\.+Failed", done.stdout)
    assert "the results are not of this code and these params; make repro:" in done.stdout
    assert re.search(r"dvc status, which only warns\.+Passed", done.stdout)
