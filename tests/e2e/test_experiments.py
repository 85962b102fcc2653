"""docs/experiments.md: every command in it, run in its order; what it prints is what it says."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.long
ARTICLE = True
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
    """Each line of `said` is printed; without `...` among them, nothing else is. `…` is any text.

    The order does not count: `dvc exp diff` has the files in another one each time.
    """
    left, wanted = plain(printed), plain("\n".join(said))
    for line in wanted:
        if line == "...":
            continue
        pattern = re.compile(re.escape(line).replace("…", ".*"))
        found = next((other for other in left if pattern.fullmatch(other)), None)
        assert found is not None, f"said: {line}\nprinted: {printed}"
        left.remove(found)
    assert "..." in wanted or left == [], printed


@pytest.fixture(scope="module")
def environment(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A new terminal: `python` is not ours until .venv is activated."""
    (project / ".venv").mkdir()
    (project / ".venv/bin").symlink_to(Path(sys.prefix) / "bin")
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\nname = t\nemail = t@localhost\n")
    return {"PATH": os.defpath, "HOME": str(home), "COLUMNS": "120"}


def shell(project: Path, environment: dict[str, str], *commands: str) -> tuple[int, str]:
    """Run commands; their exit status, and all that they print."""
    with TemporaryFile("w+", encoding="utf-8") as said:  # workers would keep a pipe open
        done = subprocess.run(
            ["sh", "-ec", "\n".join(commands)],
            cwd=project,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said.seek(0)
        return done.returncode, said.read()


def test_the_page_is_what_happens(project: Path, environment: dict[str, str]) -> None:
    activate, *rest = steps(PAGE)
    assert activate == (". .venv/bin/activate", [])
    assert len(rest) > 15
    for command, said in rest:
        status, printed = shell(project, environment, activate[0], command)
        assert status == 0, f"{command}\n{printed}"
        check(said, printed)
        if command.startswith("dvc queue start"):
            wait_for_the_queue(project, environment)
    assert shell(project, environment, "git status --porcelain") == (0, "")


def wait_for_the_queue(project: Path, environment: dict[str, str]) -> None:
    for _ in range(120):
        _, printed = shell(project, environment, ". .venv/bin/activate", "dvc queue status")
        if not re.search("Queued|Running", printed):
            return
        time.sleep(1)
    raise AssertionError(printed)


def test_without_the_environment_a_stage_finds_no_python(
    project: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("git", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--temp", "-S", "train.C=0.3"],
        cwd=project,
        env=environment | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "exited with 127" in done.stderr
    assert "exited with 127" in PAGE


def test_a_dry_run_with_a_value_fails_still(run: Run) -> None:
    """When it does not, the page is wrong: DVC has mended its issue 10135."""
    done = run("dvc", "exp", "run", "--dry", "--set-param", "train.C=0.3", check=False)
    assert done.returncode != 0
    assert run("git", "status", "--porcelain").stdout == ""
