"""The report: its sentence, its directions, its pairs, and that nothing in it breaks a page."""

import base64
import csv
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binom

from l1svc.tests.rules import examples
from pipeline.errors import PipelineError, one_line
from tests.graph import ROOT
from tests.tools.conftest import Kept
from tools.report import comparison
from tools.report.__main__ import main
from tools.report.content import content
from tools.report.limits import judge, load_limits
from tools.report.markdown import Picture, code, escape, markdown, table, text
from tools.report.metrics import Metric, documented
from tools.report.page import page
from tools.report.paired import mcnemar
from tools.report.reproduction import Reproduction, verdict
from tools.report.revision import base_revision, picture_address
from tools.report.sentence import sentence

METRICS = documented((ROOT / "docs/metrics.md").read_text(encoding="utf-8")).values()


class TestTheSentence:
    def test_nothing(self, kept: Kept) -> None:
        assert sentence(kept.compared()) == (
            "No code, param or data changed: every result is the same, byte for byte."
        )

    def test_a_file_beside_the_pipeline(self, kept: Kept) -> None:
        kept.replace("docs/metrics.md", "# The metrics", "# The numbers")
        said = sentence(kept.compared())
        assert said.startswith("1 file changed, no code, param or data of the pipeline: every res")

    def test_another_c(self, kept: Kept) -> None:
        kept.replace("params.yaml", "  C:      ", "  C: 0.025")
        kept.metric("train.C", 0.025)
        kept.metric("interpret.weights.nonzero", 140)
        kept.answers(14, 2)
        assert sentence(kept.compared()) == (
            "`train.C` the search's best (0.2) → 0.025: test accuracy 96.20 → 95.55 %; 14 newly "
            "wrong, 2 newly right, exact paired p = 0.0042; 285 → 140 weights."
        )

    def test_chance_is_called_chance(self, kept: Kept) -> None:
        kept.answers(5, 3)
        assert "exact paired p = 0.73, no more than chance" in sentence(kept.compared())

    def test_other_classes_are_not_paired(self, kept: Kept) -> None:
        for file, indent in (("params.yaml", "  "), ("dvc.lock", "          ")):
            kept.replace(file, f"{indent}- 5\n{indent}- 8\n", f"{indent}- 3\n{indent}- 8\n")
        kept.metric("evaluate.test.accuracy", 0.95)
        said = sentence(kept.compared())
        assert "; not paired (`filter_5_8.classes` 5, 8 → 3, 8); " in said
        assert "newly" not in said

    def test_another_grid(self, kept: Kept) -> None:
        kept.replace("params.yaml", "  - 0.025\n", "  - 0.0125\n")
        kept.metric("gridsearch.best.C", 0.05)
        said = sentence(kept.compared())
        assert said.startswith("`gridsearch.C` 0.025, 0.05, 0.1, 0.2, 0.4 → 0.0125, 0.05, 0.1,")
        assert "every answer the same; best C 0.2 → 0.05; 285 weights as before." in said

    @pytest.mark.parametrize(
        ("paths", "what", "differs"),
        [
            (
                ["figures/weights.py", "plots/weights.png"],
                "The code of `figures/weights.py`",
                "`plots/weights.png` differs.",
            ),
            (
                ["data/raw/images.npz"],
                "Results differ, no code and no param",
                "`data/raw/images.npz` differs.",
            ),
        ],
    )
    def test_results_without_another_metric(
        self, kept: Kept, paths: list[str], what: str, differs: str
    ) -> None:
        kept.another(*paths)
        said = sentence(kept.compared())
        assert said.startswith(f"{what}: no metric and no answer changed (test accuracy 96.20 %, ")
        assert said.endswith(differs)

    def test_what_is_not_reproduced_says_so_first(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(comparison, "reproduction", lambda: Reproduction(False, "x is edited"))
        said = sentence(kept.compared())
        assert said.startswith("**Not reproduced** (x is edited). As it stands, no code, param or")

    @pytest.mark.parametrize(
        ("value", "shown"),
        [("null", "none"), ("[1, 2]", "1, 2"), ("a`b", "a'b")],
    )
    def test_any_value_can_be_shown(self, kept: Kept, value: str, shown: str) -> None:
        kept.replace("params.yaml", "solver: newton ", f"solver: {value} ")
        said = Parsed(page([text(sentence(kept.compared()))], "t")).text
        assert f"gridsearch.solver newton → {shown}: every result" in said


class TestMetrics:
    @pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
    def test_the_verdict_is_the_documented_direction(self, metric: Metric) -> None:
        expected = {"higher": ("better", "worse"), "lower": ("worse", "better")}
        up, down = expected.get(metric.better, ("neither", "neither"))
        assert (metric.verdict(0.1, 0.2), metric.verdict(0.2, 0.1)) == (up, down)
        assert metric.verdict(0.1, 0.1) == "same"
        assert (metric.verdict(None, 1), metric.verdict(1, None)) == ("new", "gone")

    def test_units_are_shown(self) -> None:
        share, count, power = (
            next(metric for metric in METRICS if metric.unit == unit)
            for unit in ("share", "weights", "power of ten")
        )
        assert (share.shown(0.96194), share.step(0.96195, 0.95552)) == ("96.19 %", "−0.64 points")
        assert (count.shown(285), count.step(285, 140)) == ("285", "−145")
        assert (power.shown(-9), power.step(-9, -8)) == ("1e-9", "× 10")

    def test_a_metric_without_its_line_is_not_guessed(self, kept: Kept) -> None:
        kept.metric("evaluate.test.speed", 3)
        line = "| `evaluate.test.speed` | – | 3 |  | new (not in docs/metrics.md) |"
        assert line in markdown(content(kept.compared()))

    def test_a_line_that_is_none_is_refused(self, kept: Kept) -> None:
        kept.replace("docs/metrics.md", "| share | higher |", "| share | up |")
        with pytest.raises(PipelineError, match=r"docs/metrics\.md: no line of a metric"):
            kept.compared()


@examples(30)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sum_of_what_is_as_uneven(wrong: int, right: int) -> None:
    n = wrong + right
    uneven = [k for k in range(n + 1) if abs(2 * k - n) >= abs(wrong - right)]
    assert mcnemar(wrong, right) == pytest.approx(binom.pmf(uneven, n, 0.5).sum())
    assert mcnemar(wrong, right) == mcnemar(right, wrong)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(14, 2) == pytest.approx(2 * (1 + 16 + 120) / 2**16)
    assert mcnemar(0, 0) == 1.0


class TestPairs:
    def test_each_image_is_counted_on_its_side(self, kept: Kept) -> None:
        kept.answers(3, 2)
        pairs = kept.compared().pairs
        assert (len(pairs.newly_wrong), len(pairs.newly_right)) == (3, 2)
        assert pairs.before.right[pairs.newly_wrong].all()
        assert not pairs.after.right[pairs.newly_wrong].any()

    def test_a_table_of_other_images_is_refused(self, kept: Kept) -> None:
        kept.replace("plots/scores.csv", "\n5,-1.009280157,5,8\n", "\n8,-1.009280157,5,8\n")
        with pytest.raises(PipelineError, match=r"plots/scores\.csv: not of the images"):
            kept.compared()

    @pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "actual,f,negative,positive\n5,x,5,8\n"])
    def test_no_table_is_one_line(self, kept: Kept, text: str) -> None:
        (kept.folder / "plots/scores.csv").write_text(text)
        with pytest.raises(PipelineError, match=r"plots/scores\.csv of work tree: missing, or no"):
            kept.compared()

    def test_other_data_of_the_same_classes_are_not_paired(self, kept: Kept) -> None:
        kept.another("data/filtered.npz")
        assert kept.compared().pairs == "`data/filtered.npz` is another one"


CHANGED = "`train`: code, params or data changed"
GONE = {"data/x": "deleted"}


@pytest.mark.parametrize(
    ("status", "results", "inputs", "holds", "said"),
    [
        ({}, [], [], True, "every result is what dvc.lock says"),
        ({}, ["plots/a"], ["params.yaml"], True, "not committed yet"),
        ({}, ["metrics/a"], [], False, "`metrics/a`: the code gives another than HEAD"),
        ([{"changed outs": {"m": "modified"}}], [], [], False, "`m`: not what dvc.lock says"),
        ([{"changed deps": {"p": {"train.C": "modified"}}}], [], [], False, CHANGED),
        (["changed command"], [], [], False, CHANGED),
        ([{"changed outs": GONE}, {"changed deps": GONE}], [], [], None, "`data/x`: not here"),
    ],
)
def test_reproduced_or_not(status, results, inputs, holds: bool | None, said: str) -> None:
    found = verdict({"train": status} if status else {}, results, inputs)
    assert found.holds is holds
    assert said in found.why


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:a/b.git", "https://github.com/a/b/blob/C/plots/w.png?raw=true"),
        (
            "https://me:token@github.com/a/b.git/",
            "https://github.com/a/b/blob/C/plots/w.png?raw=true",
        ),
        ("ssh://git@gitlab.com:22/g/s/b.git", "https://gitlab.com/g/s/b/-/raw/C/plots/w.png"),
        ("/srv/git/b.git", None),
        ("https://example.org/a/b", None),
    ],
)
def test_a_picture_has_its_address_on_a_forge(remote: str, address: str | None) -> None:
    assert picture_address(remote, "C", "plots/w.png") == address


class TestTheBase:
    def test_by_default_it_is_where_the_main_branch_was_left(self, kept: Kept) -> None:
        kept.git("branch", "main")
        kept.git("switch", "-qc", "work")
        kept.commit("one")
        kept.git("switch", "-q", "main")
        kept.commit("another")
        kept.git("switch", "-q", "work")
        for nothing in (None, "", "0" * 40):
            found = base_revision(nothing)
            assert found.commit == kept.git("rev-parse", "base")
            assert found.name == f"main, {found.commit[:7]}"

    def test_without_a_main_branch_it_must_be_named(self, kept: Kept) -> None:
        with pytest.raises(PipelineError, match="BASE: missing, and there is none of"):
            base_revision(None)

    @pytest.mark.parametrize("asked", ["nowhere", "--help", "HEAD:params.yaml"])
    def test_no_revision_is_one_line(self, kept: Kept, asked: str) -> None:
        with pytest.raises(
            PipelineError, match=r"BASE: got .*; allowed: a revision that git knows"
        ):
            base_revision(asked)

    @pytest.mark.parametrize("file", ["dvc.lock", "metrics/evaluate.json", "docs/metrics.md"])
    def test_what_is_missing_or_damaged_is_one_line(self, kept: Kept, file: str) -> None:
        (kept.folder / file).unlink()
        with pytest.raises(PipelineError, match=re.escape(file)):
            kept.compared()
        if file != "docs/metrics.md":
            (kept.folder / file).write_text("{")
            with pytest.raises(PipelineError, match=rf"{re.escape(file)} of work tree.*: not "):
                kept.compared()


class Parsed(HTMLParser):
    """The tags of a page and its text; every tag that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "wbr", "hr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def rendered(markdown: str) -> str:
    """As GitHub does it."""
    return cmarkgfm.github_flavored_markdown_to_html(
        markdown, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE
    )


def test_both_pages_are_whole_and_small(kept: Kept) -> None:
    kept.answers(20, 30)
    kept.replace("plots/weights.csv", "10,10,", "10,10,1")
    parts = list(content(kept.compared()))
    html, for_forges = page(parts, "a title"), markdown(parts)
    assert len(html.encode()) < 2**20
    assert len(for_forges.encode()) < 2**20
    tags = Parsed(html).tags
    assert {attrs["src"][:11] for tag, attrs in tags if tag == "img"} == {"data:image/"}
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}
    assert all(attrs.get("alt") for tag, attrs in tags if tag == "img")
    assert "data:" not in for_forges
    heads = re.findall(r"<h2>(.*?)</h2>", rendered(for_forges))
    assert heads == re.findall(r"<h2>(.*?)</h2>", html)
    assert "20 newly wrong" in Parsed(rendered(for_forges)).text


@pytest.mark.parametrize("remote", ["git@github.com:a/b.git", None])
def test_pictures_are_linked_by_the_commit_that_made_them(kept: Kept, remote: str | None) -> None:
    if remote:
        kept.git("remote", "add", "origin", remote)
    changed, *others = (kept.folder / f"plots/{name}.png" for name in ("weights", "path", "entry"))
    changed.write_bytes(others[0].read_bytes())
    kept.commit("another heatmap")
    base, made = kept.git("rev-parse", "base"), kept.git("rev-parse", "HEAD")
    kept.commit("a later one")
    place = "https://github.com/a/b/blob/{}/plots/weights.png?raw=true"

    def linked() -> tuple[str, set[str | None]]:
        written = markdown(content(kept.compared()))
        tags = Parsed(rendered(written)).tags
        return written, {attrs["src"] for tag, attrs in tags if tag == "img"}

    written, sources = linked()
    if not remote:
        assert sources == set()
        assert "`plots/weights.png`, in report.html" in written
        return
    assert {place.format(base), place.format(made)} <= sources
    changed.write_bytes(others[1].read_bytes())  # not committed: no link would show it
    _, sources = linked()
    assert place.format(made) not in sources


@examples(50)
@given(st.text(max_size=40) | st.text("`|*\\<a>&~_[](!)#@:-\n ", max_size=12))
def test_any_text_stays_text(value: str) -> None:
    """A class's name, a param, a reason: in both pages it is what it was, and nothing else."""
    line = one_line(value)
    quoted = line.replace("`", "'")
    inside = text(f"a {code(value)} z")
    parts = [table(["a", "b"], [[code(value), value]]), inside, f"a {escape(value)} z"]
    allowed = {*("table", "thead", "tr", "th", "tbody", "td"), *("p", "code", "strong")}
    around = {"html", "head", "meta", "title", "style", "body", "main", "wbr"}
    for shown in (Parsed(page(parts, "t")), Parsed(rendered(markdown(parts)))):
        assert {tag for tag, _ in shown.tags} <= allowed | around
        assert f"a {line} z" in shown.text
        assert shown.text.count(quoted) >= 2


IMAGE = "<img src=x onerror=alert(1)>"
NAMES = [f"a\n{IMAGE}.py", f"a\n\n{IMAGE}\n\n.py", f"`{IMAGE}", f"|`|{IMAGE}", f"**`**{IMAGE}"]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_brings_markup_of_its_own(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of a file, a class, a revision, a param, a metric; nor does the reason of a waiver."""
    scores = kept.folder / "plots/scores.csv"
    lines = list(csv.reader(scores.read_text().splitlines()))
    with scores.open("w", newline="") as file:
        csv.writer(file).writerows([name if cell == "8" else cell for cell in row] for row in lines)
    kept.commit()
    kept.git("tag", "<b>`x")
    monkeypatch.setattr(comparison, "reproduction", lambda: verdict({}, [], [name]))
    (kept.folder / name).write_text("")
    kept.answers(9, 0)
    kept.replace("params.yaml", "train:\n", f"train:\n  {json.dumps(name)}: {json.dumps(name)}\n")
    kept.metric("interpret.x", name)
    kept.commit(f"x\n\nGate-Waive: paired_p: <i>{IMAGE}</i>")
    found = kept.compared("<b>`x")
    parts = list(content(found, judge(load_limits(), found)))
    for html in (page(parts, "t"), rendered(markdown(parts))):
        shown = Parsed(html)
        assert not {"b", "i"} & {tag for tag, _ in shown.tags}
        assert not any("onerror" in attrs for _, attrs in shown.tags)
        assert shown.text.count(IMAGE) > 9  # on each card, too
        assert f"<i>{IMAGE}</i>" in shown.text
        assert "<b>`x" in shown.text


def test_a_picture_keeps_every_pixel(root: Path) -> None:
    data = (root / "plots/weights.png").read_bytes()
    html = page([[Picture("a", "b", data)]], "t")
    inside = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    assert len(inside) < len(data) / 2
    before, after = (np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in (data, inside))
    np.testing.assert_array_equal(before, after)


def test_the_command_refuses_in_one_line(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["report", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capfd.readouterr() == ("", "BASE: got nowhere; allowed: a revision that git knows\n")
    assert not (kept.folder / "report.md").exists()


def test_the_table_of_scores_has_what_evaluate_answers(root: Path) -> None:
    """Above 0 is the positive class, in the table as in the stage."""
    with (root / "plots/scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    cells: dict[tuple[str, str], int] = {}
    for row in rows:
        said = row["positive"] if float(row["f"]) > 0 else row["negative"]
        cells[row["actual"], said] = cells.get((row["actual"], said), 0) + 1
    with (root / "plots/confusion.csv").open() as file:
        counts = {(r["actual"], r["predicted"]): int(r["images"]) for r in csv.DictReader(file)}
    assert cells == counts
