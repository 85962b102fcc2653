"""The last digits: slices that lose none, and weights right to the last bit."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from l1svc import L1LinearSVC
from l1svc.refine import Sliced, minus, refine, slices
from l1svc.tests.rules import examples

FLOATS = st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-30 else 0.0)


def exact_dot(row, x):
    return sum((Fraction(a) * Fraction(b) for a, b in zip(row, x, strict=True)), Fraction(0))


@examples(40)
@given(a=arrays(float, 7, elements=FLOATS))
def test_slices_add_up_without_error(a):
    first, second, rest = slices(a, 20)
    assert [sum(map(Fraction, parts)) for parts in zip(first, second, rest, strict=True)] == [
        Fraction(x) for x in a
    ]
    step = 2.0 ** (np.frexp(np.abs(a).max())[1] - 20)
    assert np.all(np.abs(first) <= 2.0**20 * step)
    assert np.all(np.abs(second) <= step)


@examples(40)
@given(A=arrays(float, (3, 9), elements=FLOATS), x=arrays(float, 9, elements=FLOATS))
def test_one_minus_a_product_is_right_far_beyond_a_double(A, x):
    value, rest = minus(1.0, Sliced(A).dot(x))
    scale = max(1.0, np.abs(A).max() * np.abs(x).max())
    for i, row in enumerate(A):
        error = 1 - exact_dot(row, x) - Fraction(value[i]) - Fraction(rest[i])
        assert abs(error) <= Fraction(scale) * Fraction(2) ** -80
        assert abs(rest[i]) <= np.spacing(abs(value[i]))


def test_the_first_two_sums_do_not_depend_on_the_order():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 256, (200, 784)) / 255
    x, shuffled = rng.normal(size=784), rng.permutation(784)
    one, other = Sliced(A).dot(x), Sliced(A[:, shuffled]).dot(x[shuffled])
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_nearby_weights_lead_to_the_optimum_to_the_last_bit(problem):
    X, y = problem
    fit = L1LinearSVC(C=0.3).fit(X, y)
    w = np.append(fit.coef_, fit.intercept_)
    S = np.flatnonzero(w)
    A = y[:, None] * np.column_stack([X, np.ones(len(y))])[:, S]
    s, lam = np.ones(len(y)), 0.5 / 0.3
    rng = np.random.default_rng(0)
    for _ in range(20):
        start = w[S] * (1 + 1e-9 * rng.normal(size=len(S)))
        np.testing.assert_array_max_ulp(refine(A, s, lam, start), w[S], maxulp=1)
        inside = rng.random(len(y)) < 0.5  # the sum over some rows is known
        gram = np.tril(A[inside].T @ A[inside])
        got = refine(A, s, lam, start, gram, inside)
        np.testing.assert_array_max_ulp(got, w[S], maxulp=1)
    for j in range(len(S)):  # Σ b_i a_ij = λ sign(w_j), in exact arithmetic
        left = Fraction(0)
        for row in A:
            left += max(Fraction(0), 1 - exact_dot(row, w[S])) * Fraction(row[j])
        assert abs(left - Fraction(lam) * int(np.sign(w[S][j]))) < Fraction(1, 10**14)


def test_dependent_columns_are_left_alone(problem):
    X, y = problem
    A = y[:, None] * X[:, [0, 0]]
    assert refine(A, np.ones(len(y)), 1.0, np.array([0.1, 0.1])) is None


@pytest.mark.parametrize("kernel", ["Nehalem", pytest.param("Haswell", marks=pytest.mark.long)])
def test_the_same_digits_from_another_blas_kernel(problem, tmp_path, kernel):
    X, y = problem
    np.savez(tmp_path / "data.npz", X=X, y=y)
    result = tmp_path / "coef.npy"
    code = (
        "import numpy as np; from l1svc import L1LinearSVC\n"
        f"data = np.load({str(tmp_path / 'data.npz')!r})\n"
        f"np.save({str(result)!r}, L1LinearSVC(0.3).fit(data['X'], data['y']).coef_)\n"
    )
    environment = os.environ | {"OPENBLAS_CORETYPE": kernel}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    np.testing.assert_array_max_ulp(np.load(result), L1LinearSVC(0.3).fit(X, y).coef_, maxulp=1)
