"""Families of problems, made and real, by l1svc and its peers: CPU seconds and certified gaps.

    python -m l1svc.benchmarks.families [--families text,digits] [--limit 60] [--rounds 3] [--quick]

C is 1.1, 10, … 10000 times the least that leaves any weight (``sklearn.svm.l1_min_c``). l1svc and
LIBLINEAR run with their default tol; LIBLINEAR, skglm and cyanure also
with a tol that falls tenfold until the certified relative gap is 1e-3 and 1e-6: only the run that
gets there counts. Every family is a process of its own with one BLAS thread, every run a fork of
it that ends after ``limit`` seconds of CPU, less what higher tols have taken, but half the limit at
least. Solvers take turns; a run that is short is repeated, and the median counts. skglm is not
tried again from a ratio on where it met the limit.

Writes families.csv and families.png into docs/ (``--folder``), the rows of the families that ran in
place of the old ones, and prints the table.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError
from typing import Any, NamedTuple

import numpy as np
from sklearn.svm import LinearSVC, l1_min_c

from l1svc import L1LinearSVC, relative_duality_gap
from l1svc.benchmarks.problems import FAMILIES, genes, problems, sparse_wide
from l1svc.benchmarks.process import run_apart

DEFAULT_TOL = 1e-4  # LIBLINEAR's, from which tol falls for a gap
LEAST_TOL = 1e-14
SHORT = 2.0  # seconds: a run up to here is repeated
INSTANT = 0.1  # seconds, for which a fork fits again and again: some clocks tick every 4 ms
PROFILE_GAP = 1e-6
SHOWN = (10.0, 100.0, 1000.0)  # of the ratios, in the table
Row = dict[str, Any]


class Entry(NamedTuple):
    """A solver, with its default tol, or with one that reaches a gap of ``goal``."""

    solver: str
    goal: float | None = None


OURS, DEFAULT = Entry("l1svc"), Entry("LIBLINEAR")
TIGHT, SKGLM, CYANURE = (Entry(solver, 1e-6) for solver in ("LIBLINEAR", "skglm", "cyanure"))
ENTRIES = (OURS, DEFAULT, Entry("LIBLINEAR", 1e-3), TIGHT, SKGLM, CYANURE)
OPTIONAL = (SKGLM, CYANURE)  # of packages that need not be there, and slow at large C
COLUMNS = (
    *("family", "problem", "rows", "columns", "C_over_least", "C", "solver", "goal"),
    *("tol", "seconds", "gap", "nonzero", "ended", "limit"),
)


def fitted(solver: str, X, y, C: float, tol: float | None) -> tuple:
    """coef, intercept and whether the solver ended by ``tol``; its default, if that is None."""
    if solver == "l1svc":
        svc = L1LinearSVC(C).fit(X, y)
        return svc.coef_, svc.intercept_, True
    if solver == "LIBLINEAR":
        options = {} if tol is None else {"tol": tol, "max_iter": 10**8}
        svc = LinearSVC(penalty="l1", dual=False, C=C, random_state=0, **options).fit(X, y)
        return svc.coef_, svc.intercept_, svc.n_iter_ < svc.max_iter
    if solver == "skglm":
        from l1svc.benchmarks.squared_hinge import fit
    else:
        from l1svc.benchmarks.gradient import fit

    w = fit(X, np.where(y == y.max(), 1.0, -1.0), C, tol)
    return w[None, :-1], w[-1:], True


def forked(work: Callable[[], Any]) -> tuple[Any, int]:
    """What ``work`` returns in a fork of this process, or None, and the fork's exit status."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork").Process(target=lambda: theirs.send(work()))
    fork.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        result = None
    fork.join()
    return result, fork.exitcode


def timed(solver: str, X, y, C: float, tol: float | None, limit: int) -> Row:
    """A fit in a fork, the mean of many if it is instant.

    "ended" says what ended it: its "tol" or "max_iter", the "limit", or an "error".
    """

    def work() -> Row:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        fits, began = 0, time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the gap tells
            while (seconds := time.process_time() - began) < INSTANT:
                coef, intercept, by_tol = fitted(solver, X, y, C, tol)
                fits += 1
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2)
        return {
            "seconds": seconds / fits,
            "gap": float(relative_duality_gap(coef, intercept, C, X, y)),
            "nonzero": int(np.count_nonzero(coef)),
            "ended": "tol" if by_tol else "max_iter",
        }

    row, status = forked(work)
    if row is None:
        row = {"ended": "limit" if status == -signal.SIGXCPU else "error"}
    return {"tol": tol, "limit": limit, **row}


def compete(X, y, C: float, entries: Iterable[Entry], limit: int, rounds: int) -> dict[Entry, Row]:
    """For each entry the run that counts, or the one that ended without reaching its goal."""
    found: dict[Entry, Row] = {}
    done: dict[str, Row] = {}  # the tightest run of each solver so far
    spent = dict.fromkeys((entry.solver for entry in entries), 0.0)
    for entry in entries:
        solver, goal = entry
        if goal is None:
            found[entry] = timed(solver, X, y, C, None, limit)
            if solver == "LIBLINEAR" and found[entry]["ended"] == "tol":
                done[solver] = {**found[entry], "tol": DEFAULT_TOL}
            continue
        row = done.get(solver) or timed(solver, X, y, C, DEFAULT_TOL, limit)
        while row.get("gap", 0.0) > goal and row["tol"] > LEAST_TOL:
            spent[solver] += row["seconds"]
            left = max(limit - int(spent[solver]), limit // 2)
            row = timed(solver, X, y, C, row["tol"] / 10, left)
        found[entry] = done[solver] = row
    repeated = {
        e: [row["seconds"]] for e, row in found.items() if row.get("seconds", SHORT) < SHORT
    }
    for _ in range(rounds - 1):
        for entry, seconds in repeated.items():
            again = timed(entry.solver, X, y, C, found[entry]["tol"], limit)
            seconds.append(again.get("seconds", np.inf))
    return {
        e: {**row, "seconds": median(repeated[e])} if e in repeated else row
        for e, row in found.items()
    }


def run(family: str, ratios: Iterable[float], limit: int, rounds: int, quick: bool) -> list[Row]:
    """The rows of one family."""
    entries = [entry for entry in ENTRIES if entry not in OPTIONAL or find_spec(entry.solver)]
    for X, y in (genes(40, 20), sparse_wide(40, 1100, 0.02)):  # loads and compiles
        for solver in dict.fromkeys(entry.solver for entry in entries):
            fitted(solver, X, y, 1.0, 1e-2)
    rows, hopeless = [], dict.fromkeys(OPTIONAL, np.inf)
    for name, X, y, wanted in problems(family, quick):
        least = l1_min_c(X, y, loss="squared_hinge")
        for ratio in wanted:
            if ratio not in ratios:
                continue
            C = float(ratio * least)
            tried = [entry for entry in entries if ratio < hopeless.get(entry, np.inf)]
            for entry, row in compete(X, y, C, tried, limit, rounds).items():
                if entry in OPTIONAL and row["ended"] == "limit":
                    hopeless[entry] = min(hopeless[entry], ratio)
                about = {"family": family, "problem": name, "rows": X.shape[0]}
                about |= {"columns": X.shape[1], "C_over_least": ratio, "C": C}
                rows.append({**about, **entry._asdict(), **row})
                print(*about.values(), *entry, *row.values(), file=sys.stderr, flush=True)
    return rows


def read(file: Path) -> list[Row]:
    """The rows of the CSV file, numbers as numbers and what is empty as None."""
    if not file.exists():
        return []

    def value(key: str, text: str) -> Any:
        if key in ("family", "problem", "solver", "ended"):
            return text
        return float(text) if text else None

    with file.open(encoding="utf-8", newline="") as lines:
        return [{k: value(k, v) for k, v in row.items()} for row in csv.DictReader(lines)]


def seconds_to(gap: float | None, rows: Iterable[Row], entry: Entry) -> list[float]:
    """Seconds of the entry on each of its problems; infinite where it does not reach the gap."""
    return [
        row["seconds"]
        if row["seconds"] is not None and (gap is None or row["gap"] <= gap)
        else np.inf
        for row in rows
        if (row["solver"], row["goal"]) == entry
    ]


def table(rows: list[Row]) -> str:
    """Markdown: for each family and C, the median of the seconds, and the worst gap."""
    lines = [
        "| | C | l1svc | gap | LIBLINEAR | gap | to 1e-3 | to 1e-6 | skglm to 1e-6"
        " | cyanure to 1e-6 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for family in FAMILIES:
        shown = False
        for ratio in SHOWN:
            some = [r for r in rows if r["family"] == family and r["C_over_least"] == ratio]
            if not some:
                continue
            cells = []
            for entry in ENTRIES:
                theirs = [row for row in some if (row["solver"], row["goal"]) == entry]
                cells.append(_cell(theirs, entry, len({row["problem"] for row in some})))
                if entry.goal is None:
                    gaps = [row["gap"] for row in theirs]
                    cells.append("" if None in gaps else f"{max(gaps):.0e}".replace("e-0", "e-"))
            name = "" if shown else _title(family, some)
            lines.append(f"| {' | '.join([name, f'{ratio:g}', *cells])} |".replace("|  |", "| |"))
            shown = True
    return "\n".join(line.replace("  ", " ") for line in lines)


def _cell(rows: list[Row], entry: Entry, count: int) -> str:
    """The entry's median of ``count`` problems' seconds, or the least that were not enough."""
    if any(row["ended"] == "error" for row in rows):
        return "failed"
    not_tried = count - len(rows)
    middle = median([*seconds_to(entry.goal, rows, entry), *[np.inf] * not_tried])
    if np.isfinite(middle):
        return f"{_two_digits(middle)} s"
    short = [row["limit"] for row in rows if row["seconds"] is None]
    return f"> {min(short):g} s" if short else ""


def _two_digits(value: float) -> str:
    return f"{value:#.2g}".rstrip(".")


def _title(family: str, rows: list[Row]) -> str:
    size = " × ".join(f"{max(row[key] for row in rows):g}" for key in ("rows", "columns"))
    count = len({row["problem"] for row in rows})
    return f"{family}, {size}" + (f" ({count} problems)" if count > 1 else "")


def behind(rows: list[Row]) -> list[str]:
    """Where LIBLINEAR reaches PROFILE_GAP sooner than l1svc, with the seconds of both."""
    found = []
    for key in dict.fromkeys(map(_key, rows)):
        some = [row for row in rows if _key(row) == key]
        (ours,), (peer,) = (seconds_to(PROFILE_GAP, some, entry) for entry in (OURS, TIGHT))
        if ours > peer:
            found.append("{}, {}, C = {:g}: ".format(*key) + f"{ours:.2g} s, {peer:.2g} s")
    return found


def show(rows: list[Row], folder: Path) -> None:
    """Write the CSV and the picture."""
    from l1svc.benchmarks.profile import png, profile_figure

    with (folder / "families.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *([row.get(key) for key in COLUMNS] for row in rows)])
    rows = read(folder / "families.csv")
    seconds, groups = compared(rows)
    picture = png(profile_figure(seconds, groups, PROFILE_GAP))
    (folder / "families.png").write_bytes(picture)


def compared(rows: list[Row]) -> tuple[dict[str, list[float]], list[str]]:
    """Each solver's seconds to PROFILE_GAP on every problem and C, those of one C together."""
    keys = sorted({_key(row) for row in rows}, key=lambda key: key[-1])
    seconds = {}
    for entry in (OURS, TIGHT, SKGLM):
        theirs = {_key(row): row for row in rows if (row["solver"], row["goal"]) == entry}
        found = {key: seconds_to(PROFILE_GAP, [row], entry)[0] for key, row in theirs.items()}
        seconds[entry.solver] = [found.get(key, np.inf) for key in keys]
    return seconds, [f"C = {key[-1]:g}" for key in keys]


def _key(row: Row) -> tuple:
    return row["family"], row["problem"], row["C_over_least"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", default="", help="words of which a family's name has one")
    parser.add_argument("--ratios", default="1.1,10,100,1000,10000", help="C over the least")
    parser.add_argument("--limit", type=int, default=60, help="seconds of CPU for a fit, 2 or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it")
    parser.add_argument("--folder", type=Path, default=Path("l1svc/docs"))
    parser.add_argument("--run", choices=FAMILIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        ratios = [float(ratio) for ratio in options.ratios.split(",")]
        rows = run(options.run, ratios, options.limit, options.rounds, options.quick)
        print(json.dumps(rows))
        return
    file = options.folder / "families.csv"
    passed = [f"--ratios={options.ratios}", f"--limit={options.limit}"]
    passed += [f"--rounds={options.rounds}", *(["--quick"] if options.quick else [])]
    failed = []
    for family in FAMILIES:
        if not any(word in family for word in options.families.split(",")):
            continue
        try:
            new, _ = run_apart("l1svc.benchmarks.families", "--run", family, *passed)
        except CalledProcessError as error:
            failed.append(f"{family}: exit status {error.returncode}")
            continue
        rows = {name: [r for r in read(file) if r["family"] == name] for name in FAMILIES}
        show(
            [row for name in FAMILIES for row in (new if name == family else rows[name])],
            file.parent,
        )
    rows = read(file)
    print(table(rows))
    print("\nLIBLINEAR is sooner at a gap of 1e-6:", *behind(rows) or ["nowhere"], sep="\n")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
