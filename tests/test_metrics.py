"""docs/metrics.md against the metrics: a line for each, as a machine reads it."""

import json
import re
from typing import Any

import pytest

from tests.graph import ROOT, STAGES, entries

LINE = re.compile(r"\| `(\S+): (\S+)` \| (.+?) \| (.+?) \| (higher|lower|neither) \|")
MOST = 30  # of them, or nobody compares them


def flat(value: Any, key: str = "") -> dict[str, float]:
    """The metrics under `key` by their names in DVC: the keys, joined by dots."""
    if not isinstance(value, dict):
        return {key: value}
    inside = (flat(child, f"{key}.{name}" if key else name) for name, child in value.items())
    return {name: number for metrics in inside for name, number in metrics.items()}


def metrics() -> dict[tuple[str, str], float]:
    """Every metric by file and name, in the order of the graph."""
    return {
        (file, key): number
        for stage in STAGES
        for file in entries(stage, "metrics")
        for key, number in flat(json.loads((ROOT / file).read_text(encoding="utf-8"))).items()
    }


def test_every_metric_has_its_line_and_no_other_has_one() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    header, rule, *rows = (line for line in text.splitlines() if line.startswith("|"))
    assert header == "| metric | what it is | unit | better |"
    assert rule == "| --- | --- | --- | --- |"
    told = []
    for row in rows:
        line = LINE.fullmatch(row.replace(r"\|", ""))  # a | that ends no column
        assert line, row
        assert "|" not in line[3] + line[4], row
        told.append((line[1], line[2]))
    assert told == list(metrics())


def test_they_are_few_enough_to_compare() -> None:
    assert len(metrics()) <= MOST


@pytest.mark.parametrize(("file", "key"), metrics())
def test_dvcs_five_digits_show_it(file: str, key: str) -> None:
    value = metrics()[file, key]
    assert round(value, 5) == pytest.approx(value, rel=1e-3)
