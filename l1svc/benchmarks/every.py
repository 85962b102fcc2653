"""Every C of a range: the exact search beside searches over a grid of many values.

    python -m l1svc.benchmarks.every [--values 1000]

Every run is a process of its own, one BLAS thread, one job, five folds, in turn; CPU seconds. A
grid of so many values is fitted by L1LinearSVCSearchCV; of GridSearchCV over LinearSVC ten values
are fitted, evenly among them, and the seconds multiplied. "nested" is what choosing costs: five
outer folds, in each C is chosen by an inner cross-validation (the best of every C; of the article's
five; the smallest C within one standard error of the best) and scored there, and on the images left
out of both.
"""

import argparse
import json
import sys
import time
import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from l1svc.benchmarks.data import CS, load
from l1svc.benchmarks.process import run_apart

RANGES = ((0.025, 0.4), (0.00016, 10.0))
TENTH = 10  # values that GridSearchCV fits


def exact(low, high, _):
    from l1svc import exact_search

    X, y = load()
    began = time.process_time()
    search = exact_search(X, y, low, high)
    return {
        "seconds": time.process_time() - began,
        "events": search.n_events.tolist(),
        "steps": len(search.Cs) - 2,
        "gap": search.duality_gap,
        "right": search.best_score * len(y),
        "intervals": search.best_intervals,
        "C": search.best_C,
        "grid_right": max(search.score_at(C) for C in CS) * len(y),
    }


def grid(low, high, values):
    from l1svc import L1LinearSVCSearchCV

    X, y = load()
    search = L1LinearSVCSearchCV(np.geomspace(low, high, values), refit=False)
    began = time.process_time()
    search.fit(X, y)
    return {
        "seconds": time.process_time() - began,
        "gap": search.cv_results_["max_duality_gap"].max(),
        "right": search.cv_results_["mean_test_score"].max() * len(y),
    }


def liblinear(low, high, values):
    X, y = load()
    some = np.geomspace(low, high, values)[:: values // TENTH][:TENTH]
    svc = LinearSVC(penalty="l1", loss="squared_hinge", dual=False, random_state=0)
    search = GridSearchCV(svc, {"C": some}, refit=False)
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stops before it converges: this is about time
        search.fit(X, y)
    return {"seconds": (time.process_time() - began) * values / len(some)}


def nested(low, high, _):
    """Accuracy of what was chosen: as the inner folds have it, and on images left out of both."""
    from l1svc import L1LinearSVC, exact_search

    X, y = load()
    rows = []
    for train, test in StratifiedKFold(5).split(X, y):
        search = exact_search(X[train], y[train], low, high)
        on_grid = max(CS, key=search.score_at)
        spread = search.std_test_score[search.mean_test_score.argmax()] / np.sqrt(5)
        enough = search.mean_test_score >= search.best_score - spread
        first = enough.argmax()
        for name, C in (
            ("every C", search.best_C),
            ("five values", on_grid),
            ("one standard error", np.sqrt(search.Cs[first] * search.Cs[first + 1])),
        ):
            svc = L1LinearSVC(C).fit(X[train], y[train])
            rows.append((name, search.score_at(C), svc.score(X[test], y[test])))
    return {
        name: np.mean([row[1:] for row in rows if row[0] == name], axis=0).tolist()
        for name, *_ in rows[:3]
    }


RUNS = {run.__name__: run for run in (exact, grid, liblinear, nested)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=1000, help="of the grids")
    parser.add_argument("--run", nargs=3, metavar=("NAME", "LOW", "HIGH"), help="one, here")
    options = parser.parse_args()
    if options.values < TENTH:
        parser.error(f"--values must be at least {TENTH}, got {options.values}")
    if options.run:
        name, *ends = options.run
        json.dump(RUNS[name](*map(float, ends), options.values), sys.stdout)
        return
    for low, high in RANGES:
        for name in RUNS:
            if name != "nested" or (low, high) == RANGES[0]:
                arguments = ("--values", options.values, "--run", name, low, high)
                found, _ = run_apart("l1svc.benchmarks.every", *arguments)
                print(f"{low:g} to {high:g}  {name:10} {found}", flush=True)


if __name__ == "__main__":
    main()
