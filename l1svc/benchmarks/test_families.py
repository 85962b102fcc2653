"""The families' benchmark: what it writes, and that the document shows what it wrote."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from l1svc.benchmarks import families
from l1svc.benchmarks.families import COLUMNS, Entry
from l1svc.benchmarks.problems import FAMILIES, genes, problems

ROOT = Path(__file__).resolve().parents[1]
MADE_HERE = [name for name in FAMILIES if name != "MNIST pairs"]  # which needs the images


def row(entry: Entry, seconds: float | None, gap: float | None, **more) -> dict:
    about = {
        "family": "text",
        "problem": "seed 0",
        "rows": 9.0,
        "columns": 7.0,
        "C_over_least": 10.0,
    }
    return {
        **about,
        **entry._asdict(),
        "seconds": seconds,
        "gap": gap,
        "limit": 60.0,
        "ended": "tol",
        **more,
    }


@pytest.mark.parametrize("family", MADE_HERE)
def test_a_family_gives_problems_of_two_classes_and_ratios(family: str) -> None:
    for _, X, y, ratios in problems(family, quick=True):
        assert X.shape[0] == len(y) <= 2000
        assert len(np.unique(y)) == 2
        assert set(ratios) == {1.1, 10, 100, 1000, 10000}


@pytest.mark.long
def test_two_tiny_families_give_rows_with_all_columns(tmp_path: Path, monkeypatch) -> None:
    command = "families --quick --families wine,genes --ratios 1.1,100 --rounds 1 --limit 30"
    monkeypatch.setattr("sys.argv", [*command.split(), "--folder", str(tmp_path)])
    monkeypatch.chdir(ROOT)
    families.main()
    rows = families.read(tmp_path / "families.csv")
    assert (tmp_path / "families.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert (tmp_path / "families.png").read_bytes().startswith(b"\x89PNG")
    found = {(r["family"], r["C_over_least"], r["solver"], r["goal"]) for r in rows}
    for family in ("genes", "wine"):
        for ratio in (1.1, 100):
            for solver, goal in families.ENTRIES[:4]:
                assert (family, ratio, solver, goal) in found
    for r in rows:
        assert r["ended"] in ("tol", "max_iter")
        assert r["seconds"] > 0
        assert r["nonzero"] <= r["columns"]
        assert 0 <= r["gap"] <= (r["goal"] or (1e-8 if r["solver"] == "l1svc" else 1))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fit_that_takes_too_long_or_dies_loses_its_own_row_only(monkeypatch) -> None:
    def fitted(solver, X, y, C, tol):
        if solver == "l1svc":
            return np.zeros((1, 20)), np.zeros(1), True
        if tol is None:
            signal.raise_signal(signal.SIGKILL)
        while True:
            time.process_time()

    monkeypatch.setattr(families, "fitted", fitted)
    entries = families.ENTRIES[:3]
    X, y = genes(40, 20)
    ours, died, long = (families.compete(X, y, 1.0, entries, 1, 1)[entry] for entry in entries)
    assert ours["ended"] == "tol"
    assert ours["gap"] > 0
    assert (died["ended"], long["ended"]) == ("error", "limit")
    assert "seconds" not in died | long


def test_tol_falls_until_the_gap_is_reached(monkeypatch) -> None:
    tried = []

    def timed(solver, X, y, C, tol, limit):
        tried.append(tol)
        gap = 9 * (tol or 1e-4)
        return {"tol": tol, "seconds": 9.0, "gap": gap, "ended": "tol", "limit": limit}

    monkeypatch.setattr(families, "timed", timed)
    found = families.compete(None, None, 1.0, families.ENTRIES[1:4], 60, 3)
    assert tried == [None, *(pytest.approx(10.0**-k) for k in (5, 6, 7))]
    assert found[families.TIGHT]["gap"] <= 1e-6
    assert found[Entry("LIBLINEAR", 1e-3)]["tol"] == 1e-4  # the default run has that gap


def test_the_table_has_medians_the_worst_gap_and_the_limit() -> None:
    rows = [
        *(
            row(families.OURS, s, g, problem=str(s))
            for s, g in ((0.1, 1e-12), (0.3, 1e-9), (0.2, 0.0))
        ),
        *(row(families.DEFAULT, 1.0, 3e-3, problem=str(s)) for s in (0.1, 0.3, 0.2)),
        *(row(families.TIGHT, None, None, problem=str(s)) for s in (0.1, 0.3, 0.2)),
        row(families.SKGLM, 0.1, 1e-7, problem="0.1"),  # not tried on the two others
    ]
    last = families.table(rows).splitlines()[-1]
    assert last == "| text, 9 × 7 (3 problems) | 10 | 0.20 s | 1e-9 | 1.0 s | 3e-3 | | > 60 s | | |"


def test_who_does_not_reach_the_gap_has_not_solved_it() -> None:
    rows = [row(families.OURS, 2.0, 1e-7), row(families.TIGHT, 1.0, 1e-5)]
    seconds, groups = families.compared(rows)
    assert seconds == {"l1svc": [2.0], "LIBLINEAR": [np.inf], "skglm": [np.inf]}
    assert groups == ["C = 10"]
    assert families.behind(rows) == []
    rows[1]["gap"] = 1e-6
    assert families.behind(rows) == ["text, seed 0, C = 10: 2 s, 1 s"]


def test_the_document_shows_the_file() -> None:
    rows = families.read(ROOT / "docs/families.csv")
    assert {r["family"] for r in rows} == set(FAMILIES)
    assert families.table(rows) in (ROOT / "docs/solver.md").read_text(encoding="utf-8")
