"""From a fitted estimator of this package to scikit-learn's LinearSVC."""

import copy

from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from .estimators import FITTED_BY, L1LinearSVC
from .search import L1LinearSVCSearchCV


def to_linear_svc(estimator: L1LinearSVC | L1LinearSVCSearchCV) -> LinearSVC:
    """A fitted scikit-learn LinearSVC with the weights of ``estimator``.

    It predicts as ``estimator`` does and needs nothing of this package.

    Parameters
    ----------
    estimator : L1LinearSVC or L1LinearSVCSearchCV, fitted

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> from l1svc import L1LinearSVC, to_linear_svc
    >>> svc = L1LinearSVC(C=0.1).fit(X, y)
    >>> type(to_linear_svc(svc)).__module__
    'sklearn.svm._classes'
    >>> bool((to_linear_svc(svc).predict(X) == svc.predict(X)).all())
    True
    """
    check_is_fitted(estimator)
    fitted = getattr(estimator, "best_estimator_", estimator)
    svc = LinearSVC(
        penalty="l1",
        loss="squared_hinge",
        dual=False,
        **{name: getattr(fitted, name) for name in FITTED_BY},
    )
    for name in ("coef_", "intercept_", "classes_", "n_iter_", "n_features_in_"):
        setattr(svc, name, copy.copy(getattr(fitted, name)))
    if hasattr(fitted, "feature_names_in_"):
        svc.feature_names_in_ = fitted.feature_names_in_.copy()
    return svc
