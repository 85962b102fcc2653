"""The search and the bootstrap by threads and on a Dask cluster: seconds, and what is sent.

    python -m benchmarks.cluster [--rounds 3]        (after `make cluster`)

The workers are processes of this machine with one thread each; they have imported l1svc before the
time begins; the client reaches them itself (direct_to_workers). "sent" is what the client and the
scheduler send, over the size of X. The rows are the digits, and copies of them shifted by a few
pixels.
"""

import argparse
import os
import sys
import time
from statistics import median

import numpy as np

from benchmarks.data import load
from benchmarks.growth import shifted

WORKERS = 2
CASES = [  # rows, and values of C or samples
    ("search", 11272, 5),
    ("search", 11272, 100),
    ("search", 56360, 100),
    ("bootstrap", 11272, 100),
    ("bootstrap", 11272, 500),
    ("bootstrap", 56360, 100),
]


def work(what, X, y, m, n_jobs):
    """Seconds of one run."""
    from l1svc import L1LinearSVCSearchCV, bootstrap

    began = time.perf_counter()
    if what == "search":
        L1LinearSVCSearchCV(np.geomspace(0.025, 0.4, m), n_jobs=n_jobs).fit(X, y)
    else:
        bootstrap(X, y, 0.2, m, n_jobs=n_jobs)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    import dask
    from distributed import Client
    from distributed.comm.tcp import TCP
    from joblib import parallel_config

    # Without what Dask's nanny tells malloc, MALLOC_TRIM_THRESHOLD_=65536: fits take twice as long.
    dask.config.set({"distributed.nanny.pre-spawn-environ": {"OPENBLAS_NUM_THREADS": 1}})
    sent, write = [], TCP.write

    async def counting(comm, *arguments, **keywords):
        sent.append(await write(comm, *arguments, **keywords))
        return sent[-1]

    TCP.write = counting
    digits = load()
    cluster = {"n_workers": WORKERS, "threads_per_worker": 1, "direct_to_workers": True}
    with Client(processes=True, dashboard_address=None, **cluster) as client:
        client.run(lambda: __import__("l1svc"))
        print(
            f"{'':10}{'rows':>7}{'C, samples':>11}{'1 job':>8}{'2 jobs':>8}{'Dask':>8}{'sent':>6}"
        )
        for what, n, m in CASES:
            X, y = shifted(*digits, n)
            times = {how: [] for how in ("one", "two", "dask")}
            for _ in range(options.rounds):
                for how, backend, jobs in (
                    ("one", "threading", 1),
                    ("two", "threading", 2),
                    ("dask", "dask", -1),
                ):
                    sent.clear()
                    with parallel_config(backend):
                        times[how].append(work(what, X, y, m, jobs))
                print(what, n, m, {how: t[-1] for how, t in times.items()}, file=sys.stderr)
            one, two, dask = (median(times[how]) for how in times)
            share = sum(sent) / X.nbytes
            print(f"{what:10}{n:7}{m:11}{one:8.2f}{two:8.2f}{dask:8.2f}{share:6.2f}", flush=True)


if __name__ == "__main__":
    main()
