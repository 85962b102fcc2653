"""Metadata reach fits, scorers and splitters as they do in GridSearchCV."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_validate
from sklearn.utils.metadata_routing import get_routing_for_object

from l1svc import L1LinearSVC, L1LinearSVCSearchCV

CS = [0.3, 0.02]


@pytest.fixture(autouse=True)
def _routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def metadata(problem):
    n = len(problem[1])
    rng = np.random.default_rng(0)
    return {
        "sample_weight": rng.integers(1, 4, n).astype(float),
        "prices": rng.random(n),
        "groups": np.arange(n) // 7,
    }


def paid(y, predicted, prices):
    return float(prices @ (y == predicted))


def own_scorer(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


class PricedFolds(StratifiedKFold):
    """Folds that depend on what is given to ``split``."""

    __metadata_request__split: ClassVar[dict] = {"prices": True}

    def split(self, X, y=None, groups=None, prices=None):
        return super().split(X, np.asarray(prices) > 0.5)

    def get_n_splits(self, X=None, y=None, groups=None, prices=None):
        return super().get_n_splits()


def accuracy(**requests):
    return make_scorer(accuracy_score).set_score_request(**requests)


def weighted_accuracy():
    return accuracy(sample_weight=True)


def assert_same(search, reference):
    for key, values in reference.cv_results_.items():
        if key.startswith(("split", "mean_t", "std_t", "rank")):
            np.testing.assert_allclose(search.cv_results_[key], values, rtol=1e-12)
    assert search.best_params_ == reference.best_params_
    assert type(search.scorer_) is type(reference.scorer_)
    ours, theirs = search.best_estimator_.coef_, reference.best_estimator_.coef_
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


def several_metrics():
    return {
        "scoring": {
            "plain": accuracy(sample_weight=False),
            "weighted": weighted_accuracy(),
            "paid": make_scorer(paid).set_score_request(prices=True),
            "f": make_scorer(fbeta_score, beta=2).set_score_request(sample_weight="prices"),
        },
        "refit": "weighted",
        "return_train_score": True,
    }


CASES = {  # the search's arguments, set_fit_request(sample_weight=...), what is given
    "fits": (lambda: {"scoring": accuracy(sample_weight=False)}, True, ["sample_weight"]),
    "scores and fits": (lambda: {"scoring": weighted_accuracy()}, True, ["sample_weight"]),
    "scores": (lambda: {"scoring": weighted_accuracy()}, False, ["sample_weight"]),
    "groups and an alias": (lambda: {"cv": GroupKFold(3)}, "prices", ["prices", "groups"]),
    "other metadata, for the folds too": (
        lambda: {"scoring": make_scorer(paid).set_score_request(prices=True), "cv": PricedFolds(3)},
        None,
        ["prices"],
    ),
    "several metrics": (several_metrics, True, ["sample_weight", "prices"]),
    "a function, which asks for nothing": (
        lambda: {"scoring": own_scorer},
        True,
        ["sample_weight"],
    ),
}


def fitted(problem, metadata, case, **arguments):
    """The search and GridSearchCV of a case, fitted."""
    X, y = problem
    kwargs, for_fits, given = CASES[case]
    kwargs = {"cv": 3, "scoring": "accuracy"} | kwargs()
    given = {name: metadata[name] for name in given}
    search = L1LinearSVCSearchCV(CS, **kwargs, **arguments)
    single = L1LinearSVC()
    for one in (search, single):
        one.set_fit_request(sample_weight=for_fits)
    reference = GridSearchCV(single, {"C": CS}, **kwargs)
    return search.fit(X, y, **given), reference.fit(X, y, **given)


@pytest.mark.parametrize(("case", "jobs"), [("several metrics", 1), *((case, 2) for case in CASES)])
def test_metadata_go_where_they_are_asked_for(problem, metadata, case, jobs):
    assert_same(*fitted(problem, metadata, case, n_jobs=jobs))


def test_the_score_takes_metadata(problem, metadata):
    X, y = problem
    prices = {"prices": metadata["prices"]}
    case = "other metadata, for the folds too"
    search, reference = fitted(problem, metadata, case)
    assert search.score(X, y, **prices) == pytest.approx(reference.score(X, y, **prices))
    assert search.score(X, y, **prices) == pytest.approx(paid(y, search.predict(X), **prices))


def test_scoring_none_is_the_estimators_score_with_its_requests(problem, metadata):
    X, y = problem
    weights = {"sample_weight": metadata["sample_weight"]}
    search, single = L1LinearSVCSearchCV(CS, cv=3, scoring=None), L1LinearSVC()
    for one in (search, single):
        one.set_fit_request(sample_weight=False).set_score_request(sample_weight=True)
    reference = GridSearchCV(single, {"C": CS}, cv=3).fit(X, y, **weights)
    assert_same(search.fit(X, y, **weights), reference)
    assert search.score(X, y, **weights) == pytest.approx(reference.score(X, y, **weights))
    assert search.score(X, y, **weights) != search.score(X, y)


def test_inside_another_router(problem, metadata):
    X, y = problem
    search = L1LinearSVCSearchCV(CS, cv=GroupKFold(3), scoring=weighted_accuracy())
    single = L1LinearSVC()
    for one in (search, single):
        one.set_fit_request(sample_weight=True)
    reference = GridSearchCV(single, {"C": CS}, cv=GroupKFold(3), scoring=weighted_accuracy())
    given = {name: metadata[name] for name in ("sample_weight", "groups")}
    ours, theirs = (
        cross_validate(one, X, y, cv=GroupKFold(4), params=given, scoring=weighted_accuracy())
        for one in (search, reference)
    )
    np.testing.assert_allclose(ours["test_score"], theirs["test_score"])
    assert get_routing_for_object(search).consumes("fit", given) == set(given)


def test_what_nobody_asked_for_is_an_error(problem, metadata):
    X, y = problem
    search = L1LinearSVCSearchCV(CS, cv=3)
    with pytest.raises(UnsetMetadataPassedError, match=r"L1LinearSVCSearchCV\.set_fit_request"):
        search.fit(X, y, sample_weight=metadata["sample_weight"])
    for name in ("prices", "groups"):
        with pytest.raises(TypeError, match="not routed to any object"):
            search.fit(X, y, **{name: metadata[name]})
    with config_context(enable_metadata_routing=False):
        with pytest.raises(TypeError, match=r"fit got unexpected arguments \['prices'\]"):
            search.fit(X, y, prices=metadata["prices"])
        search.fit(X, y)
        with pytest.raises(TypeError, match=r"score got unexpected arguments \['prices'\]"):
            search.score(X, y, prices=metadata["prices"])
