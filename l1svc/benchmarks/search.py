"""The search of the article by five solvers: seconds, ratios, worst duality gap.

    python -m l1svc.benchmarks.search [--rounds 3] [--peers newton,liblinear] [--jobs 1,2]

Every run is a process of its own with one BLAS thread; the peers take turns, and the table has
medians. "fit" is the search alone, "process" all of it: start, imports, loading and search.
"""

import argparse
import json
import sys
import time
from statistics import median

from l1svc.benchmarks.data import CS, load
from l1svc.benchmarks.process import run_apart

TIGHT = 1e-9  # LIBLINEAR's tolerance that leads to a duality gap of 1e-8
SKGLM = 1e-4  # on the optimality conditions, for it a matter of minutes already
CYANURE = 1e-6  # on the relative gap
PEERS = ("newton", "liblinear", "liblinear-tight", "skglm", "cyanure")
ONE_JOB = ("skglm", "cyanure")


class Recorder:
    """Accuracy, and the weights that had it."""

    def __init__(self):
        self.seen = []

    def __call__(self, estimator, X, y):
        self.seen.append((estimator.coef_, estimator.intercept_, estimator.C))
        return estimator.score(X, y)


def worst_gap(X, y, fits):
    """The largest relative gap of fits = [(fold, coef, intercept, C)] on their training rows."""
    from sklearn.model_selection import StratifiedKFold

    from l1svc import relative_duality_gap

    trains = [train for train, _ in StratifiedKFold(5).split(X, y)]
    return max(
        relative_duality_gap(coef, intercept, C, X[trains[fold]], y[trains[fold]])
        for fold, coef, intercept, C in fits
    )


def run(peer, jobs):
    """One search in this process: seconds of its fit, worst relative gap of the 25 fits.

    "after" is the seconds that certifying a peer's weights took, no part of its time.
    """
    X, y = load()
    if peer == "newton":
        from l1svc import L1LinearSVCSearchCV

        began = time.perf_counter()
        search = L1LinearSVCSearchCV(CS, n_jobs=jobs).fit(X, y)
        fit = time.perf_counter() - began
        return {"fit": fit, "gap": search.cv_results_["max_duality_gap"].max(), "after": 0.0}
    if peer in ONE_JOB:
        if peer == "skglm":
            from l1svc.benchmarks.squared_hinge import search
        else:
            from l1svc.benchmarks.gradient import search

        tol = {"skglm": SKGLM, "cyanure": CYANURE}[peer]
        search(X[:200], y[:200], CS[:1], 1e-2)  # compiles, or loads
        began = time.perf_counter()
        folds, _ = search(X, y, CS, tol)
        fit, done = time.perf_counter() - began, time.perf_counter()
        fits = [
            (k, w[:-1], w[-1], C)
            for k, fold in enumerate(folds)
            for w, C in zip(fold, CS, strict=True)
        ]
        gap = worst_gap(X, y, fits)
        return {"fit": fit, "gap": gap, "after": time.perf_counter() - done}

    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import LinearSVC

    tight = {"tol": TIGHT, "max_iter": 10**6} if peer == "liblinear-tight" else {}
    svc = LinearSVC(penalty="l1", loss="squared_hinge", dual=False, random_state=0, **tight)
    recorder = Recorder()
    began = time.perf_counter()
    scoring = recorder if jobs == 1 else "accuracy"  # a job's record stays in its process
    GridSearchCV(svc, {"C": CS}, cv=5, scoring=scoring, n_jobs=jobs).fit(X, y)
    fit, done = time.perf_counter() - began, time.perf_counter()
    fits = [(k % 5, *seen) for k, seen in enumerate(recorder.seen)]
    gap = worst_gap(X, y, fits) if fits else None
    return {"fit": fit, "gap": gap, "after": time.perf_counter() - done}


def run_whole(peer, jobs):
    """The same in a process of its own, with its whole wall-clock time as "process"."""
    result, whole = run_apart("l1svc.benchmarks.search", "--run", peer, "--jobs", jobs)
    return {**result, "process": whole - result["after"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--run", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run, int(options.jobs))))
        return

    cases = [
        (peer, int(jobs))
        for jobs in options.jobs.split(",")
        for peer in options.peers.split(",")
        if peer not in ONE_JOB or jobs == "1"
    ]
    runs = {case: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            runs[case].append(run_whole(*case))
            print(*case, runs[case][-1], file=sys.stderr)
    table = {
        case: {key: median(r[key] for r in results) for key in ("fit", "process")}
        for case, results in runs.items()
    }
    print(f"{'':24}{'jobs':>4}{'fit s':>9}{'ratio':>8}{'process s':>11}{'ratio':>8}{'gap':>10}")
    for (peer, jobs), row in table.items():
        base = table.get(("liblinear", jobs), row)
        gap = runs[peer, jobs][0]["gap"]
        print(
            f"{peer:24}{jobs:4}{row['fit']:9.2f}{base['fit'] / row['fit']:8.1f}"
            f"{row['process']:11.2f}{base['process'] / row['process']:8.1f}"
            f"{'' if gap is None else format(gap, '.1e'):>10}"
        )


if __name__ == "__main__":
    main()
