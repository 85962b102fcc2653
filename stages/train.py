"""Stage train: the model, on all the training images.

Reads data/preprocessed.npz and data/gridsearch.joblib; writes data/model.joblib, a LinearSVC of
scikit-learn whose predictions are labels and which loads without this project's code, and
metrics/train.json.
"""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.svm import LinearSVC

from l1svc import objective, relative_duality_gap
from pipeline.artifacts import save_metrics, save_object
from pipeline.convergence import converged
from pipeline.params import Train
from pipeline.rounding import log10_gap_bound, round_objective, round_weights
from pipeline.schemas import PREPROCESSED, load, load_C
from pipeline.solvers import SOLVERS
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
SEARCH = Path("data/gridsearch.joblib")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/train.json")


def fit(X: np.ndarray, s: np.ndarray, classes: np.ndarray, C: float, params: Train) -> LinearSVC:
    """min over w, b of |w|_1 + |b| + C sum_i max(0, 1 - s_i (w.x_i + b))^2.

    The weights are rounded: the same bits then come out whatever the order in which a machine
    adds up.

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1
    classes : (2,) the labels that these stand for
    C : regularisation, > 0; the smaller, the fewer weights
    params : the section train of params.yaml

    Returns
    -------
    LinearSVC
        decision_function > 0 means the second class; predict gives labels.

    Raises
    ------
    NotConvergedError
        The solver did not reach tol within max_iter.
    """
    solver = SOLVERS[params.solver](params.tol, params.max_iter, params.random_state)
    with converged(
        f"train: C={C}: {params.solver} did not converge to tol={params.tol} in "
        f"train.max_iter={params.max_iter}; allowed: enough iterations to converge"
    ):
        model = solver.fit(X, s, C)
    model.coef_ = round_weights(model.coef_)
    model.intercept_ = round_weights(model.intercept_)
    # Labels instead of signs, in the params' order: scikit-learn would sort them, and [8, 5]
    # would then name the wrong side.
    model.classes_ = classes.astype(np.int64)
    return model


def metrics(model: LinearSVC, X: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    """C, and what the weights as saved reach: objective and certificate."""
    weights = (model.coef_, model.intercept_, model.C, X, s)
    return {
        "C": model.C,
        "objective": round_objective(objective(*weights)),
        "log10_duality_gap_at_most": log10_gap_bound(relative_duality_gap(*weights)),
    }


def main(params: Train) -> None:
    X, s, classes = load(INPUT, PREPROCESSED, "X_train", "s_train", "classes").values()
    C = load_C(SEARCH, params.choose) if params.C is None else params.C
    model = fit(X, s, classes, C, params)
    save_object(MODEL, model)
    save_metrics(METRICS, metrics(model, X, s))


if __name__ == "__main__":
    run_stage(main, "train")
