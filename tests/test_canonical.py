"""What is cut off so that every machine gives the same bytes."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical import SMALLEST_GAP, gap_bound


@given(st.floats(0, 1))
def test_the_bound_is_above_and_near(gap: float) -> None:
    bound = gap_bound(np.array([gap]))[0]
    assert bound >= gap
    assert bound <= max(10.000001 * gap, SMALLEST_GAP)
    assert re.fullmatch(r"1e-\d\d|0\.0*1|1\.0", repr(float(bound)))


def test_noise_has_one_bound() -> None:
    assert set(gap_bound(np.array([0.0, 3e-16, 2e-12]))) == {SMALLEST_GAP}
