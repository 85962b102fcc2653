"""The stability of the choice of pixels."""

from functools import partial

import numpy as np
import pytest

from analysis import stability
from l1svc import bootstrap
from pipeline.errors import NotConvergedError


def test_a_decisive_pixel_is_chosen_always_and_a_blank_one_never(digits) -> None:
    X, y = digits(120)
    share = stability.frequencies(X, np.where(y == 8, 1, -1), 0.3, 10, 0)
    assert share.shape == (784,)
    assert share[210] == 1.0  # the one that tells the classes apart
    assert (share[:200] == 0).all()
    assert set(share * 10) <= set(range(11))


def test_samples_that_do_not_converge_are_refused(digits, monkeypatch) -> None:
    monkeypatch.setattr("analysis.stability.bootstrap", partial(bootstrap, max_iter=1))
    X, y = digits(120)
    with pytest.raises(NotConvergedError, match=r"interpret: bootstrap at C=20\.0: .* 3 samples; "):
        stability.frequencies(X, np.where(y == 8, 1, -1), 20.0, 3, 0)


def test_often_begins_at_nine_in_ten() -> None:
    assert stability.often(np.array([0.89, 0.9, 1.0])).tolist() == [False, True, True]
