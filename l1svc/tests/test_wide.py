"""The Newton system of wide problems, solved in each way, and what comes after rounding."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from l1svc import L1LinearSVC, newton_system
from l1svc.newton_system import NewtonSystem

FORMS = [np.asarray, sp.csr_matrix]


@pytest.mark.parametrize("as_given", FORMS)
@pytest.mark.parametrize(
    "costs",
    [
        {"SMALL_SUPPORT": 0, "CHOLESKY": 1e9},  # conjugate gradients
        {"SMALL_SUPPORT": 300, "DENSE_GRAM": 1e9},  # G by its entries
        {"SMALL_SUPPORT": 300, "SPARSE_GRAM": 1e9},  # by dense blocks of rows
    ],
)
def test_the_newton_system_is_solved_in_each_way(monkeypatch, as_given, costs):
    for name, value in costs.items():
        monkeypatch.setattr(newton_system, name, value)
    rng = np.random.default_rng(0)
    A = rng.normal(size=(700, 300)) * (rng.random((700, 300)) < 0.1)
    rows, s = np.flatnonzero(rng.random(700) < 0.8), rng.uniform(0.5, 2.0, 700)
    rhs, w = rng.normal(size=300), np.full(300, 1e9)
    given = sp.csc_matrix(A) if as_given is sp.csr_matrix else np.asfortranarray(A)
    d = NewtonSystem(given, rows, s, 0.1).solve(rhs, w, 0.0)
    H = (A[rows].T * s[rows]) @ A[rows]
    H += 0.1 * np.diag(H.diagonal())
    left = np.abs(H @ d - rhs).max()
    assert left <= newton_system.FORCING * np.abs(rhs).max()
    assert (left < 1e-9) == (costs["SMALL_SUPPORT"] == 300)


def test_what_would_change_its_sign_is_held_at_zero():
    rng = np.random.default_rng(1)
    A, s = rng.normal(size=(50, 6)), np.ones(50)
    rhs, w = 10.0 * rng.normal(size=6), 0.2 * np.ones(6)
    d = NewtonSystem(np.asfortranarray(A), np.arange(50), s, 1e-12).solve(rhs, w, 0.0)
    free = np.linalg.solve(A.T @ A, rhs)
    wrong = w + free < 0
    assert 0 < wrong.sum() < 6
    np.testing.assert_array_equal(d[wrong], -w[wrong])
    left = (A.T @ A @ d - rhs)[~wrong]
    np.testing.assert_allclose(left, 0.0, atol=1e-9)  # the best of those that remain


def test_dependent_columns_have_a_factor_all_the_same():
    A = np.asfortranarray(np.ones((5, 3)))
    d = NewtonSystem(A, np.arange(5), np.ones(5), 0.0).solve(np.full(3, 5.0), np.ones(3), 0.0)
    np.testing.assert_allclose(d.sum(), 1.0, rtol=1e-6)


def test_of_very_large_supports_no_matrix_is_made(monkeypatch):
    monkeypatch.setattr(newton_system, "MAX_FACTOR", 150)
    monkeypatch.setattr(newton_system, "CHOLESKY", 1.0)  # seconds: conjugate gradients have time
    rng = np.random.default_rng(0)
    A, rhs = np.asfortranarray(rng.normal(size=(160, 151))), rng.normal(size=151)
    system = NewtonSystem(A, np.arange(160), np.ones(160), 1e-12)
    monkeypatch.setattr(newton_system, "MAX_CG_STEPS", 5)
    d = system.solve(rhs, np.ones(151), 0.0)
    assert rhs @ d > 0  # short of the solution, but downhill
    assert np.abs(A.T @ (A @ d) - rhs).max() > newton_system.FORCING * np.abs(rhs).max()


def test_a_fit_that_misses_tol_by_rounding_is_refined():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 1100))
    y = np.where(X[:, :3].sum(axis=1) > 0, 1, -1)
    plain, refined = (L1LinearSVC(1.0, tol=tol).fit(X, y) for tol in (1e-8, 1e-14))
    assert plain.duality_gap_ > 3e-14
    assert refined.duality_gap_ < 1e-14
    with pytest.warns(ConvergenceWarning, match="A larger max_iter does not help"):
        L1LinearSVC(1.0, tol=1e-30).fit(X, y)
