"""Every C: the curve over a range, and what is said where there is none."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score

from analysis import every_c
from analysis.every_c import MeanScores, every_C
from analysis.search import corners
from l1svc import L1LinearSVC
from pipeline.errors import NotConvergedError, PipelineError
from pipeline.rounding import round_C


@pytest.fixture
def data(digits):
    X, y = digits(120)
    y[::7] = 13 - y[::7]  # these look like the other digit
    return X, np.where(y == 8, 1, -1)


def cross_validated(data, C: float, scoring: str) -> float:
    return float(
        cross_val_score(L1LinearSVC(C), *data, cv=StratifiedKFold(3), scoring=scoring).mean()
    )


def mean_scores(data) -> MeanScores:
    """What the stage's solver would say of roc_auc."""
    return lambda Cs, step: [cross_validated(data, C, "roc_auc") for C in Cs if step() is None]


@pytest.mark.parametrize("scoring", ["accuracy", "f1"])
def test_every_step_has_the_score_of_fits_within_it(data, scoring: str) -> None:
    found = every_C(*data, 0.02, 1.0, 3, scoring, mean_scores(data))
    C, score = found["C"], found["mean_test_score"]
    assert found["exact"]
    assert (C[0], C[-1]) == (0.02, 1.0)
    assert (np.diff(C) > 0).all()
    assert len(C) == len(score) + 1 > 5
    wide = np.flatnonzero(C[1:] > 1.001 * C[:-1])
    assert len(wide) > 12
    for k in wide[:: len(wide) // 6]:
        middle = float(np.sqrt(C[k] * C[k + 1]))
        assert score[k] == pytest.approx(cross_validated(data, middle, scoring))
    low, high = found["best_interval"]
    assert low < found["best_C"] < high
    assert found["best_score"] == score.max() == pytest.approx(score[C[:-1] <= found["best_C"]][-1])
    assert found["duality_gap"] <= 1e-8


def test_a_score_without_steps_is_tried_ever_nearer_to_its_best(data) -> None:
    found = every_C(*data, 0.02, 1.0, 3, "roc_auc", mean_scores(data))
    C, score = found["C"], found["mean_test_score"]
    assert not found["exact"]
    assert found["best_interval"] is None
    assert (C[0], C[-1]) == (0.02, 1.0)
    assert (np.diff(C) > 0).all()
    assert len(C) == len(score)
    first = np.array([0.02, *map(round_C, np.geomspace(0.02, 1.0, 33)[1:-1]), 1.0])
    assert np.isin(first, C).all()
    at = int(score[np.isin(C, first)].argmax())
    assert 0 < at < 32
    for ends in pairwise(first[at - 1 : at + 2]):  # 8 more on either side of the best
        more = [round_C(value) for value in np.geomspace(*ends, 10)]
        assert len(set(more)) == 10
        assert np.isin(more, C).all()
    best = int(score.argmax())
    assert (found["best_C"], found["best_score"]) == (C[best], score[best])
    around = C[max(best - 1, 0) : best + 2]
    assert around[-1] / around[0] < (1.0 / 0.02) ** (1 / 32)
    for k in (0, best, len(C) - 1):
        assert score[k] == pytest.approx(cross_validated(data, float(C[k]), "roc_auc"))


def test_the_corners_are_both_ends_of_each_step(data) -> None:
    found = every_C(*data, 0.02, 1.0, 3, "accuracy", mean_scores(data))
    C, score = corners(found)
    assert C[[0, -1]].tolist() == [0.02, 1.0]
    np.testing.assert_array_equal(C[1:-1:2], C[2::2])
    np.testing.assert_array_equal(score[::2], found["mean_test_score"])
    np.testing.assert_array_equal(score[1::2], score[::2])


def test_too_many_pixels_are_refused(data, monkeypatch) -> None:
    X, s = data
    used = np.count_nonzero(X.any(axis=0))
    monkeypatch.setattr(every_c, "MAX_COLUMNS", used)
    with pytest.raises(PipelineError) as caught:
        every_C(X, s, 0.02, 1.0, 3, "accuracy", mean_scores(data))
    assert str(caught.value) == (
        f"params.yaml: gridsearch.range: got [0.02, 1.0], with {used} pixels in use; "
        f"allowed: null, or fewer than {used} pixels"
    )


def test_a_path_that_is_lost_is_a_line(data, monkeypatch) -> None:
    def lost(*_, **__):
        raise ArithmeticError("The path is lost at C = 0.3.")

    monkeypatch.setattr(every_c, "exact_search", lost)
    with pytest.raises(
        NotConvergedError, match=r"^gridsearch\.range: \[0\.02, 1\.0\]: The path is"
    ):
        every_C(*data, 0.02, 1.0, 3, "accuracy", mean_scores(data))
