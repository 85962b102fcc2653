"""min over v of ½ vᵀGv − rᵀv + λ‖v‖₁: the optimality conditions hold, wherever it starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l1svc.quadratic import minimise


def value(G, r, lam, v):
    return 0.5 * v @ G @ v - r @ v + lam * np.abs(v).sum()


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40),
    rank=st.integers(1, 60),
    correlation=st.floats(0, 30),
    share=st.floats(0.001, 1.2),
    distance=st.sampled_from([0.0, 0.1, 1.0, 100.0]),
)
def test_optimality_conditions(seed, size, rank, correlation, share, distance):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rank, size)) + correlation * rng.normal(size=(rank, 1))
    G, r = A.T @ A, A.T @ rng.normal(size=rank)
    lam = share * max(np.abs(r).max(), 1e-3)
    start = distance * rng.normal(size=size) * (rng.random(size) < 0.7)
    v, change, residual = minimise(G, r, lam, start)
    violation = np.abs(G @ v - r + lam * np.sign(v))
    violation[v == 0] = np.maximum(np.abs(G @ v - r)[v == 0] - lam, 0)
    scale = lam + np.abs(G).max() * np.abs(start).max(initial=0.0)
    assert violation.max() <= residual + 1e-9 * scale
    before = value(G, r, lam, start)
    assert change <= 1e-9 * abs(before)
    assert value(G, r, lam, v) == pytest.approx(before + change, abs=1e-8 * (abs(before) + lam))
