"""The gate: each limit crossed and not, waived, misspelt."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from tests.tools.conftest import Kept
from tools import gate
from tools.report import comparison
from tools.report.limits import judge, load_limits
from tools.report.reproduction import Reproduction

ACCURACY = "may_worsen_by.evaluate.test.accuracy"
WEIGHTS = "at_most.interpret.weights.nonzero"
GAP = "at_most.train.log10_duality_gap_at_most"


def test_no_change_is_green(kept: Kept) -> None:
    assert kept.judged() == dict.fromkeys(
        (ACCURACY, WEIGHTS, GAP, "paired_p", "reproduced"), "green"
    )


@pytest.mark.parametrize(
    ("metric", "value", "limit", "word"),
    [
        ("interpret.weights.nonzero", 400, WEIGHTS, "green"),
        ("interpret.weights.nonzero", 401, WEIGHTS, "RED"),
        ("train.log10_duality_gap_at_most", -7, GAP, "RED"),
    ],
)
def test_a_limit_on_a_number(kept: Kept, metric: str, value: int, limit: str, word: str) -> None:
    kept.metric(metric, value)
    words = kept.judged()
    assert words.pop(limit) == word
    assert set(words.values()) == {"green"}


def test_at_least(kept: Kept) -> None:
    kept.replace("gate.yaml", "at_least: {}", "at_least: {evaluate.train.accuracy: 0.97}")
    assert kept.judged()["at_least.evaluate.train.accuracy"] == "green"
    kept.metric("evaluate.train.accuracy", 0.9699)
    assert kept.judged()["at_least.evaluate.train.accuracy"] == "RED"


@pytest.mark.parametrize(
    ("wrong", "right", "accuracy", "paired"),
    [
        (9, 0, "green", "RED"),  # 0.48 points, by chance once in 256 times
        (29, 19, "RED", "green"),  # 0.54 points, but p = 0.19
        (2, 30, "green", "green"),  # far from chance, but better
        (30, 2, "RED", "RED"),
    ],
)
def test_accuracy_and_paired_answers(
    kept: Kept, wrong: int, right: int, accuracy: str, paired: str
) -> None:
    kept.answers(wrong, right)
    words = kept.judged()
    assert (words[ACCURACY], words["paired_p"]) == (accuracy, paired)


def test_a_fall_of_just_the_limit_is_allowed(kept: Kept) -> None:
    kept.replace("gate.yaml", "accuracy: 0.005", f"accuracy: {10 / 1866!r}")
    kept.replace("gate.yaml", "paired_p: 0.05 ", "paired_p: null ")
    kept.answers(10, 0)
    assert kept.judged()[ACCURACY] == "green"


@pytest.mark.parametrize("told", [False, None])
def test_what_is_not_reproduced_or_cannot_be_told_is_red(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, told: bool | None
) -> None:
    monkeypatch.setattr(comparison, "reproduction", lambda: Reproduction(told, "as it is"))
    assert kept.judged()["reproduced"] == "RED"
    kept.replace("gate.yaml", "reproduced: true", "reproduced: false")
    assert "reproduced" not in kept.judged()


def test_scores_that_are_not_the_accuracys_are_not_reproduced(kept: Kept) -> None:
    """Even where a dvc.lock was edited to fit."""
    kept.metric("evaluate.test.accuracy", 0.99)
    assert kept.judged()["reproduced"] == "RED"


def test_other_classes_cannot_be_paired(kept: Kept) -> None:
    kept.replace("dvc.lock", "          - 5\n          - 8\n", "          - 3\n          - 8\n")
    assert kept.judged()["paired_p"] == "not told"


class TestWaivers:
    def words(self, kept: Kept, message: str) -> dict[str, str]:
        kept.answers(9, 0)
        kept.commit(message)
        return kept.judged()

    def test_a_commits_trailer(self, kept: Kept) -> None:
        words = self.words(kept, "Fewer weights\n\nGate-Waive: paired_p: nobody needs these 9")
        assert words["paired_p"] == "waived"
        (line,) = (x for x in judge(load_limits(), kept.compared()) if x.word == "waived")
        assert "nobody needs these 9" in str(line)

    def test_the_variable(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATE_WAIVE", "\npaired_p: a label says so\n")
        assert self.words(kept, "Fewer weights")["paired_p"] == "waived"

    def test_of_another_limit_it_waives_nothing(self, kept: Kept) -> None:
        words = self.words(kept, "x\n\nGate-Waive: evaluate.test.accuracy: by its metric alone")
        assert words["paired_p"] == "RED"
        assert words[ACCURACY] == "green"  # and holds: there is nothing to waive

    def test_of_an_older_commit_it_does_not_count(self, kept: Kept) -> None:
        kept.commit("x\n\nGate-Waive: paired_p: that was before")
        kept.git("tag", "--force", "base")
        assert self.words(kept, "Fewer weights")["paired_p"] == "RED"

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            ("paired: too short", "paired: no such limit; allowed: paired_p"),
            ("paired_p:", "got paired_p:; allowed: LIMIT: the reason"),
            ("p: by its last letter", "p: no such limit; allowed: "),
        ],
    )
    def test_one_that_is_misspelt_is_an_error(self, kept: Kept, said: str, error: str) -> None:
        with pytest.raises(PipelineError, match=error):
            self.words(kept, f"Fewer weights\n\nGate-Waive: {said}")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("weights.nonzero", "weights.nonzer", r"at_most\.interpret\.weights\.nonzer: no such metr"),
        ("test.accuracy: ", "test.accuracy: x", r"gate\.yaml: may_worsen_by\.evaluate\.test\.acc"),
        ("evaluate.test.accuracy:", "train.C:", r"train\.C: docs/metrics\.md says that neither"),
        ("paired_p", "paired", r"gate\.yaml: paired: unknown key; allowed: a mapping with the"),
        ("paired_p: 0.05", "paired_p: 0", r"gate\.yaml: paired_p: got 0; allowed: a probability"),
        ("at_least: {}", "at_least: []", r"gate\.yaml: at_least: got \[\]; allowed: a mapping"),
        ("at_least: {}", "at_least: {1: 2}", r"gate\.yaml: at_least: got \{.1.: 2\}; allowed: a"),
        ("nonzero: 400", "nonzero: .inf", r"gate\.yaml: at_most\.interpret\.weights\.nonzero: got"),
    ],
)
def test_a_wrong_gate_yaml_is_one_line(kept: Kept, old: str, new: str, error: str) -> None:
    kept.replace("gate.yaml", old, new)
    with pytest.raises(PipelineError, match=error):
        kept.judged()


BOMB = "b0: &b0 [1, 2]\n" + "".join(f"b{k}: &b{k} [*b{k - 1}, *b{k - 1}]\n" for k in range(1, 60))
NESTED = '{"a": ' * 900 + "1" + "}" * 900


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("gate.yaml", BOMB, "gate.yaml: not YAML: ValueError: aliases stand for more than 10000"),
        ("params.yaml", BOMB, "params.yaml of base: not YAML: ValueError: aliases stand for more "),
        ("dvc.lock", BOMB, "dvc.lock of base: not YAML: ValueError: aliases stand for more than "),
        *(
            ("dvc.lock", text, "dvc.lock of base: missing, or no lock of stages")
            for text in (
                *("stages: {a: 1}", "stages: {a: {outs: 1}}", "stages: {a: {outs: [{path: b}]}}"),
                *("stages: {a: {outs: [{path: [b], md5: c}]}}", "stages: {a: {params: [1]}}"),
                "stages: {a: {params: {params.yaml: {filter_5_8: {classes: 5}}}}}",
            )
        ),
        ("params.yaml", "#" * 70_000, "params.yaml of base: got over 65536 bytes; allowed: 65536"),
        ("metrics/train.json", NESTED, "metrics/train.json of base: got 900 brackets; allowed: "),
    ],
)
def test_what_a_revision_holds_is_read_within_bounds(
    kept: Kept, ended, file: str, text: str, error: str
) -> None:
    """Aliases that stand for 2^60 values, nested metrics: one line, and at once."""
    path = kept.folder / file
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    kept.commit()
    kept.git("tag", "--force", "base")
    if file != "gate.yaml":
        path.write_text(before, encoding="utf-8")
    status, printed, line = ended("base")
    assert (status, printed, line.count("\n")) == (2, "", 1)
    assert line.startswith(error)


@pytest.mark.parametrize(
    "nested", ["- " * 300 + "1", "".join(f"{' ' * k}a:\n" for k in range(300))]
)
def test_deeply_nested_params_are_compared_or_refused_in_one_line(
    kept: Kept, ended, nested: str
) -> None:
    (kept.folder / "params.yaml").write_text(nested)
    status, _, noise = ended("base")
    assert status == 0 or (status == 2 and noise.count("\n") == 1)


@pytest.fixture
def ended(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Callable[[str], tuple[int, str, str]]:
    """A function that runs the command: its exit status, and what it prints."""

    def run(argument: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gate", argument])
        with pytest.raises(SystemExit) as ended:
            gate.main()
        return int(ended.value.code), *capfd.readouterr()

    return run


def test_the_commands_exit_status(kept: Kept, ended) -> None:
    refusal = "BASE: got nowhere; allowed: a revision that git knows\n"
    assert ended("nowhere") == (2, "", refusal)
    status, printed, noise = ended("base")
    assert (status, "RED" in printed, noise) == (0, False, "")
    kept.answers(9, 0)
    status, printed, noise = ended("base")
    assert (status, noise) == (1, "")
    assert "RED       paired_p: 9 newly wrong, 0 newly right, exact paired p = 0.0039" in printed


def test_the_projects_own_file_is_right(root: Path, monkeypatch, ended) -> None:
    monkeypatch.chdir(root)
    assert load_limits().names()
    assert ended("--check") == (0, "", "")
