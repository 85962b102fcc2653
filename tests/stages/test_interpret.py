"""Stage interpret: the weights' measures and their picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.interpret import metrics


def test_counts_norm_and_shares_by_hand() -> None:
    w = np.zeros((28, 28))
    w[0, 0], w[3, 14], w[14, 14], w[27, 27] = 1.0, -2.0, 4.0, -1.0
    got = metrics(w.ravel(), -0.5, border=4)
    assert got["weights"] == {"nonzero": 5, "zero": 780}
    assert got["l1_norm"] == 8.5
    assert got["border"] == {"pixels": 384, "nonzero": 3, "share_of_l1": 0.5}
    assert got["corners"] == {"pixels": 64, "nonzero": 2, "share_of_l1": 0.25}


def test_all_zero_weights_have_shares_too() -> None:
    got = metrics(np.zeros(784), 0.0, border=4)
    assert got["weights"] == {"nonzero": 0, "zero": 785}
    assert got["border"]["share_of_l1"] == 0.0


@given(border=st.integers(1, 13))
def test_the_borders_size(border: int) -> None:
    got = metrics(np.ones(784), 0.0, border)
    assert got["border"]["pixels"] == 784 - (28 - 2 * border) ** 2
    assert got["corners"]["pixels"] == (2 * border) ** 2
    assert got["border"]["share_of_l1"] == pytest.approx(got["border"]["pixels"] / 784)
