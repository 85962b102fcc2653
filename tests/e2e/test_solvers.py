"""Both solvers on the real data: objective, scores and weights."""

from pathlib import Path

import numpy as np
import pytest

from l1svc import objective
from pipeline.params import load_params
from stages import gridsearch, train
from stages.preprocess import signs

pytestmark = pytest.mark.long  # LIBLINEAR takes minutes
LIBLINEAR_TOL = 1e-5  # its own measure; at scikit-learn's 1e-4 an image is misplaced at C=0.05
CLASSES = np.array([5, 8])


@pytest.fixture(scope="module")
def digits_5_8(mnist: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    kept = np.isin(mnist["y_train"], CLASSES)
    return mnist["x_train"][kept].reshape(-1, 784) / 255.0, mnist["y_train"][kept]


@pytest.fixture
def params(root: Path):
    return load_params(root / "params.yaml")


def test_the_searches_agree_image_by_image(digits_5_8, params) -> None:
    """At two values of C (five take LIBLINEAR minutes): where it is easily wrong, and the best."""
    X, y = digits_5_8
    ours, theirs = (
        gridsearch.search(
            X,
            signs(y, CLASSES),
            params.gridsearch.model_copy(update={"C": [0.05, 0.2], "solver": solver} | loose),
        )
        for solver, loose in (("newton", {}), ("liblinear", {"tol": LIBLINEAR_TOL}))
    )
    assert ours["best_params_"] == theirs["best_params_"] == {"C": 0.2}
    for fold, size in enumerate(ours["fold_sizes"]):
        one, other = (found["cv_results_"] for found in (ours, theirs))
        key = f"split{fold}_test_score"
        np.testing.assert_array_equal(
            np.rint(one[key] * size).astype(int), np.rint(other[key] * size).astype(int)
        )
        assert one[f"split{fold}_duality_gap"].max() <= 1e-8
        assert other[f"split{fold}_duality_gap"].min() > 1e-8  # what the certificate is for


def test_the_models_agree_and_ours_is_the_lower(digits_5_8, params) -> None:
    X, y = digits_5_8
    s = signs(y, CLASSES)
    ours, theirs = (
        train.fit(X, y, CLASSES, 0.2, params.train.model_copy(update={"solver": solver} | loose))
        for solver, loose in (("newton", {}), ("liblinear", {"tol": LIBLINEAR_TOL}))
    )
    lower, higher = (objective(m.coef_, m.intercept_, 0.2, X, s) for m in (ours, theirs))
    assert lower == pytest.approx(262.5728127634, rel=1e-9)
    assert lower < higher < lower * (1 + 1e-6)
    np.testing.assert_allclose(theirs.coef_, ours.coef_, atol=2e-3)
    np.testing.assert_allclose(theirs.intercept_, ours.intercept_, atol=2e-3)
    np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
