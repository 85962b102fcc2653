"""Does l1svc keep its promises on random problems? `python -m l1svc.tests.campaign --problems 2000`

Each seed is a problem (l1svc/tests/random_problems.py): of any size and kind, for one fit, a path
or a search. l1svc/tests/promises.py asks what the certificate, the warnings and LIBLINEAR say of
it. Each problem is a process of its own, with one BLAS thread, which is ended after SECONDS.
`--only SEED` runs a single one, and says what it is.

The table has for each promise how many problems put it to the test, how many broke it, which, and
the worst value. Exit status 1 if a promise was broken.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from l1svc.tests import promises
from l1svc.tests.promises import Answers
from l1svc.tests.random_problems import random_problem

SECONDS = 60  # of CPU, for what a task is
PEER_SECONDS = 0.3  # of CPU, for LIBLINEAR, or PEER_SHARE of ours if that is more
PEER_SHARE = 1.0
PEER_AT_MOST = 60.0  # where ours seems slow: it may yet reach the gap that ours has
HANG = 900  # seconds on the clock, after which a process is ended whatever it does
SLOWER = 5.0  # times LIBLINEAR's seconds that ours may be,
COUNTED = 0.05  # where they are not below this: then it is the start that is measured
LEAST_SECONDS = 0.001  # that LIBLINEAR is taken to need: clocks tick
SHOWN = 12  # seeds of a row

IN_TIME = f"nothing takes {SECONDS} s"
RATIO = f"seconds over LIBLINEAR's, at most {SLOWER:g}"
PROMISES = [
    promises.EXCEPTION,
    IN_TIME,
    promises.WARNS,
    promises.TRUTH,
    promises.FOLD_SCORES,
    promises.OBJECTIVE,
    RATIO,
]
Check = Callable[[int, Callable[[Answers], None]], None]


def check(seed: int, tell: Callable[[Answers], None], peer_seconds: float = PEER_AT_MOST) -> None:
    """Solve the problem of a seed, and tell what comes of it: ours first, then LIBLINEAR's."""
    problem = random_problem(seed)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(time.process_time()) + SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))  # the signal ends the process
    ours = promises.ask_ours(problem)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    tell(ours.answers | {IN_TIME: (ours.seconds < SECONDS, ours.seconds)})
    patience = max(PEER_SECONDS, PEER_SHARE * ours.seconds)
    answers, seconds = promises.ask_peer(problem, ours, patience)
    if problem.task == "fit" and ours.seconds >= COUNTED and seconds is not None:
        ratio = ours.seconds / max(seconds, LEAST_SECONDS)
        if ratio > SLOWER:
            _, seconds = promises.ask_peer(problem, ours, peer_seconds)
            ratio = ours.seconds / max(seconds or peer_seconds, LEAST_SECONDS)
        answers[RATIO] = (ratio <= SLOWER, ratio)
    tell(answers)


def run_one(seed: int, check: Check = check) -> tuple[Answers, str]:
    """The answers for a seed, and what ended its process early, if something did."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(check, seed, theirs), daemon=True)
    process.start()
    theirs.close()
    answers: Answers = {}
    error = ""
    try:
        while ours.poll(HANG):
            told = ours.recv()
            if isinstance(told, str):
                error = told
            else:
                answers |= told
        process.kill()
    except EOFError:  # it has ended
        pass
    process.join()
    if process.exitcode != 0 and not error:
        error = f"process ended with {process.exitcode}"
        answers.setdefault(IN_TIME, (False, float("inf")))
    answers[promises.EXCEPTION] = (not error, float(bool(error)))
    return answers, error


def _in_child(check, seed, pipe):
    try:
        check(seed, pipe.send)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
    pipe.close()


def run(seeds: Iterable[int], jobs: int, check: Check = check) -> Iterator[tuple[int, Any]]:
    """(seed, what run_one gives) for each, in the order of the seeds."""
    seeds = list(seeds)
    with ThreadPoolExecutor(jobs) as threads:
        yield from zip(seeds, threads.map(lambda seed: run_one(seed, check), seeds), strict=True)


def table(results: dict[int, Answers]) -> str:
    """Of each promise: tried, failed, the worst value, and the seeds that failed."""
    lines = [f"{'':52}{'tried':>6}{'failed':>7}{'worst':>9}  seeds"]
    for promise in [*PROMISES, promises.GAP]:
        asked = {seed: told[promise] for seed, told in results.items() if promise in told}
        failed = [seed for seed, (kept, _) in asked.items() if not kept]
        worst = f"{max(value for _, value in asked.values()):.1e}" if asked else ""
        seeds = " ".join(map(str, failed[:SHOWN])) + (" …" if len(failed) > SHOWN else "")
        name = promise if promise in PROMISES else f"({promise}: no promise)"
        lines.append(f"{name:52}{len(asked):6}{len(failed):7}{worst:>9}  {seeds}".rstrip())
    return "\n".join(lines)


def broken(results: dict[int, Answers]) -> bool:
    """Whether a promise was."""
    return any(
        not kept
        for told in results.values()
        for promise, (kept, _) in told.items()
        if promise in PROMISES
    )


def main(arguments: list[str] | None = None, planted: Check | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="SEED", help="one problem, with all its values")
    parser.add_argument(
        "--peer-seconds",
        type=float,
        default=PEER_AT_MOST,
        help="of CPU, that LIBLINEAR may take to our gap where ours seems slow",
    )
    options = parser.parse_args(arguments)
    first, count = (options.seed, options.problems) if options.only is None else (options.only, 1)
    asked = planted or partial(check, peer_seconds=options.peer_seconds)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    results = {}
    for seed, (answers, error) in run(range(first, first + count), options.jobs, asked):
        results[seed] = answers
        if error or options.only is not None:
            print(f"seed {seed}: {random_problem(seed)}{error and ': '}{error}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{len(results)} of {count} problems", end="", file=sys.stderr)
    print(f"seeds {first} to {first + count - 1}")
    print(table(results))
    return int(broken(results))


if __name__ == "__main__":
    sys.exit(main())
