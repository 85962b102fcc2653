"""The path at every C: entries and steps against fits between them."""

import numpy as np
import pytest

from analysis import every_c, follow
from analysis.follow import follow_path, path_grid, solve_path
from analysis.path import FollowedPath, first_C, followed_path, nonzero_of_points, path_points
from l1svc import L1LinearSVC, exact_search
from pipeline.errors import NotConvergedError, PipelineError


@pytest.fixture
def data(digits):
    X, y = digits(160)
    y[::7] = 13 - y[::7]  # these look like the other digit
    s = np.where(y == 8, 1, -1)
    return X[:100], s[:100], X[100:], s[100:]


@pytest.fixture
def Cs(data) -> list[float]:
    return path_grid(*data[:2], 12)


def known(data, low: float, high: float) -> FollowedPath:
    X, s, X_test, s_test = data
    return followed_path(follow_path(X, s, low, high), X_test, s_test)


@pytest.fixture
def every(data, Cs):
    return known(data, Cs[0], Cs[-1])


def at(step, C: float):
    Cs, values = step
    return values[np.searchsorted(Cs, C, side="right") - 1]


def test_between_the_steps_all_is_as_a_fit_has_it(data, Cs, every) -> None:
    X, s, X_test, s_test = data
    for steps in (every.nonzero, every.train, every.test):
        assert steps[0][0] == Cs[0]
        assert (np.diff(steps[0]) > 0).all()
    known = np.unique(np.concatenate([every.nonzero[0], every.train[0], every.test[0], Cs[-1:]]))
    middles = np.sqrt(known[:-1] * known[1:])[np.diff(np.log(known)) > 1e-4]
    assert len(middles) > 60
    for C in middles[::6]:
        svc = L1LinearSVC(C).fit(X, s)
        used = [np.searchsorted(entries, C) % 2 == 1 for entries in every.entries]
        np.testing.assert_array_equal(used, svc.coef_[0] != 0)
        assert at(every.nonzero, C) == np.count_nonzero(svc.coef_) + np.count_nonzero(
            svc.intercept_
        )
        assert at(every.train, C) == svc.score(X, s)
        assert at(every.test, C) == svc.score(X_test, s_test)


def test_where_it_is_cut_changes_nothing(data, Cs, every, monkeypatch) -> None:
    monkeypatch.setattr(follow, "CUT", 0.4)
    again = known(data, Cs[0], Cs[-1])
    assert again.entries == every.entries
    for steps, same in zip(
        (again.nonzero, again.train, again.test),
        (every.nonzero, every.train, every.test),
        strict=True,
    ):
        np.testing.assert_array_equal(steps, same)


def test_the_steps_begin_where_the_path_does_however_many_digits_it_has(data) -> None:
    low = 0.00123456789  # rounds up
    every = known(data, low, 0.5)
    for steps in (every.nonzero, every.train, every.test):
        assert steps[0][0] <= low
        assert (np.diff(steps[0]) > 0).all()


def test_the_first_c_is_exact_or_the_first_of_those_tried(data, Cs, every) -> None:
    points = path_points(*solve_path(*data[:2], Cs).values(), *data)
    exact, tried = first_C(every, points), first_C(None, points)
    used = np.isfinite(tried)
    assert used.sum() > 10
    assert (exact[used] <= tried[used]).all()
    for pixel in np.flatnonzero(used):
        before = Cs[max(Cs.index(tried[pixel]) - 1, 0)]
        came_back = len(every.entries[pixel]) > 1
        assert exact[pixel] > before or came_back or tried[pixel] == Cs[0]
    C, count = nonzero_of_points(points)
    assert C.tolist() == Cs
    assert [at(every.nonzero, value) for value in C[:-1]] == count[:-1].tolist()


@pytest.mark.parametrize("part", [2, 3])
def test_what_cannot_be_followed_gets_its_line(data, Cs, monkeypatch, part: int) -> None:
    def uncertain(*args, **options):  # in the lower part of the path, or in the upper one
        found = exact_search(*args, **options)
        if args[part] == (Cs[0], Cs[-1])[part - 2]:
            found.duality_gap = 1e-7
        return found

    monkeypatch.setattr(follow, "exact_search", uncertain)
    with pytest.raises(
        NotConvergedError, match=r"gridsearch\.follow_path: from C = .* not certain to 1e-"
    ):
        follow_path(*data[:2], Cs[0], Cs[-1])
    used = int(np.count_nonzero(data[0].any(axis=0)))
    monkeypatch.setattr(every_c, "MAX_COLUMNS", used)
    with pytest.raises(PipelineError) as caught:
        follow_path(*data[:2], Cs[0], Cs[-1])
    assert str(caught.value) == (
        f"params.yaml: gridsearch.follow_path: got true, with {used} pixels in use; "
        f"allowed: false, or fewer than {used} pixels"
    )
