"""The limits of gate.yaml, what may waive one, and the judgement."""

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline.errors import one_line
from pipeline.params import Section, load_section
from tools.programs import git
from tools.report.comparison import Comparison
from tools.report.markdown import code
from tools.report.metrics import Metric, is_number
from tools.report.revision import ReportError

FILE = Path("gate.yaml")
VARIABLE = "GATE_WAIVE"  # waivers of another place than a commit, such as a label's; a line each
TRAILER = "Gate-Waive"
WAIVER = re.compile(r"\s*(?P<limit>[\w.]+)\s*:\s*(?P<reason>\S.*?)\s*")

Numbers = dict[str, Annotated[float, Field(allow_inf_nan=False)]]
BY_METRIC = "a mapping of metrics to numbers, such as interpret.weights.nonzero: 400"


class Limits(Section):
    """gate.yaml."""

    may_worsen_by: Numbers = Field(description=BY_METRIC)
    at_most: Numbers = Field(description=BY_METRIC)
    at_least: Numbers = Field(description=BY_METRIC)
    paired_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        description="a probability, 0 < p <= 1, or null"
    )
    reproduced: bool = Field(description="true or false")

    def by_metric(self) -> list[tuple[str, str, float]]:
        """Kind, metric and number of each limit on a metric."""
        kinds = ("may_worsen_by", "at_most", "at_least")
        return [(kind, name, end) for kind in kinds for name, end in getattr(self, kind).items()]

    def names(self) -> list[str]:
        """Of all limits, as a waiver names them."""
        found = [f"{kind}.{name}" for kind, name, _ in self.by_metric()]
        found += ["paired_p"] * (self.paired_p is not None)
        return found + ["reproduced"] * self.reproduced


def load_limits(file: Path = FILE) -> Limits:
    """Read and check gate.yaml; one line, naming the key, if it is wrong."""
    return load_section(file, Limits)


def waivers(base: str, limits: Limits) -> dict[str, str]:
    """By limit, what waives it: a commit since `base` or the variable GATE_WAIVE, and the reason.

    Raises
    ------
    ReportError
        One names no limit, or gives no reason.
    """
    said = []
    log = git(
        *("log", "--reverse", f"--format=%h%x00%(trailers:key={TRAILER},valueonly,unfold)%x01"),
        f"{base}..HEAD",
    )
    for entry in filter(str.strip, log.split("\x01")):
        commit, _, trailers = entry.strip().partition("\x00")
        said += [(f"commit {commit}", line) for line in trailers.splitlines() if line.strip()]
    said += [(VARIABLE, line) for line in os.environ.get(VARIABLE, "").splitlines() if line.strip()]
    found = {}
    for where, line in said:
        parts = WAIVER.fullmatch(line)
        if not parts:
            raise ReportError(
                f"{TRAILER} of {where}: got {line.strip()}; allowed: LIMIT: the reason"
            )
        limit = whole_name(parts["limit"], limits.names(), f"{TRAILER} of {where}")
        found[limit] = f"waived by {where}: {code(parts['reason'])}"
    return found


def whole_name(said: str, names: Sequence[str], where: str) -> str:
    """The one of `names` that is `said`, or the only one that ends in it after a dot."""
    fitting = [name for name in names if name == said] or [
        name for name in names if name.endswith(f".{said}")
    ]
    if len(fitting) == 1:
        return fitting[0]
    allowed = fitting or difflib.get_close_matches(said, names, 3, 0.4) or names
    raise ReportError(
        f"{where}: {said}: {'more than one' if fitting else 'no such'} limit; "
        f"allowed: {', '.join(allowed)}"
    )


@dataclass(frozen=True)
class Judged:
    """A limit, whether it holds, and the numbers; str() is the gate's line."""

    limit: str
    holds: bool | None  # None: cannot be told
    why: str
    waiver: str | None

    @property
    def word(self) -> str:
        """RED where it is crossed and not waived."""
        if self.holds is False:
            return "waived" if self.waiver else "RED"
        return "green" if self.holds else "not told"

    @property
    def said(self) -> str:
        """The numbers, and what waives the limit."""
        return f"{self.why}; {self.waiver}" if self.word == "waived" else self.why

    def __str__(self) -> str:
        return f"{self.word:<9} {one_line(f'{self.limit}: {self.said}')}"


def judge(limits: Limits, found: Comparison) -> list[Judged]:
    """Every limit against what was found.

    Raises
    ------
    ReportError
        A limit is on a metric that does not exist, or that has no better way; a waiver is none.
    """
    waived, pairs, told = waivers(found.base.commit or "", limits), found.pairs, found.reproduced
    judged: list[tuple[str, bool | None, str]] = []
    for kind, name, end in limits.by_metric():
        if name not in found.metrics or not is_number(found.after.get(name)):
            near = difflib.get_close_matches(name, found.after, 3, 0.4) or found.after
            raise ReportError(f"{FILE}: {kind}.{name}: no such metric; allowed: {', '.join(near)}")
        metric, before, after = found.metrics[name], found.before.get(name), found.after[name]
        holds, why = _against(kind, metric, before, after, end)
        if kind == "may_worsen_by" and isinstance(pairs, str):
            why += f"; not paired: {pairs}"
        judged.append((f"{kind}.{name}", holds, why))
    if limits.paired_p is not None:
        if isinstance(pairs, str):
            judged.append(("paired_p", None, f"not paired: {pairs}"))
        else:
            worse = len(pairs.newly_wrong) > len(pairs.newly_right)
            holds = not (worse and pairs.p < limits.paired_p)
            judged.append(("paired_p", holds, f"{pairs}; allowed: {limits.paired_p:g} or more"))
    if limits.reproduced:
        judged.append(("reproduced", told.holds is True, told.why))  # what cannot be told is not so
    return [Judged(*line, waived.get(line[0])) for line in judged]


def _against(
    kind: str, metric: Metric, before: Any, after: Any, end: float
) -> tuple[bool | None, str]:
    shown = metric.shown(after)
    if kind == "may_worsen_by":
        if not is_number(before):
            return None, f"the base has no {metric.name}"
        by = metric.worse_by(before, after)
        step = metric.step(before, after)
        why = f"{metric.shown(before)} → {shown}" + f" ({step})" * bool(step)
        allowed = metric.step(0, -end if metric.better == "higher" else end) or "no worse"
        # 0.9 − 0.895 is a little more than 0.005 in binary: the last digits do not count
        return by <= end + 1e-12, f"{why}; allowed: {allowed}"
    over = after - end if kind == "at_most" else end - after
    why = f"{shown}; allowed: {metric.shown(end)} or {'less' if kind == 'at_most' else 'more'}"
    return over <= 0, why + (f" ({metric.step(end, after)})" if over > 0 else "")
