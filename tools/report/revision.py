"""A state of the project, a commit or the work tree: its files, params, lock, metrics, tables."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.readers import parse_json, parse_yaml
from tools.programs import GitError, git, git_file

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

    def _parsed(self, path: str, parse: Callable[[bytes, str], Any]) -> Any:
        """What `parse` makes of a file and its name; None if there is none."""
        data = self.read(path)
        return None if data is None else parse(data, f"{path} of {self.name}")

    @cached_property
    def lock(self) -> dict[str, dict[str, Any]]:
        """The stages of dvc.lock."""
        found = self._parsed(LOCK, parse_yaml)
        stages = found.get("stages") if isinstance(found, dict) else None
        if not (isinstance(stages, dict) and all(map(_is_stage, stages.values()))):
            raise ReportError(f"{LOCK} of {self.name}: missing, or no lock of stages")
        return stages

    @cached_property
    def md5s(self) -> dict[str, str]:
        """Of every result of a stage, by path."""
        return {
            out["path"]: out["md5"] for stage in self.lock.values() for out in stage.get("outs", ())
        }

    @cached_property
    def params(self) -> dict[str, Any]:
        """params.yaml by dotted keys; a list is a value."""
        return flat(self._parsed(PARAMS, parse_yaml) or {})

    def metrics(self, file: str) -> dict[str, Any]:
        """A file of metrics by dotted keys, {} if there is none."""
        return flat(self._parsed(file, parse_json) or {})

    def table(self, path: str) -> list[dict[str, str]]:
        """The rows of a CSV file, [] if there is none."""
        return self._parsed(path, _rows) or []

    def commit_of(self, path: str) -> str | None:
        """The commit that last changed the file to what it is here; None if it is not committed.

        It outlives the merge commits that forges make for a moment.
        """
        at = self.commit or "HEAD"
        kept = git_file(at, path)
        if kept is None or kept != self.read(path):
            return None
        return git("log", "-1", "--format=%H", at, "--", path).strip() or at


def _is_stage(entry: Any) -> bool:
    """Whether an entry of dvc.lock has what is read of it."""
    try:
        files = [file for kind in ("deps", "outs") for file in entry.get(kind, ())]
        classes = entry.get("params", {}).get(PARAMS, {}).get("filter_5_8", {}).get("classes", [])
        return isinstance(classes, list) and all(
            isinstance(file["path"], str) and isinstance(file["md5"], str) for file in files
        )
    except (AttributeError, KeyError, TypeError):
        return False


def _rows(data: bytes, name: str) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(data.decode())))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReportError(f"{name}: damaged ({error})") from error


def flat(value: Any) -> dict[str, Any]:
    """Nested mappings as one, by their keys, joined by dots: as DVC names metrics and params."""
    found, todo = {}, [("", value)]
    while todo:
        key, value = todo.pop()
        if isinstance(value, dict):
            inside = [(f"{key}.{name}" if key else str(name), one) for name, one in value.items()]
            todo += reversed(inside)
        else:
            found[key] = value
    return found


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
