"""What is cut off so that every machine gives the same bytes."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from l1svc.tests.rules import examples
from pipeline import rounding
from pipeline.rounding import SMALLEST_GAP, exact_scores, gap_bound, log10_gap_bound, round_weights


@given(st.floats(0, 1))
def test_the_bound_is_above_and_near(gap: float) -> None:
    bound = gap_bound(gap)
    assert bound >= gap
    assert bound <= max(10.000001 * gap, SMALLEST_GAP)
    assert re.fullmatch(r"1e-\d\d|0\.0*1|1\.0", repr(bound))


@pytest.mark.parametrize("exponent", range(-10, 3))
def test_a_power_of_ten_is_its_own_bound_and_the_next_float_is_beyond(exponent: int) -> None:
    bound = float(f"1e{exponent}")
    assert log10_gap_bound(bound) == log10_gap_bound(np.float64(bound)) == exponent
    assert gap_bound(bound) == bound
    assert log10_gap_bound(np.nextafter(bound, np.inf)) == exponent + 1


def test_noise_has_one_bound() -> None:
    assert {gap_bound(gap) for gap in (0.0, 3e-16, 2e-12)} == {SMALLEST_GAP}


@pytest.mark.parametrize(
    ("rounding", "decimals"),
    [
        (rounding.round_weights, 11),
        (rounding.round_path, 6),
        (rounding.round_scores, 9),
    ],
)
def test_values_that_differ_by_rounding_come_out_the_same(rounding, decimals: int) -> None:
    values = np.array([0.0, 1 / 3, -2 / 3, 123.456789012345678])
    noise = 10.0**-decimals * np.array([0.01, -0.1, 0.1, 0.05])
    np.testing.assert_array_equal(rounding(values + noise), rounding(values))
    np.testing.assert_allclose(rounding(values), values, rtol=0, atol=0.5 * 10.0**-decimals)
    assert rounding(np.array([10.0**-decimals]))[0] != 0


def test_the_objective_and_c_lose_their_last_digits() -> None:
    assert rounding.round_objective(262.57281276341234) == 262.572812763
    assert rounding.round_objective(1e-9) == 1e-9
    assert [rounding.round_C(C) for C in (0.000156231, 12.3456, 10)] == [0.0001562, 12.35, 10.0]
    assert rounding.round_event(0.19400935144939452) == 0.194009


@pytest.mark.parametrize(
    ("low", "high", "inner"),
    [
        (0.19400935144939452, 0.1941454899154217, (0.19401, 0.194145)),
        (0.025, 0.4, (0.025, 0.4)),
        (1.2345671, 1.2345679, (1.2345671, 1.2345679)),
    ],
)
def test_an_interval_is_rounded_inward(low: float, high: float, inner: tuple) -> None:
    assert rounding.round_inward(low, high) == inner


@examples(30)
@given(
    pixels=arrays(np.uint8, st.tuples(st.integers(1, 5), st.just(40))),
    whole=arrays(np.int64, 41, elements=st.integers(-(10**15), 10**15)),
    order=st.permutations(range(40)),
)
def test_a_score_is_the_double_nearest_to_the_exact_sum(pixels, whole, order) -> None:
    weights = round_weights(whole / 10**11)
    X, order = pixels / 255, list(order)
    got = exact_scores(X, weights[:40], float(weights[40]))
    for row, f in zip(pixels.tolist(), got, strict=True):
        exact = sum(
            Fraction(x, 255) * Fraction(round(w * 10**11), 10**11)
            for x, w in zip([*row, 255], weights.tolist(), strict=True)
        )
        assert f == float(exact)
    np.testing.assert_array_equal(
        exact_scores(X[:, order], weights[:40][order], float(weights[40])), got
    )
