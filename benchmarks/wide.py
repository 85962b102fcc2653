"""Wide and sparse problems: CPU seconds and certified gap, ours and LIBLINEAR's, side by side.

    python -m benchmarks.wide [--families text,genes] [--ratios 100,1000]

C is so many times the least that leaves any weight (``sklearn.svm.l1_min_c``). Every family is a
process of its own with one BLAS thread, in which L1LinearSVC and LinearSVC, each with its default
tol, take turns.
"""

import argparse
import json
import time
import warnings

from benchmarks.problems import WIDE
from benchmarks.process import run_apart


def timed(estimator, X, y):
    """CPU seconds of the fit, its relative gap, and the weights that are not zero."""
    import numpy as np

    from l1svc import relative_duality_gap

    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the gap tells
        estimator.fit(X, y)
    seconds = time.process_time() - began
    gap = relative_duality_gap(estimator.coef_, estimator.intercept_, estimator.C, X, y)
    return {"seconds": seconds, "gap": gap, "nonzero": int(np.count_nonzero(estimator.coef_))}


def run(family, ratios):
    """For each ratio, what the two solvers come to."""
    from sklearn.svm import LinearSVC, l1_min_c

    from l1svc import L1LinearSVC

    X, y = WIDE[family]()
    least = l1_min_c(X, y, loss="squared_hinge")
    L1LinearSVC(least).fit(X[:50], y[:50])  # loads what is loaded once
    results = []
    for ratio in ratios:
        C = ratio * least
        peer = LinearSVC(penalty="l1", loss="squared_hinge", dual=False, C=C, random_state=0)
        results.append({"ours": timed(L1LinearSVC(C), X, y), "liblinear": timed(peer, X, y)})
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", default="", help="words of which a family's name has one")
    parser.add_argument("--ratios", default="100,1000")
    parser.add_argument("--run", choices=WIDE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    ratios = [float(ratio) for ratio in options.ratios.split(",")]
    if options.run:
        print(json.dumps(run(options.run, ratios)))
        return
    print(
        f"{'':24}{'C/least':>8}{'non-zero':>9}{'ours s':>9}{'gap':>9}{'liblinear s':>12}{'gap':>9}"
    )
    for family in WIDE:
        if not any(word in family for word in options.families.split(",")):
            continue
        results, _ = run_apart("benchmarks.wide", "--run", family, "--ratios", options.ratios)
        for ratio, row in zip(ratios, results, strict=True):
            ours, peer = row["ours"], row["liblinear"]
            print(
                f"{family:24}{ratio:8g}{ours['nonzero']:9}{ours['seconds']:9.2f}"
                f"{ours['gap']:9.0e}{peer['seconds']:12.2f}{peer['gap']:9.0e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
