import numpy as np
import pytest

from tests.l1svc.problems import small_problem


@pytest.fixture
def named_columns(monkeypatch):
    """The names that scikit-learn is told for every X of 12 columns, as if it were a data frame."""
    names = np.array([f"pixel {j}" for j in range(12)], dtype=object)
    monkeypatch.setattr("sklearn.utils.validation._get_feature_names", lambda X: names)
    return names


@pytest.fixture
def problem():
    return small_problem()
