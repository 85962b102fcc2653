import numpy as np
import pytest

from l1svc.tests.problems import small_problem
from l1svc.tests.rules import pytest_sessionfinish as pytest_sessionfinish


@pytest.fixture
def named_columns(monkeypatch):
    """The names that scikit-learn is told for every X of 12 columns, as if it were a data frame."""
    names = np.array([f"pixel {j}" for j in range(12)], dtype=object)
    monkeypatch.setattr("sklearn.utils.validation._get_feature_names", lambda X: names)
    return names


@pytest.fixture
def problem():
    return small_problem()
