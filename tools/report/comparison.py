"""A revision against the work tree: all that the report says and the gate judges, as data."""

from dataclasses import astuple, dataclass
from typing import Any

from tools.programs import git
from tools.report.metrics import DOCS, Metric, documented, is_number, values
from tools.report.paired import SCORES, Paired, answers, other_images, paired
from tools.report.reproduction import Reproduction, reproduction
from tools.report.revision import LOCK, ReportError, Revision

ACCURACY = "evaluate.test.accuracy"


@dataclass(frozen=True)
class StageChange:
    """What differs in a stage's entry of dvc.lock; data are results of other stages."""

    name: str
    params: bool
    command: bool
    code: list[str]
    data: list[str]
    results: list[str]


@dataclass(frozen=True)
class Comparison:
    """The two revisions, and what differs.

    before, after : metrics by name
    pairs : or why not, where answers cannot be paired
    files : what git says has changed, a status letter and a path each
    """

    base: Revision
    head: Revision
    params: dict[str, tuple[Any, Any]]
    metrics: dict[str, Metric]
    before: dict[str, Any]
    after: dict[str, Any]
    pairs: Paired | str
    stages: list[StageChange]
    files: list[tuple[str, str]]
    reproduced: Reproduction

    @property
    def results(self) -> list[str]:
        """The results that differ, by dvc.lock."""
        return [path for stage in self.stages for path in stage.results]

    @property
    def code(self) -> list[str]:
        """The code, and the lock of packages, that differ, by dvc.lock."""
        return list(dict.fromkeys(path for stage in self.stages for path in stage.code))


def compare(base: Revision, head: Revision) -> Comparison:
    """Compare.

    Raises
    ------
    ReportError, TextError
        A file is missing or damaged.
    """
    docs = head.read(str(DOCS))
    if docs is None:
        raise ReportError(f"{DOCS}: missing; it says which way metrics are better")
    metrics = documented(docs.decode())
    before, after = values(base, metrics), values(head, metrics)
    for side, found in ((base, before), (head, after)):
        if not is_number(found.get(ACCURACY)):
            raise ReportError(f"metrics/evaluate.json of {side.name}: missing, or without accuracy")
    pairs = other_images(base, head) or paired(base, head)
    assert base.commit is not None
    return Comparison(
        base=base,
        head=head,
        params={
            key: (base.params.get(key), head.params.get(key))
            for key in base.params | head.params
            if base.params.get(key) != head.params.get(key)
        },
        metrics=metrics,
        before=before,
        after=after,
        pairs=pairs,
        stages=stage_changes(base, head),
        files=changed_files(base.commit),
        reproduced=agreed(head, after, reproduction()),
    )


def agreed(head: Revision, after: dict[str, Any], told: Reproduction) -> Reproduction:
    """`told`, unless accuracy and scores are not of one run, whatever dvc.lock says."""
    right = float(answers(head).right.mean())
    if told.holds is False or abs(right - after[ACCURACY]) < 1e-12:
        return told
    return Reproduction(
        False,
        f"`metrics/evaluate.json` says {after[ACCURACY]:.2%} of the test images are right, "
        f"`{SCORES}` {right:.2%}: not of one run",
    )


def stage_changes(base: Revision, head: Revision) -> list[StageChange]:
    """The stages whose entries in the two dvc.locks differ."""
    found, made = [], base.md5s | head.md5s
    for name in head.lock | base.lock:
        old, new = base.lock.get(name, {}), head.lock.get(name, {})
        deps = _differing(old, new, "deps")
        change = StageChange(
            name,
            params=old.get("params") != new.get("params"),
            command=old.get("cmd") != new.get("cmd"),
            code=[dep for dep in deps if dep not in made],
            data=[dep for dep in deps if dep in made],
            results=_differing(old, new, "outs"),
        )
        if any(astuple(change)[1:]):
            found.append(change)
    return found


def _differing(old: dict[str, Any], new: dict[str, Any], kind: str) -> list[str]:
    """Paths with another MD5, new or gone."""
    before, now = (
        {(entry["path"], entry["md5"]) for entry in stage.get(kind, ())} for stage in (old, new)
    )
    return sorted({path for path, _ in before ^ now})


def changed_files(commit: str) -> list[tuple[str, str]]:
    """Status and path of what git keeps and has changed, the results of stages aside."""
    listed = git(
        *("diff", "--name-status", "--no-renames", "-z", commit, "--", "."),
        *(f":!{path}" for path in (LOCK, "metrics", "plots")),
    ).split("\0")
    return list(zip(listed[::2], listed[1::2], strict=False))
