"""docs/experiments.md: every command in it, run in its order; what it prints is what it says."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
Step = tuple[str, list[str]]


def steps(page: str) -> list[Step]:
    """Each command of the page's console blocks, with the lines that it is said to print."""
    found: list[Step] = []
    for block in re.findall(r"(?s)```console\n(.*?)```", page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif found and block.startswith("$ "):
                found[-1][1].append(line)
    return found


def plain(text: str) -> list[str]:
    """The lines with single spaces; no empty ones, no rules of a table."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line.strip("─ ")]


def check(said: list[str], printed: str) -> None:
    """`said` is what was printed: `...` is any number of lines, `…` any text within one."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace("…", ".*") + r"\n"
        for line in plain("\n".join(said))
    )
    got = "".join(f"{line}\n" for line in plain(printed))
    assert re.fullmatch(pattern, got), f"said:\n{pattern}\nprinted:\n{got}"


@pytest.fixture(scope="module")
def environment(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A new terminal: `python` is not ours until .venv is activated."""
    (project / ".venv").mkdir()
    (project / ".venv/bin").symlink_to(Path(sys.prefix) / "bin")
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\nname = t\nemail = t@localhost\n")
    return {"PATH": os.defpath, "HOME": str(home), "COLUMNS": "120"}


def shell(
    project: Path, environment: dict[str, str], *commands: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", "-ec", "\n".join(commands)],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_page_is_what_happens(project: Path, environment: dict[str, str]) -> None:
    activate, *rest = steps(PAGE)
    assert activate == (". .venv/bin/activate", [])
    assert len(rest) > 15
    for command, said in rest:
        done = shell(project, environment, activate[0], command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        check(said, done.stdout)
        if command.startswith("dvc queue start"):
            wait_for_the_queue(project, environment)
    assert shell(project, environment, "git status --porcelain").stdout == ""


def wait_for_the_queue(project: Path, environment: dict[str, str]) -> None:
    for _ in range(120):
        status = shell(project, environment, ". .venv/bin/activate", "dvc queue status").stdout
        if not re.search("Queued|Running", status):
            return
        time.sleep(1)
    raise AssertionError(status)


def test_without_the_environment_a_stage_finds_no_python(project: Path) -> None:
    environment = {"PATH": str(project), "HOME": str(project.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--temp", "-S", "train.C=0.3"],
        cwd=project,
        env=environment | {"PATH": str(without_python(project.parent))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "exited with 127" in done.stderr
    assert "exited with 127" in PAGE


def without_python(folder: Path) -> Path:
    """A folder for PATH that holds git alone."""
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    for name in ("git", "sh"):
        found = next(Path(p) / name for p in os.defpath.split(":") if (Path(p) / name).exists())
        (made / name).symlink_to(found)
    return made


def test_a_dry_run_with_a_value_fails_still(run: Run) -> None:
    """When it does not, the page is wrong: DVC has mended its issue 10135."""
    done = run("dvc", "exp", "run", "--dry", "--set-param", "train.C=0.3", check=False)
    assert done.returncode != 0
    assert run("git", "status", "--porcelain").stdout == ""
