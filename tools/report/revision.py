"""A state of the project, a commit or the work tree: its files, params, lock, metrics, tables."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from pipeline.errors import PipelineError
from tools.git import GitError, git, git_file

LOCK, PARAMS = "dvc.lock", "params.yaml"
MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")  # the main branch's names


class ReportError(PipelineError):
    """The two revisions cannot be compared; the message says why."""


@dataclass(frozen=True)
class Revision:
    """name: for people; commit: in full, None for the work tree."""

    name: str
    commit: str | None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file that git keeps; None if there is none."""
        if self.commit is None:
            return Path(path).read_bytes() if Path(path).is_file() else None
        return git_file(self.commit, path)

    def _parsed(self, path: str, parse: Callable[[str], Any]) -> Any:
        data = self.read(path)
        try:
            return None if data is None else parse(data.decode())
        except Exception as error:  # damaged text makes a parser raise almost anything
            reason = f"{type(error).__name__}: {error}"[:120]
            raise ReportError(f"{path} of {self.name}: damaged ({reason})") from error

    @cached_property
    def lock(self) -> dict[str, dict[str, Any]]:
        """The stages of dvc.lock."""
        # DVC's own reader takes ten times as long; numbers such as 1e-08 are compared as text
        found = self._parsed(LOCK, lambda text: yaml.load(text, yaml.CSafeLoader)["stages"])
        if not isinstance(found, dict):
            raise ReportError(f"{LOCK} of {self.name}: missing, or no lock of stages")
        return found

    @cached_property
    def md5s(self) -> dict[str, str]:
        """Of every result of a stage, by path."""
        return {
            out["path"]: out["md5"] for stage in self.lock.values() for out in stage.get("outs", ())
        }

    @cached_property
    def params(self) -> dict[str, Any]:
        """params.yaml by dotted keys; a list is a value."""
        return flat(self._parsed(PARAMS, YAML(typ="safe").load) or {})

    def metrics(self, file: str) -> dict[str, Any]:
        """A file of metrics by dotted keys, {} if there is none."""
        return flat(self._parsed(file, json.loads) or {})

    def table(self, path: str) -> list[dict[str, str]]:
        """The rows of a CSV file, [] if there is none."""
        return self._parsed(path, lambda text: list(csv.DictReader(io.StringIO(text)))) or []

    def commit_of(self, path: str) -> str | None:
        """The commit that last changed the file to what it is here; None if it is not committed.

        It outlives the merge commits that forges make for a moment.
        """
        at = self.commit or "HEAD"
        kept = git_file(at, path)
        if kept is None or kept != self.read(path):
            return None
        return git("log", "-1", "--format=%H", at, "--", path).strip() or at


def flat(value: Any, key: str = "") -> dict[str, Any]:
    """Nested mappings as one, by their keys, joined by dots: as DVC names metrics and params."""
    if not isinstance(value, dict):
        return {key: value}
    inside = (flat(child, f"{key}.{name}" if key else str(name)) for name, child in value.items())
    return {name: one for found in inside for name, one in found.items()}


def base_revision(asked: str | None) -> Revision:
    """The revision to compare with; by default the commit where the work left the main branch.

    Raises
    ------
    ReportError
        There is no such revision, or no main branch.
    """
    if asked and asked.strip("0"):  # forges say 000… where there was nothing before
        commit = resolved(asked)
        if commit is None:
            raise ReportError(f"BASE: got {asked}; allowed: a revision that git knows")
        return Revision(asked, commit)
    for branch in MAIN:
        if resolved(branch):
            try:
                commit = git("merge-base", "HEAD", branch).strip()
            except GitError as error:
                raise ReportError(f"BASE: HEAD and {branch} share no commit; name one") from error
            return Revision(f"{branch.removeprefix('origin/')}, {commit[:7]}", commit)
    raise ReportError(f"BASE: missing, and there is none of {', '.join(MAIN)}; name a revision")


def resolved(name: str) -> str | None:
    """The full hash of a commit; None if git knows none of that name."""
    try:
        found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError:
        return None
    return found.strip() if found[:1] != "^" else None  # ^main: all but main


def head_revision() -> Revision:
    """The work tree, named after HEAD if nothing in it differs from that."""
    dirty = git("status", "--porcelain", "--untracked-files=no").strip()
    return Revision("work tree" if dirty else git("rev-parse", "--short", "HEAD").strip(), None)


# A remote's address: host and path, without a user's name or token.
REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]+@)?(?P<host>[^/:@]+)(?::\d+)?/|(?:[^/@]+@)(?P<scp>[^/:@]+):)"
    r"(?P<path>.+?)(?:\.git)?/?"
)


def picture_address(remote: str, commit: str, path: str) -> str | None:
    """Where a forge shows the file of a commit; None if the remote is no forge that we know."""
    found = REMOTE.fullmatch(remote.strip())
    if not found:
        return None
    host, place = found["host"] or found["scp"], found["path"].strip("/")
    if "github" in host:  # works for private repositories too, for whoever is logged in
        return f"https://{host}/{place}/blob/{commit}/{path}?raw=true"
    if "gitlab" in host:
        return f"https://{host}/{place}/-/raw/{commit}/{path}"
    return None


def origin() -> str:
    """The address of the remote `origin`; "" if there is none."""
    try:
        return git("remote", "get-url", "origin").strip()
    except GitError:
        return ""
