"""docs/metrics.md against the metrics: a line for each, as a machine reads it."""

import json

import pytest

from tests.graph import ROOT, STAGES, entries
from tools.report.metrics import SHORT, documented
from tools.report.revision import flat

MOST = 30  # of them, or nobody compares them


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
    header, rule = [line for line in text.splitlines() if line.startswith("|")][:2]
    assert header == "| metric | what it is | unit | better |"
    assert rule == "| --- | --- | --- | --- |"
    told = [(metric.file, metric.key) for metric in documented(text).values()]
    assert told == list(metrics())


def test_the_reports_short_table_is_of_them() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    assert set(SHORT) <= set(documented(text))


def test_they_are_few_enough_to_compare() -> None:
    assert len(metrics()) <= MOST


@pytest.mark.parametrize(("file", "key"), metrics())
def test_dvcs_five_digits_show_it(file: str, key: str) -> None:
    value = metrics()[file, key]
    assert round(value, 5) == pytest.approx(value, rel=1e-3)
