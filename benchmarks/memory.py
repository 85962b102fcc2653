"""The memory that a search takes beside X, by what X is: float64, float32, uint8, or on the disk.

    python -m benchmarks.memory [--rows 112720]

Every run is a process of its own, one BLAS thread, one job, five values of C. The rows are the
digits and shifted copies of them, raw from 0 to 255; "ink" are the same with noise on the paper, so
that no pixel is 0. "beside X" is the peak over what there was before the fit, in bytes for each
pixel of X, pages of the file left out. The weights must be those of float64, to the bit.
"""

import argparse
import hashlib
import json
import tempfile
import time

import numpy as np

from benchmarks.data import load
from benchmarks.growth import PeakMemory, resident, shifted
from benchmarks.process import run_apart

KINDS = {"float64": np.float64, "float32": np.float32, "uint8": np.uint8, "uint8 file": np.uint8}
CS = np.array([0.025, 0.05, 0.1, 0.2, 0.4]) / 255


def run(kind, noise, n):
    from l1svc import L1LinearSVCSearchCV

    X, y = load()
    L1LinearSVCSearchCV([0.1], cv=2).fit(X[:200], y[:200])
    X, y = shifted(X, y, n)
    X = np.rint(X * 255).astype(np.uint8)
    if noise:
        X = np.maximum(X, np.random.default_rng(0).integers(1, 20, X.shape, dtype=np.uint8))
    X = X.astype(KINDS[kind])
    with tempfile.NamedTemporaryFile() as file:
        if kind.endswith("file"):
            X.tofile(file.name)
            X = np.memmap(file.name, dtype=X.dtype, mode="r", shape=X.shape)
        before = resident("RssAnon")
        began = time.perf_counter()
        with PeakMemory("RssAnon") as peak:
            search = L1LinearSVCSearchCV(CS).fit(X, y)
        seconds = time.perf_counter() - began
    return {
        "fit": seconds,
        "memory": (peak.bytes - before) / X.size,
        "weights": hashlib.sha256(search.best_estimator_.coef_.tobytes()).hexdigest(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=112720)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        kind, noise = options.run
        print(json.dumps(run(kind, noise == "ink", options.rows)))
        return
    print(f"{'rows':8}{'X is':12}{'fit s':>8}{'X':>6}{'beside X':>10}  weights")
    for noise in ("digits", "ink"):
        for kind, dtype in KINDS.items():
            rows = ("--rows", options.rows)
            got, _ = run_apart("benchmarks.memory", "--run", kind, noise, *rows)
            if kind == "float64":
                expected = got["weights"]
            same = "the same bits" if got["weights"] == expected else "others"
            size = 0 if kind.endswith("file") else np.dtype(dtype).itemsize
            print(f"{noise:8}{kind:12}{got['fit']:8.2f}{size:6}{got['memory']:10.2f}  {same}")


if __name__ == "__main__":
    main()
