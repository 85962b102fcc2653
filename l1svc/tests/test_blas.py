"""The BLAS routines called in place, against NumPy: of symmetric matrices the lower triangle.

By SciPy's pointers and by its wrappers, which take over where a build's pointers are others.
"""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import cython_blas, cython_lapack

from l1svc import L1LinearSVCSearchCV, blas
from l1svc.blas import add_gram, back_solve, cholesky, half_solve, symmetric_dot

rng = np.random.default_rng(0)
WAYS = {"pointers": blas.routines(), "wrappers": blas.Wrappers()}


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Once by the pointers, once by the wrappers."""
    monkeypatch.setattr(blas, "_routines", WAYS[request.param])


@pytest.fixture(params=[1, 2, 7, 40])
def H(request, way):
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


def test_what_is_not_positive_definite_is_said(way):
    assert not cholesky(np.array([[1.0, 0.0], [2.0, 1.0]]))


def test_empty_matrices_are_no_cause_for_complaint(way, capfd):
    add_gram(np.empty((0, 0)), np.empty((3, 0)), 1.0)
    add_gram(np.empty((2, 2)), np.empty((0, 2)), 1.0)
    assert len(symmetric_dot(np.empty((0, 0)), np.empty(0))) == 0
    assert capfd.readouterr() == ("", "")


def test_a_fit_is_the_same_by_the_wrappers(problem, monkeypatch):
    fits = []
    for routines in WAYS.values():
        monkeypatch.setattr(blas, "_routines", routines)
        search = L1LinearSVCSearchCV([0.02, 0.1, 0.3], cv=3).fit(*problem)
        assert search.cv_results_["max_duality_gap"].max() <= 1e-8
        fits.append(search.best_estimator_.coef_)
    np.testing.assert_allclose(fits[0], fits[1], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(fits[0] == 0, fits[1] == 0)


def published(signature):
    """A module that publishes a dsyrk of this signature."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    capsule = new(1, signature, None)
    return SimpleNamespace(
        name=signature, __pyx_capi__=cython_blas.__pyx_capi__ | {"dsyrk": capsule}
    )


DSYRK = "void (char *, char *, int *, int *, d *, d *, int *, d *, d *, int *)"
BLAS_D = "__pyx_t_5scipy_6linalg_11cython_blas_d"


@pytest.mark.parametrize(
    ("signature", "kind"),
    [
        (DSYRK.replace("d *", f"{BLAS_D} *"), blas.Pointers),
        (DSYRK.replace("d *", "double *"), blas.Pointers),
        (DSYRK.replace("d *", "double *").replace("int", "long"), blas.Wrappers),
        (DSYRK.replace("d *", "double *").replace("int", "__pyx_t_blas_int"), blas.Wrappers),
        (DSYRK.replace("d *", "float *"), blas.Wrappers),
        (DSYRK.replace("d *", "double *").replace("void", "int"), blas.Wrappers),
        ("void (int *)", blas.Wrappers),
    ],
)
def test_pointers_of_another_signature_are_not_called(signature, kind):
    module = published(signature.encode())
    assert type(blas.routines(module, cython_lapack)) is kind


def test_where_there_is_no_pointer_the_wrappers_work():
    assert type(blas.routines(cython_blas, SimpleNamespace(__pyx_capi__={}))) is blas.Wrappers


def test_the_pointers_of_this_scipy_are_used():
    assert type(WAYS["pointers"]) is blas.Pointers
