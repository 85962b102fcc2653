"""How the search grows: with rows, with values of C, and in memory.

    python -m benchmarks.growth [--rounds 3]

Every run is a process of its own, one BLAS thread, one job. The rows are the digits, and copies
of them shifted by a few pixels; "memory" is the peak of the resident set less what the process
had before the data, over the size of the data.
"""

import argparse
import json
import sys
import threading
import time
from statistics import median

import numpy as np

from benchmarks.data import load
from benchmarks.process import run_apart

ROWS = (2000, 11272, 20000, 112720, 200000)
GRIDS = (5, 20, 100, 200)


def shifted(X, y, n):
    """n rows: the digits, then copies of them shifted by up to 2 pixels each way."""
    offsets = range(-2, 3)
    shifts = sorted(((dx, dy) for dx in offsets for dy in offsets), key=np.linalg.norm)
    grown = np.empty((n, X.shape[1]))
    for k, start in enumerate(range(0, n, len(X))):
        rows = X[: n - start].reshape(-1, 28, 28)
        grown[start : start + len(rows)] = np.roll(rows, shifts[k], axis=(1, 2)).reshape(-1, 784)
    return grown, np.resize(y, n)


def resident(kind="VmRSS"):
    """Bytes of this process in memory; of the kind RssAnon, those that are no file's."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(kind))


class PeakMemory:
    """The most bytes in memory within a ``with`` block."""

    def __init__(self, kind="VmRSS"):
        self.kind = kind

    def __enter__(self):
        self.bytes, self.stop = resident(self.kind), threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.stop.wait(0.002):
            self.bytes = max(self.bytes, resident(self.kind))

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def run(n, m, jobs):
    """Seconds and memory of one search over m values of C on n rows."""
    from l1svc import L1LinearSVCSearchCV

    X, y = load()
    L1LinearSVCSearchCV([0.1], cv=2).fit(X[:200], y[:200])
    empty = resident() - X.nbytes
    X, y = shifted(X, y, n)
    search = L1LinearSVCSearchCV(np.geomspace(0.025, 0.4, m), n_jobs=jobs)
    began = time.perf_counter()
    with PeakMemory() as peak:
        search.fit(X, y)
    return {
        "fit": time.perf_counter() - began,
        "memory": (peak.bytes - empty) / X.nbytes,
        "gap": search.cv_results_["max_duality_gap"].max(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--grids", type=int, nargs="*", default=GRIDS)
    parser.add_argument("--run", type=int, nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(*options.run)))
        return
    cases = [(n, 5) for n in options.rows] + [(11272, m) for m in options.grids if m != 5]
    runs = {case: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            runs[case].append(run_apart("benchmarks.growth", "--run", *case, 1)[0])
            print(*case, runs[case][-1], file=sys.stderr)
    print(f"{'rows':>8}{'Cs':>6}{'fit s':>9}{'memory':>9}{'gap':>10}")
    for (n, m), results in runs.items():
        fit, memory = (median(r[key] for r in results) for key in ("fit", "memory"))
        print(f"{n:8}{m:6}{fit:9.2f}{memory:9.2f}{max(r['gap'] for r in results):10.1e}")


if __name__ == "__main__":
    main()
