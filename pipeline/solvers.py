"""What a solver is, and the two there are: `SOLVERS` is the only list of them.

The schema of params.yaml takes its choices from here, so that a solver is added in one place. What
a solver needs is imported when it runs: to check params.yaml takes no scikit-learn.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from pipeline.cluster import cluster
from pipeline.errors import NotConvergedError

if TYPE_CHECKING:
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

Results = dict[str, Any]


@dataclass(frozen=True)
class Solver(ABC):
    """min over w, b of ‖w‖₁ + |b| + C Σ_i max(0, 1 − s_i (w·x_i + b))²: one fit, or the search.

    X is (n, p) float64, s is (n,) of -1 and +1.
    """

    tol: float
    max_iter: int
    random_state: int
    name: ClassVar[str]

    @abstractmethod
    def fit(self, X: np.ndarray, s: np.ndarray, C: float) -> "LinearSVC":
        """The model at C; a ConvergenceWarning where it misses `tol` within `max_iter`."""

    @abstractmethod
    def search(
        self,
        X: np.ndarray,
        s: np.ndarray,
        Cs: list[float],
        folds: "StratifiedKFold",
        scoring: str,
        step: Callable[[], object],
    ) -> Results:
        """The cross-validation of every C; `step` is called once for each fit that is done.

        Returns
        -------
        dict
            GridSearchCV's cv_results_ less what differs from run to run (times, numbers of
            iterations), and `split0_nonzero`, …, `nonzero` (their mean), `split0_duality_gap`, ….

        Raises
        ------
        NotConvergedError
            A fit missed `tol` within `max_iter`; the message names C and fold.
        """

    def _refuse(self, C: float, fold: int, folds: "StratifiedKFold", reached: str) -> NoReturn:
        raise NotConvergedError(
            f"gridsearch: C={C}, fold {fold + 1} of {folds.n_splits}: {self.name} did not converge "
            f"to tol={self.tol} in gridsearch.max_iter={self.max_iter} ({reached}); "
            "allowed: enough iterations to converge"
        )


class Newton(Solver):
    """l1svc's Newton method, to a relative duality gap of at most `tol`; it draws no numbers.

    Each fit of a fold begins at the optimum of the C before it.
    """

    name = "newton"

    def fit(self, X: np.ndarray, s: np.ndarray, C: float) -> "LinearSVC":
        from l1svc import L1LinearSVC, to_linear_svc

        model = to_linear_svc(L1LinearSVC(C, tol=self.tol, max_iter=self.max_iter).fit(X, s))
        del model.n_iter_  # unlike the optimum, it may depend on the machine
        return model

    def search(
        self,
        X: np.ndarray,
        s: np.ndarray,
        Cs: list[float],
        folds: "StratifiedKFold",
        scoring: str,
        step: Callable[[], object],
    ) -> Results:
        from l1svc import L1LinearSVCSearchCV

        search = L1LinearSVCSearchCV(
            Cs,
            cv=folds,
            scoring=scoring,
            return_train_score=True,
            n_jobs=-1,
            refit=False,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        with cluster():
            results = search.fit(X, s, callback=step).cv_results_
        for fold, i in _fits(folds, Cs):
            gap = results[f"split{fold}_duality_gap"][i]
            if not gap <= self.tol:
                self._refuse(Cs[i], fold, folds, f"relative duality gap {gap:.1e}")
        return {
            key: value
            for key, value in results.items()
            if not key.endswith(("_time", "n_iter", "max_duality_gap"))
        }


class Liblinear(Solver):
    """By scikit-learn's LinearSVC and its GridSearchCV: the reference."""

    name = "liblinear"

    def fit(self, X: np.ndarray, s: np.ndarray, C: float) -> "LinearSVC":
        return self._estimator().set_params(C=C).fit(X, s)

    def search(
        self,
        X: np.ndarray,
        s: np.ndarray,
        Cs: list[float],
        folds: "StratifiedKFold",
        scoring: str,
        step: Callable[[], object],
    ) -> Results:
        from sklearn.metrics import get_scorer
        from sklearn.model_selection import GridSearchCV

        search = GridSearchCV(
            self._estimator(),
            {"C": Cs},
            # Named "score", GridSearchCV's keys are those of a single score. The others measure the
            # fit itself.
            scoring={
                "score": get_scorer(scoring),
                "n_iter": _n_iter,
                "nonzero": _nonzero,
                "duality_gap": _duality_gap,
            },
            cv=folds,
            refit=False,
            return_train_score=True,
            error_score="raise",
            n_jobs=-1,
        )
        results = search.fit(X, s).cv_results_
        for fold, i in _fits(folds, Cs):
            step()  # not before: GridSearchCV does not tell how far it is
            if results[f"split{fold}_train_n_iter"][i] >= self.max_iter:
                self._refuse(Cs[i], fold, folds, "iterations used up")
        kept = {key: value for key, value in results.items() if key.endswith(("_score", "param_C"))}
        # GridSearchCV measures a fit on both parts of the rows; the gap is of the fitted ones.
        for fold in range(folds.n_splits):
            for measure in ("nonzero", "duality_gap"):
                kept[f"split{fold}_{measure}"] = results[f"split{fold}_train_{measure}"]
        return kept | {"params": results["params"], "nonzero": results["mean_train_nonzero"]}

    def _estimator(self) -> "LinearSVC":
        from sklearn.svm import LinearSVC

        return LinearSVC(
            penalty="l1",
            loss="squared_hinge",
            dual=False,
            tol=self.tol,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )


SOLVERS: dict[str, type[Solver]] = {solver.name: solver for solver in (Newton, Liblinear)}


def _n_iter(model: "LinearSVC", X: np.ndarray, s: np.ndarray) -> int:
    return int(model.n_iter_)


def _nonzero(model: "LinearSVC", X: np.ndarray, s: np.ndarray) -> int:
    return int(np.count_nonzero(model.coef_) + np.count_nonzero(model.intercept_))


def _duality_gap(model: "LinearSVC", X: np.ndarray, s: np.ndarray) -> float:
    from l1svc import relative_duality_gap

    return relative_duality_gap(model.coef_, model.intercept_, model.C, X, s)


def _fits(folds: "StratifiedKFold", Cs: list[float]) -> Iterator[tuple[int, int]]:
    return ((fold, i) for fold in range(folds.n_splits) for i in range(len(Cs)))
