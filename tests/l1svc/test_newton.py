"""Margins that are mostly not computed: each is on its side of 1 all the same."""

import numpy as np
import pytest
import scipy.sparse as sp

from l1svc import svm_path
from l1svc.newton import NewtonSolver

ROUNDING = 1e-9


@pytest.mark.parametrize(
    ("n", "p", "share", "as_given"),
    [(600, 30, 1.0, np.asarray), (3000, 12, 0.2, np.asarray), (400, 60, 0.3, sp.csr_matrix)],
)
def test_every_margin_is_on_its_side_of_1(monkeypatch, n, p, share, as_given):
    rng = np.random.default_rng(p)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < share)
    y = np.where(X @ rng.normal(size=p) + rng.normal(size=n) > 0, 1, -1)
    quick = NewtonSolver._margins_at
    computed = []

    def checked(solver, w):
        margins, blur = quick(solver, w)
        exact = solver.y * solver.design.dot(w)
        clear = np.abs(exact - 1.0) > ROUNDING
        np.testing.assert_array_equal((margins < 1.0)[clear], (exact < 1.0)[clear])
        assert (np.abs(margins - exact) <= blur * solver.design.row_norms + ROUNDING).all()
        computed.append((blur == 0.0).mean())
        return margins, blur

    monkeypatch.setattr(NewtonSolver, "_margins_at", checked)
    svm_path(as_given(X), y, np.geomspace(1e-3, 10.0, 40))
    assert np.median(computed) < 0.5
    assert min(computed) < 0.1
