"""How a stage runs: its section, and what is refused when it ends."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pipeline.stage
from pipeline.alone import alone
from pipeline.errors import PipelineError
from pipeline.params import Train, load_params
from pipeline.stage import run_stage


def write(text: str) -> None:
    Path("params.yaml").write_text(text, encoding="utf-8")


GIVES_BACK = " (then `dvc repro` gives all results back)\n"


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a stage that is refused; what it says."""
    monkeypatch.chdir(tmp_path)

    def run(main: Callable[..., object], section: str | None) -> str:
        with pytest.raises(SystemExit) as caught:
            run_stage(main, section)
        assert caught.value.code == 2
        return capsys.readouterr().err

    return run


def test_a_stage_gets_its_own_section(tmp_path: Path, params_text: str, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(params_text)
    given: list[object] = []
    run_stage(given.append, "train")
    assert given == [load_params().train]
    run_stage(lambda: given.append("without"))
    assert given[1:] == ["without"]


def test_a_section_that_changes_while_its_stage_runs_is_refused(
    tmp_path: Path, params_text: str, refused
) -> None:
    write(params_text)

    def edit(params: Train) -> None:
        assert params.C is None
        write(params_text.replace("C:\n", "C: 0.3\n"))

    said = refused(edit, "train")
    assert said.startswith("params.yaml: train: changed while the stage ran, ")
    assert said.endswith(GIVES_BACK)
    run_stage(lambda params: write(params_text), "gridsearch")  # another's section


def test_a_refused_stage_says_how_its_results_come_back(
    tmp_path: Path, params_text: str, refused
) -> None:
    write(params_text.replace("cv: 5", "cv: 1"))
    assert refused(print, "train") == (
        "params.yaml: gridsearch.cv: got 1; allowed: an integer, 2 to 100 folds" + GIVES_BACK
    )

    def fail(command: str = "") -> None:
        raise PipelineError(f"data: missing{command}")

    assert refused(fail, None) == "data: missing" + GIVES_BACK
    assert refused(lambda: fail("; `dvc repro` makes it"), None) == (
        "data: missing; `dvc repro` makes it\n"
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_module_that_changes_while_its_stage_runs_is_refused(
    tmp_path: Path, params_text: str, refused, monkeypatch, late: bool
) -> None:
    """Imported before, or by the stage itself after the edit: DVC will hash the new one."""
    write(params_text)
    monkeypatch.setattr(pipeline.stage, "ROOT", tmp_path)
    (tmp_path / "tools").mkdir()
    file = tmp_path / "tools/thing.py"
    file.write_text("value = 1\n")

    def bring_in() -> None:
        spec = importlib.util.spec_from_file_location("tools.thing", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setitem(sys.modules, "tools.thing", module)

    def work(_params: Train) -> None:
        file.write_text("value = 2\n")
        if late:
            bring_in()

    if not late:
        bring_in()
    assert refused(work, "train") == "tools/thing.py: changed while the stage ran" + GIVES_BACK
    run_stage(lambda params: None, "train")
    assert refused(lambda params: file.unlink(), "train").startswith("tools/thing.py: changed ")


def test_a_module_that_no_stage_imports_may_change(
    tmp_path: Path, params_text: str, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(params_text)
    monkeypatch.setattr(pipeline.stage, "ROOT", tmp_path)
    (tmp_path / "tools").mkdir()
    run_stage(lambda params: (tmp_path / "tools/other.py").write_text(""), "train")


WAITING = "Waiting for a stage that still runs in this folder"


@pytest.mark.parametrize(("stage", "moment"), [("interpret", " numpy"), ("filter_5_8", WAITING)])
def test_ctrl_c_ends_a_stage_at_once_and_without_a_word(
    root: Path, tmp_path: Path, stage: str, moment: str
) -> None:
    """While it imports, too, which is most of a stage's time. It cannot end by itself."""
    with alone(tmp_path, ""):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", f"stages.{stage}"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # a test run in the background ignores Ctrl-C, and would hand that on
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while not process.stdout.readline().endswith(f"{moment}\n"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = process.communicate()[0].splitlines()
    assert process.returncode == -signal.SIGINT
    assert [line for line in said if not line.startswith(("import time:", WAITING))] == []


ORPHAN = """
import time
from pathlib import Path
from pipeline.stage import run_stage
def main():
    print("runs", flush=True)
    time.sleep(SECONDS)
    Path("result").write_text("of an orphan")
run_stage(main)
"""


@pytest.mark.parametrize("by_dvc", [True, False])
def test_a_stage_whose_dvc_is_gone_ends_before_it_writes(
    root: Path, tmp_path: Path, by_dvc: bool
) -> None:
    """Its results would take the place of those of the run that follows."""
    (tmp_path / "orphan.py").write_text(ORPHAN.replace("SECONDS", "300" if by_dvc else "1"))
    start = "import subprocess, sys; subprocess.run([sys.executable, 'orphan.py'])"
    parent = subprocess.Popen(
        [sys.executable, "-c", start],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)} | ({"DVC_STAGE": "train"} if by_dvc else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert parent.stdout.readline() == "runs\n"
    parent.kill()
    with alone(tmp_path, ""):  # it holds the folder for as long as it runs
        said = parent.communicate()[0]
    assert said == ("dvc is gone, which would record the results: ended\n" if by_dvc else "")
    assert (tmp_path / "result").exists() == (not by_dvc)
