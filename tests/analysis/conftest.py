"""What is computed beyond a stage runs on threads here."""

import pytest
from joblib import parallel_config


@pytest.fixture(autouse=True)
def _threads():
    """Processes would take seconds to begin."""
    with parallel_config(backend="threading"):
        yield
