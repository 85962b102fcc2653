"""The BLAS routines called in place, against NumPy: of symmetric matrices the lower triangle."""

import numpy as np
import pytest

from l1svc.blas import add_gram, back_solve, cholesky, half_solve, symmetric_dot

rng = np.random.default_rng(0)


@pytest.fixture(params=[1, 2, 7, 40])
def H(request):
    """A positive definite matrix, with nonsense above its diagonal, and the matrix itself."""
    A = rng.normal(size=(request.param + 5, request.param))
    full = A.T @ A
    return np.where(np.tri(len(full), dtype=bool), full, np.nan), full


def test_gram_is_added_to_the_lower_triangle_alone(H):
    G, full = H
    B = rng.normal(size=(len(G), 3)).T
    upper = ~np.tri(len(G), dtype=bool)
    for sign in (1.0, -1.0):
        changed = G.copy()
        add_gram(changed, B, sign)
        np.testing.assert_allclose(np.tril(changed), np.tril(full + sign * B.T @ B), atol=1e-12)
        assert np.isnan(changed[upper]).all()


def test_product_with_a_symmetric_matrix(H):
    G, full = H
    v = rng.normal(size=2 * len(G))[::2]
    np.testing.assert_allclose(symmetric_dot(G, v), full @ v, atol=1e-12)


def test_solves_through_the_cholesky_factor(H):
    L, full = H
    assert cholesky(L)
    np.testing.assert_allclose(np.tril(L), np.linalg.cholesky(full), atol=1e-10)
    for rhs in (rng.normal(size=len(full)), rng.normal(size=(4, len(full))), np.empty((0, len(L)))):
        kept = rhs.copy()
        solved = back_solve(L, half_solve(L, rhs))
        np.testing.assert_allclose(solved @ full, rhs, atol=1e-8)
        np.testing.assert_array_equal(rhs, kept)


def test_what_is_not_positive_definite_is_said():
    assert not cholesky(np.array([[1.0, 0.0], [2.0, 1.0]]))


def test_empty_matrices_are_no_cause_for_complaint(capfd):
    add_gram(np.empty((0, 0)), np.empty((3, 0)), 1.0)
    add_gram(np.empty((2, 2)), np.empty((0, 2)), 1.0)
    assert len(symmetric_dot(np.empty((0, 0)), np.empty(0))) == 0
    assert capfd.readouterr() == ("", "")
