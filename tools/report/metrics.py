"""The metrics of two revisions: which way is better is read from docs/metrics.md, never guessed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tools.report.revision import ReportError, Revision

DOCS = Path("docs/metrics.md")
LINE = re.compile(r"\| `(\S+): (\S+)` \| (.+?) \| (.+?) \| (higher|lower|neither) \|")
# The short table, in its order; a test holds the names against docs/metrics.md.
SHORT = (
    "train.C",
    "evaluate.test.accuracy",
    "evaluate.test.accuracy_95.low",
    "evaluate.test.accuracy_95.high",
    "evaluate.test.roc_auc",
    "gridsearch.best.mean_test_score",
    "interpret.weights.nonzero",
    "interpret.stability.pixels_in_90_percent",
    "train.log10_duality_gap_at_most",
)


@dataclass(frozen=True)
class Metric:
    """A line of docs/metrics.md."""

    file: str
    key: str
    what: str
    unit: str
    better: str  # higher, lower or neither

    @property
    def name(self) -> str:
        """evaluate.test.accuracy: the file's stem and the key."""
        return f"{PurePosixPath(self.file).stem}.{self.key}"

    def shown(self, value: Any) -> str:
        """The value with its unit."""
        if not is_number(value):
            return "–" if value is None else str(value)
        if self.unit == "share":
            return f"{100 * value:.2f} %"
        if self.unit == "power of ten":
            return f"1e{value:g}"
        return _signed(f"{value:g}" if self.unit in ("weights", "pixels") else f"{value:.4g}")

    def step(self, before: Any, after: Any) -> str:
        """The difference with its sign and unit; "" where there is none."""
        if not (is_number(before) and is_number(after)) or before == after:
            return ""
        if self.unit == "share":
            return _signed(f"{100 * (after - before):+.2f} points")
        if self.unit == "power of ten":
            return f"× {10.0 ** (after - before):g}"
        return _signed(f"{after - before:+.4g}")

    def verdict(self, before: Any, after: Any) -> str:
        """better, worse, neither, same; new or gone."""
        if before is None or after is None:
            return "same" if before is after else "new" if before is None else "gone"
        if before == after:
            return "same"
        if self.better == "neither" or not (is_number(before) and is_number(after)):
            return "neither"
        return "better" if (after > before) == (self.better == "higher") else "worse"

    def worse_by(self, before: float, after: float) -> float:
        """By how much it got worse; below 0, better.

        Raises
        ------
        ReportError
            docs/metrics.md says that neither way is better.
        """
        if self.better == "neither":
            raise ReportError(f"{self.name}: {DOCS} says that neither way is better")
        return before - after if self.better == "higher" else after - before


def is_number(value: Any) -> bool:
    """Whether it is a number that a float holds; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _signed(text: str) -> str:
    return text.replace("-", "−")


def documented(text: str) -> dict[str, Metric]:
    """The metrics of docs/metrics.md by name, in its order.

    Raises
    ------
    ReportError
        A row of its table is no such line.
    """
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    found = {}
    for row in rows:
        line = LINE.fullmatch(row.replace(r"\|", ""))  # a | that ends no column
        if not line or "|" in line[3] + line[4]:
            raise ReportError(f"{DOCS}: no line of a metric: {row}")
        metric = Metric(*line.groups())
        found[metric.name] = metric
    return found


def values(revision: Revision, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Every metric of a revision by name, those that docs/metrics.md lacks too."""
    return {
        f"{PurePosixPath(file).stem}.{key}": value
        for file in dict.fromkeys(metric.file for metric in metrics.values())
        for key, value in revision.metrics(file).items()
    }


def rows(
    metrics: Mapping[str, Metric], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[list[str]]:
    """Each metric's row: name, before, after, difference, verdict."""
    for name in [*metrics, *sorted({*before, *after} - {*metrics})]:
        metric = metrics.get(name, Metric("", name, "", "none", "neither"))
        old, new = before.get(name), after.get(name)
        verdict = metric.verdict(old, new)
        if name not in metrics:
            verdict += f" (not in {DOCS})"
        yield [name, metric.shown(old), metric.shown(new), metric.step(old, new), verdict]
