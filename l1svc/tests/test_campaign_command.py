"""The random campaign's command: it finds what is wrong, and says where."""

import os
import time

import pytest

from l1svc import L1LinearSVC
from l1svc.tests import campaign, promises
from l1svc.tests.random_problems import random_problem

SMALL = (60, 40)


class Silent(L1LinearSVC):
    """Wrong by a hundredth, and does not know it."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ * 1.01 + 1e-3
        return self


def planted(seed, tell):
    """Weights that are wrong."""
    problem = random_problem(seed, SMALL)
    ours = promises.ask_ours(problem, Silent)
    tell(ours.answers)
    answers, _ = promises.ask_peer(problem, ours, 0.1)
    tell(answers)


def right(seed, tell):
    problem = random_problem(seed, SMALL)
    ours = promises.ask_ours(problem)
    tell(ours.answers)
    tell(promises.ask_peer(problem, ours, 0.1)[0])


def raising(seed, tell):
    raise ValueError("planted")


def dying(seed, tell):
    os._exit(3)


def idle(seed, tell):
    time.sleep(600)


def rows(printed):
    """Each row of the table: its name, and what follows."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.endswith("seeds"))
    return {line[:52].rstrip(): line[52:].split() for line in lines[start + 1 :]}


def test_it_runs_quietly_and_its_table_counts(capfd):
    assert campaign.main(["--problems", "3", "--seed", "5", "--jobs", "2"], right) == 0
    printed, noise = capfd.readouterr()
    assert printed.startswith("seeds 5 to 7\n")
    assert rows(printed)[promises.OBJECTIVE][:2] == ["3", "0"]
    assert rows(printed)[promises.EXCEPTION][:2] == ["3", "0"]
    assert noise == ""


def test_wrong_weights_break_promises_by_their_seed(capfd):
    fits = [seed for seed in range(4) if random_problem(seed, SMALL).task == "fit"]
    assert campaign.main(["--problems", "4"], planted) == 1
    table = rows(capfd.readouterr().out)
    for promise in (promises.WARNS, promises.OBJECTIVE):
        assert set(table[promise][3:]) >= set(map(str, fits))


@pytest.mark.parametrize(
    ("check", "said"), [(raising, "ValueError: planted"), (dying, "process ended with 3")]
)
def test_what_ends_early_is_named_with_its_problem(capfd, check, said):
    assert campaign.main(["--only", "12"], check) == 1
    printed = capfd.readouterr().out
    assert f"seed 12: {random_problem(12)}: {said}" in printed
    assert rows(printed)[promises.EXCEPTION] == ["1", "1", "1.0e+00", "12"]


def test_what_hangs_is_ended(monkeypatch, capfd):
    monkeypatch.setattr(campaign, "HANG", 0.5)
    assert campaign.main(["--only", "3"], idle) == 1
    assert rows(capfd.readouterr().out)[campaign.IN_TIME][:2] == ["1", "1"]


def test_one_real_problem_alone_says_what_it_is(capfd):
    assert campaign.main(["--only", "2"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith(f"seed 2: {random_problem(2)}\n")
    assert rows(printed)[campaign.IN_TIME][:2] == ["1", "0"]
