import numpy as np
import pytest


@pytest.fixture
def named_columns(monkeypatch):
    """The names that scikit-learn is told for every X of 12 columns, as if it were a data frame."""
    names = np.array([f"pixel {j}" for j in range(12)], dtype=object)
    monkeypatch.setattr("sklearn.utils.validation._get_feature_names", lambda X: names)
    return names


@pytest.fixture
def problem():
    """A small problem whose optimum is unique: (X, y) of 120 rows and 12 columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    return X, np.where(X[:, :4].sum(axis=1) + 0.8 * rng.normal(size=120) > 0, 1, -1)
