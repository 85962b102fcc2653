"""Many fits of one problem: along C, and over bootstrap samples."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from l1svc import bootstrap, svm_path

CS = [0.01, 0.05, 0.3, 2.0]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_callback_is_called_after_each_fit(problem, jobs):
    called = []
    svm_path(*problem, CS, n_jobs=jobs, callback=lambda: called.append("C"))
    bootstrap(*problem, 0.3, 5, n_jobs=jobs, callback=lambda: called.append("sample"))
    assert called == ["C"] * len(CS) + ["sample"] * 5


@pytest.mark.parametrize("Cs", [[], [0.0, 1.0], [np.nan], [[0.1]], [0.1, 0.1], [0.2, 0.1]])
def test_cs_must_ascend_from_above_zero(problem, Cs):
    with pytest.raises(ValueError, match=r"Cs must (be positive numbers|ascend), "):
        svm_path(*problem, Cs)


def test_two_classes_are_asked_for(problem):
    X, y = problem
    for labels, number in ((np.ones(len(y)), "2 classes .* only 1"), (np.arange(len(y)) % 3, "3")):
        for call in (lambda y: svm_path(X, y, CS), lambda y: bootstrap(X, y, 0.3, 2)):
            with pytest.raises(ValueError, match=number):
                call(labels)


def test_a_sample_of_one_class_is_refused(problem):
    X, _ = problem
    with pytest.raises(ValueError, match="2 classes"):
        bootstrap(X[:30], np.where(np.arange(30) == 0, 1, -1), 0.3, 20)


def test_a_gap_above_tol_is_warned_about(problem):
    with pytest.warns(ConvergenceWarning, match="relative duality gap of") as caught:
        svm_path(*problem, CS, max_iter=1, tol=1e-14)
    assert caught[0].filename == __file__
