"""What runs for a change: the workflows on GitHub, GitLab's pipeline, the hooks."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.check_python import HIGHEST, LOWEST

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
PYTHONS = [f"3.{minor}" for minor in range(LOWEST[1], HIGHEST[1] + 1)]
TARGETS = re.search(r"(?m)^\.PHONY: (.+)$", (ROOT / "Makefile").read_text()).group(1).split()


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:bool"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader)
    return found


def workflow(name: str) -> dict[str, Any]:
    return load(ROOT / f".github/workflows/{name}.yml")


def commands(steps: list[Any]) -> str:
    return "\n".join(step["run"] if isinstance(step, dict) else step for step in steps)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestWorkflow:
    def test_permissions_are_none_and_each_jobs_are_named(self, file: Path) -> None:
        found = load(file)
        assert found["permissions"] == {}
        for name, job in found["jobs"].items():
            wanted = {"contents": "read"}
            if name == "issue":
                wanted = {"actions": "read", "issues": "write"}
            assert job["permissions"] == wanted, name

    def test_who_may_write_runs_no_code_of_the_project(self, file: Path) -> None:
        for job in load(file)["jobs"].values():
            if "write" in job["permissions"].values():
                assert not any("uses" in step for step in job["steps"])
                assert "make" not in commands(job["steps"])

    def test_a_newer_run_ends_an_older_one_and_all_ends_in_time(self, file: Path) -> None:
        found = load(file)
        concurrency = found["concurrency"]
        assert concurrency["cancel-in-progress"] == "true"
        assert "pull_request" not in found["on"] or "github.ref" in concurrency["group"]
        assert all(int(job["timeout-minutes"]) <= 60 for job in found["jobs"].values())

    def test_every_action_is_pinned_by_one_commit(self, file: Path) -> None:
        used = re.findall(r"uses: (.+)", file.read_text())
        assert used
        for action in used:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
        every = {use for one in FILES for use in re.findall(r"uses: (.+)", one.read_text())}
        assert len(every) == len({use.split("@")[0] for use in every})

    def test_nothing_of_the_event_is_written_into_a_script(self, file: Path) -> None:
        for job in load(file)["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")

    def test_every_make_target_is_one(self, file: Path) -> None:
        named = re.findall(r"\bmake ([a-z]\w*)", file.read_text())
        assert set(named) <= set(TARGETS)


def test_every_supported_python_and_arm64_run() -> None:
    matrix = workflow("report")["jobs"]["reproduce"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert any(entry["runner"] == "ubuntu-24.04-arm" for entry in matrix["include"])
    jobs = workflow("ci")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == PYTHONS
    assert jobs["arm64"]["runs-on"] == "ubuntu-24.04-arm"


def test_one_job_of_the_matrix_answers() -> None:
    job = workflow("report")["jobs"]["reproduce"]
    answering = [entry for entry in job["strategy"]["matrix"]["include"] if "answers" in entry]
    assert len(answering) == 1
    for step in job["steps"]:
        told = step.get("run", "") + step.get("with", {}).get("path", "")
        if re.search(r"report|gate|explorer", told):
            assert "!cancelled() && matrix.answers" in step["if"]  # of a failed reproduction too


def test_caches_are_keyed_by_the_locks() -> None:
    steps = workflow("report")["jobs"]["reproduce"]["steps"]
    keys = {step["with"]["path"]: step["with"]["key"] for step in steps if "key" in str(step)}
    hashed = {path: re.search(r"hashFiles\((.+)\)", key)[1] for path, key in keys.items()}
    assert hashed == {
        "~/.cache/uv": "'requirements.txt', 'requirements/setup.txt'",
        ".dvc/cache": "'dvc.lock'",
    }
    for key in keys.values():  # what one Python made is no proof of another
        assert "matrix.python" in key
        assert "runner.arch" in key


def test_results_open_in_the_browser() -> None:
    steps = workflow("report")["jobs"]["reproduce"]["steps"]
    uploads = {s["with"]["path"]: s["with"] for s in steps if "upload" in s.get("uses", "")}
    assert set(uploads) == {"report.html", "plots/explorer.html"}
    assert {one["archive"] for one in uploads.values()} == {"false"}


def test_gitlab_runs_the_same_commands() -> None:
    found = load(ROOT / ".gitlab-ci.yml")
    ours = commands(found["reproduce"]["script"])
    theirs = commands([s for s in workflow("report")["jobs"]["reproduce"]["steps"] if "run" in s])
    made = re.findall(r"make .+", theirs)
    assert re.findall(r"make .+", ours) == made
    assert [line.split()[1] for line in made] == ["reproduced", "report", "gate"]
    (matrix,) = found["reproduce"]["parallel"]["matrix"]
    assert matrix["PYTHON"] == PYTHONS


SCHEMA = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
WORKFLOWS = [str(file) for file in FILES]
LINTERS = [
    ["actionlint", *WORKFLOWS],
    [*["zizmor", "--offline", "--no-progress", "--quiet", "--strict-collection"], *WORKFLOWS],
    [*SCHEMA, "vendor.github-workflows", *WORKFLOWS],
    [*SCHEMA, "vendor.gitlab-ci", str(ROOT / ".gitlab-ci.yml")],
]


def lint(command: list[str]) -> subprocess.CompletedProcess:
    program = Path(sys.executable).parent / command[0]
    return subprocess.run([str(program), *command[1:]], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", LINTERS, ids=["actionlint", "zizmor", "github", "gitlab"])
def test_linters_find_nothing(command: list[str]) -> None:
    done = lint(command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("linter", "old", "new"),
    [
        ("actionlint", "ubuntu-24.04]", "ubuntu-99.04]"),
        ("zizmor", "persist-credentials: false", "fetch-tags: false"),
    ],
)
def test_the_linters_would_find_it(tmp_path: Path, linter: str, old: str, new: str) -> None:
    text = (ROOT / ".github/workflows/report.yml").read_text()
    assert old in text
    file = tmp_path / ".github/workflows/report.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(old, new))
    command = next(command for command in LINTERS if command[0] == linter)
    done = lint([word for word in command if not word.endswith(".yml")] + [str(file)])
    assert done.returncode != 0, done.stdout


def test_hooks_are_local_and_need_nothing_fetched() -> None:
    found = load(ROOT / ".pre-commit-config.yaml")
    assert [repo["repo"] for repo in found["repos"]] == ["local"]
    for hook in found["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert shlex.split(hook["entry"])[:2] == ["sh", "-c"]
        assert ".venv/bin" in hook["entry"]
