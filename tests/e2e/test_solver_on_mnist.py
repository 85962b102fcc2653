"""l1svc on the digits of the article; its other tests, in tests/l1svc, need nothing of us."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from l1svc import (
    L1LinearSVC,
    L1LinearSVCSearchCV,
    objective,
    relative_duality_gap,
    to_linear_svc,
)


@pytest.fixture(scope="module")
def five_vs_eight(mnist):
    """((X, y) of the training images, (X, y) of the test images): 5 is -1, 8 is +1."""

    def part(name):
        images, labels = mnist[f"x_{name}"], mnist[f"y_{name}"]
        kept = (labels == 5) | (labels == 8)
        return images[kept].reshape(-1, 784) / 255.0, np.where(labels[kept] == 8, 1, -1)

    return part("train"), part("test")


def test_optimum_on_mnist(five_vs_eight):
    (X, y), (X_test, y_test) = five_vs_eight
    fit = L1LinearSVC(C=0.2).fit(X, y)
    assert relative_duality_gap(fit.coef_, fit.intercept_, fit.C, X, y) <= 1e-8
    assert fit.duality_gap_ < 1e-12
    value = objective(fit.coef_, fit.intercept_, 0.2, X, y)
    assert value == pytest.approx(262.5728127634, rel=1e-9)
    assert np.count_nonzero(fit.coef_) + np.count_nonzero(fit.intercept_) == 285
    assert fit.score(X, y) == 0.9723207948899929
    assert fit.score(X_test, y_test) == 0.9619506966773848


def test_search_on_mnist(five_vs_eight):
    (X, y), (X_test, y_test) = five_vs_eight
    Cs = [0.025, 0.05, 0.1, 0.2, 0.4]
    search = L1LinearSVCSearchCV(Cs, return_train_score=True).fit(X, y)
    results = search.cv_results_
    assert results["max_duality_gap"].max() <= 1e-8
    plain = [0.95626275, 0.95989990, 0.96158543, 0.96256148, 0.96105348]
    np.testing.assert_array_equal(np.round(results["mean_test_score"], 8), plain)
    train = [0.96298347, 0.96777409, 0.97059080, 0.97338536, 0.97624640]
    np.testing.assert_array_equal(np.round(results["mean_train_score"], 8), train)

    sizes = [len(test) for _, test in StratifiedKFold(5).split(X, y)]
    scores = np.array([results[f"split{k}_test_score"] for k in range(5)])
    article = [0.95626331, 0.95990064, 0.96158623, 0.96256210, 0.96105394]
    np.testing.assert_array_equal(np.round(np.average(scores, axis=0, weights=sizes), 8), article)

    assert search.best_params_ == {"C": 0.2}
    assert search.best_estimator_.duality_gap_ <= 1e-12
    single = L1LinearSVC(C=0.2).fit(X, y)
    np.testing.assert_allclose(search.best_estimator_.coef_, single.coef_, rtol=0, atol=1e-15)
    assert to_linear_svc(search).score(X_test, y_test) == 0.9619506966773848


@pytest.mark.parametrize("C", [0.025, 0.2, 1.0])
def test_the_same_digits_whatever_the_order_of_the_rows_and_columns(five_vs_eight, C):
    (X, y), _ = five_vs_eight
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(len(y)), rng.permutation(784)
    one = L1LinearSVC(C).fit(X, y)
    other = L1LinearSVC(C).fit(X[rows][:, columns], y[rows])
    assert one.duality_gap_ < 1e-12
    np.testing.assert_array_equal(other.coef_[0] == 0, one.coef_[0, columns] == 0)
    np.testing.assert_array_max_ulp(other.coef_[0], one.coef_[0, columns], maxulp=1)
    np.testing.assert_array_max_ulp(other.intercept_, one.intercept_, maxulp=1)
