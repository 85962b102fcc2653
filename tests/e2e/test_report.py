"""Reports on real changes, by the real dvc, opened in a browser. Each change is its own commit."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import QUICK, WHO, Run, change, stages_run

WIDTHS = [1300, 400]


@pytest.fixture(scope="module", autouse=True)
def base(run: Run) -> None:
    """Quick enough; the tag `base` is what all is compared with."""
    run("git", "remote", "add", "origin", "git@github.com:someone/digits.git")
    change(Path(run("pwd").stdout.strip()) / "params.yaml", interpret=QUICK)
    run("dvc", "repro")
    run("git", *WHO, "commit", "-qam", "quick")
    run("git", "tag", "base")


@pytest.fixture(autouse=True)
def back(run: Run) -> Iterator[None]:
    """Everything as at `base` when the test is over, by git and dvc."""
    yield
    run("git", "reset", "-q", "--hard", "base")
    run("dvc", "checkout", "--quiet")


@pytest.fixture
def commit(run: Run) -> Callable[[str], None]:
    def all_of_it(message: str = "a change") -> None:
        run("git", "add", "-A")
        run("git", *WHO, "commit", "-qm", message)

    return all_of_it


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
    assert page.locator("p.lead").inner_text() == sentence
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


def metric(project: Path, file: str, *keys: str) -> Any:
    found = json.loads((project / f"metrics/{file}.json").read_text())
    for key in keys:
        found = found[key]
    return found


def test_no_change_at_all(project: Path, run: Run, report) -> None:
    assert report() == "No code, param or data changed: every result is the same, byte for byte."
    assert gate(run)[0] == 0
    found = sections(project)
    assert "`dvc.lock` is the same" in found["Reproduced: yes"]
    assert "No answer changed; no score did." in found["The same test images, answer by answer"]
    assert run("git", "status", "--porcelain").stdout == ""  # its own files are ignored


def test_another_c(project: Path, run: Run, params: Path, report, said, commit, page: Page) -> None:
    change(params, train={"C": 0.025})
    run("dvc", "repro")
    # before it is committed: told, and nothing is linked that no commit has
    assert said().startswith("`train.C` the search's best (0.2) → 0.025: test accuracy 96.20 →")
    assert "is not committed yet" in sections(project)["Reproduced: yes"]
    commit("Fewer weights")
    assert report() == (
        "`train.C` the search's best (0.2) → 0.025: test accuracy 96.20 → 95.55 %; 14 newly wrong, "
        "2 newly right, exact paired p = 0.0042; 285 → 140 weights."
    )
    found = sections(project)
    assert "overlap; they cannot tell" in " ".join(
        found["The same test images, answer by answer"].split()
    )
    assert found["The weights"].split("<details")[0].count("<img") == 2
    assert "the difference" in found["The weights"]
    assert "Every result is what dvc.lock says" in found["Reproduced: yes"]
    page.goto((project / "report.html").as_uri())
    cards = page.locator(".card")
    assert cards.count() == 16
    assert page.locator(".card img").count() == 3 * 16
    with (project / "plots/scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    wrong = [k for k, r in enumerate(rows) if (float(r["f"]) > 0) != (r["actual"] == "8")]
    assert len(wrong) == 69 + 14
    status, words = gate(run)
    assert status == 1
    assert {name for name, word in words.items() if word == "RED"} == {
        "may_worsen_by.evaluate.test.accuracy",
        "paired_p",
    }


def test_limits_that_are_waived(project: Path, run: Run, params: Path, said, commit) -> None:
    change(params, train={"C": 0.025})
    run("dvc", "repro")
    commit("Fewer weights\n\nGate-Waive: paired_p: half of the weights\n")
    status, words = gate(run)
    assert (status, words["paired_p"]) == (1, "waived")
    run("git", *WHO, "commit", "-q", "--allow-empty", "-m", "x\n\nGate-Waive: accuracy: so be it")
    status, words = gate(run)
    assert (status, words["may_worsen_by.evaluate.test.accuracy"]) == (0, "waived")
    said()
    table = sections(project)["The gate: green, 2 waived"]
    assert re.search(r"waived by commit [0-9a-f]{7,}: `half of the weights`", table)


def test_other_classes(project: Path, run: Run, params: Path, report, commit) -> None:
    change(params, filter_5_8={"classes": [3, 8]})
    run("dvc", "repro")
    commit()
    now = metric(project, "evaluate", "test", "accuracy")
    sentence = report()
    assert sentence.startswith(
        f"`filter_5_8.classes` 5, 8 → 3, 8: test accuracy 96.20 → {100 * now:.2f} %; not "
        "paired (`filter_5_8.classes` 5, 8 → 3, 8); "
    )
    found = sections(project)
    assert (
        "Not compared: `filter_5_8.classes` 5, 8 → 3, 8"
        in (found["The same test images, answer by answer"])
    )
    assert "No difference of the weights" in found["The weights"]
    assert gate(run)[1]["paired_p"] == "not told"


def test_another_grid(project: Path, run: Run, params: Path, report, commit) -> None:
    change(params, gridsearch={"C": [0.0125, 0.025, 0.05, 0.1]})
    run("dvc", "repro")
    commit()
    assert report().startswith(
        "`gridsearch.C` 0.025, 0.05, 0.1, 0.2, 0.4 → 0.0125, 0.025, 0.05, 0.1: test accuracy 96.20 "
    )
    assert "best C 0.2 → 0.1; 285 → " in (project / "report.md").read_text()
    assert "The search, before and now" in sections(project)["The search for C"]


def test_a_change_of_code_that_changes_nothing(
    project: Path, run: Run, report, said, commit
) -> None:
    file = project / "stages/train.py"
    file.write_text(file.read_text() + "\n# A word that changes no result.\n")
    assert said().startswith("**Not reproduced** (`train`: code, params or data changed")
    assert gate(run)[1]["reproduced"] == "RED"
    assert stages_run(run("dvc", "repro")) == ["train"]
    commit()
    assert report() == ("The code of `stages/train.py`: every result is the same, byte for byte.")
    assert gate(run)[0] == 0
    assert "none: the same bytes" in sections(project)["Reproduced: yes"]


def test_a_metric_that_was_edited(project: Path, run: Run, report, said, commit) -> None:
    file, lock = project / "metrics/evaluate.json", project / "dvc.lock"
    before = file.read_bytes()
    file.write_bytes(before.replace(b"0.9619506966773848", b"0.9919506966773848"))
    commit("Better!")
    assert report().startswith(
        "**Not reproduced** (`metrics/evaluate.json`: not what dvc.lock says came out; "
    )
    status, words = gate(run)
    assert (status, words["reproduced"], words["paired_p"]) == (1, "RED", "green")
    # with a lock that was edited to fit, dvc is content
    sums = [
        hashlib.md5(text, usedforsecurity=False).hexdigest() for text in (before, file.read_bytes())
    ]
    lock.write_text(lock.read_text().replace(*sums))
    commit("Better still!")
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
    assert said().startswith("**Not reproduced** (`dvc.lock`, `metrics/evaluate.json`: the code")


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


def test_in_a_clone_without_data_all_but_the_images_is_told(
    project: Path, run: Run, params: Path, commit, tmp_path: Path
) -> None:
    change(params, train={"C": 0.025})
    run("dvc", "repro")
    commit()
    run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    shutil.rmtree(tmp_path / "clone/.dvc/tmp", ignore_errors=True)
    done = run("sh", "-c", f"cd '{tmp_path}/clone' && python -m tools.report base")
    assert "14 newly wrong, 2 newly right" in done.stdout
    text = (tmp_path / "clone/report.md").read_text()
    assert "`data/filtered.npz` is not here" in text
    assert "## Reproduced: not told" in text


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
