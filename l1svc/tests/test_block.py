"""The path in blocks: no size of a block, and no choice of what it watches, changes an event."""

import numpy as np
import pytest

from l1svc import block, exact_path, homotopy
from l1svc.crossings import Chord, nearest
from l1svc.design import Design
from l1svc.problem import Problem


def made(n=400, p=10):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) / p
    return X, np.where(X[:, :4].sum(axis=1) + 0.5 * rng.normal(size=n) > 0, 1, -1)


@pytest.fixture(scope="module")
def events():
    return exact_path(*made(), 0.003, 1.0).events


@pytest.mark.parametrize(
    "constants",
    [
        {"EVENTS": 1},  # a factor for each event
        {"EVENTS": 7},
        {"WATCHED": 5, "AHEAD": 0.01},  # margins are missed, and blocks cut
        {"ASTRAY": 0.0},  # every block is taken again, to one event
        {"DRIFT": 0.0, "CHEAP": 0},  # G is summed anew for each block
        {"DRIFT": 1e-3, "CHEAP": 0},  # or never
    ],
)
def test_every_way_to_cut_the_path_has_the_same_events(monkeypatch, events, constants):
    for name, value in constants.items():
        for module in (block, homotopy):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    path = exact_path(*made(), 0.003, 1.0)
    assert path.restarts == 0
    assert path.duality_gap < 1e-9
    for name in ("kind", "index", "sign"):
        np.testing.assert_array_equal(path.events[name], events[name])
    np.testing.assert_allclose(path.events["C"], events["C"], rtol=1e-9)


def test_most_events_are_foreseen(monkeypatch):
    """Their rows are computed together; one row at a time would take several times as long."""
    asked = []
    whole = block.Block._responses

    def responses(self, items):
        asked.append(len(items))
        return whole(self, items)

    monkeypatch.setattr(block.Block, "_responses", responses)
    path = exact_path(*made(), 0.003, 1.0)
    assert asked.count(1) < 0.2 * len(path.events)


def test_rows_that_cross_a_level_within_a_block_are_in_doubt():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6))
    problem = Problem(Design(X, 0.0), np.ones(500), np.ones(500))
    lams = np.array([0.9, 0.85, 0.6, 0.5])
    w, end = rng.normal(size=6), rng.normal(size=6)
    W = w + 2.0 * (1.0 - lams)[:, None] * (end - w) + 0.05 * rng.normal(size=(4, 6))
    chord = Chord(problem, 1.0, w, lams, W)
    values = chord.values(np.arange(500))
    np.testing.assert_allclose(values, X @ W.T, atol=1e-14)
    first = X @ w
    crosses = ((values > 0) != (first > 0)[:, None]).any(axis=1)
    doubt = chord.in_doubt(first, values[:, -1], problem.design.row_norms)
    back = crosses & ((values[:, -1] > 0) == (first > 0))  # not told by the ends alone
    assert back.any()
    assert not (crosses & ~doubt).any()
    assert not doubt.all()


def test_the_nearest_are_those_that_cross_and_so_many_more():
    distance, move = np.array([1.0, -2.0, 0.5, -0.1, 3.0]), np.array([-2.0, 0.5, 0.0, 0.0, 0.0])
    assert nearest(distance, move, np.ones(5), 1).tolist() == [0, 3]
    assert nearest(distance, move, np.array([1.0, 1.0, 10.0, 1.0, 0.0]), 1).tolist() == [0, 2]
    assert nearest(distance, move, np.ones(5), 9).tolist() == [0, 1, 2, 3, 4]
