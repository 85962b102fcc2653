"""A small part of the random campaign (campaign.py): the same promises, without the clock."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from l1svc import L1LinearSVC
from l1svc.tests import promises
from l1svc.tests.random_problems import FAMILIES, TASKS, random_problem

SMALL = (200, 300)
SEEDS = range(60)
OFTEN = 20  # of them, in every run
PEER_SECONDS = 0.1


@pytest.mark.parametrize(
    "seed", [*SEEDS[:OFTEN], *(pytest.param(k, marks=pytest.mark.long) for k in SEEDS[OFTEN:])]
)
def test_a_random_problem(seed):
    problem = random_problem(seed, SMALL)
    ours = promises.ask_ours(problem)
    answers, _ = promises.ask_peer(problem, ours, PEER_SECONDS)
    answers |= ours.answers
    del answers[promises.GAP]  # what is above tol has its warning
    assert all(kept for kept, _ in answers.values()), f"{problem}: {answers}"


def test_the_problems_are_of_all_kinds_and_a_seed_is_one_problem():
    problems = [random_problem(seed, SMALL) for seed in range(200)]
    kinds = {problem.kind.split(",")[0] for problem in problems}
    assert kinds == {family.__name__ for family in FAMILIES}
    assert {problem.task for problem in problems} == set(TASKS)
    assert {str(problem.X.dtype) for problem in problems} >= {"float64", "float32", "uint8"}
    assert max(len(np.unique(problem.y)) for problem in problems) > 2
    assert min(len(np.unique(problem.y)) for problem in problems) == 2
    again = random_problem(7, SMALL)
    assert str(again) == str(problems[7])
    assert abs(again.X - problems[7].X).max() == 0


def test_wrong_weights_are_found():
    problem = random_problem(0, SMALL)
    ours = promises.ask_ours(problem)
    answers, _ = promises.ask_peer(problem, ours, PEER_SECONDS)
    assert answers[promises.OBJECTIVE][0]
    ours.coef = ours.coef + 0.01 * np.abs(ours.coef).max() + 1e-3
    answers, _ = promises.ask_peer(problem, ours, PEER_SECONDS)
    assert not answers[promises.OBJECTIVE][0]


def test_the_gap_that_is_told_is_that_of_the_intercept_returned():
    """Unix times, and an intercept_scaling whose product with w is rounded."""
    problem = random_problem(515)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        svc = L1LinearSVC(problem.Cs[0], **problem.parameters).fit(problem.X, problem.y)
    gap = promises.certified(problem, svc.coef_, svc.intercept_, svc.C)
    assert svc.duality_gap_ == pytest.approx(gap, rel=1e-6)
