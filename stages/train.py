"""Stage train: the model, on all the training images.

Reads data/preprocessed.npz and data/gridsearch.joblib; writes data/model.joblib, a LinearSVC of
scikit-learn whose predictions are digits and which loads without this project's code, and
metrics/train.json.
"""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.svm import LinearSVC

from l1svc import L1LinearSVC, objective, relative_duality_gap, to_linear_svc
from stages.artifacts import load_arrays, load_object, save_metrics, save_object
from stages.canonical import gap_bound, rounded
from stages.convergence import converged
from stages.errors import run
from stages.labels import signs
from stages.params import Train, load_params

INPUT = Path("data/preprocessed.npz")
SEARCH = Path("data/gridsearch.joblib")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/train.json")


def fit(X: np.ndarray, y: np.ndarray, classes: np.ndarray, C: float, params: Train) -> LinearSVC:
    """min over w of |w|_1 + C sum_i max(0, 1 - s_i (w.x_i + b))^2, b penalised as a weight.

    The weights are rounded: the same bits then come out whatever the order in which a machine
    adds up.

    Parameters
    ----------
    X : (n, 784) float64
    y : (n,) digits
    classes : (2,) digits; s_i is -1 for the first and +1 for the second
    C : regularisation, > 0; the smaller, the fewer weights
    params : the section train of params.yaml

    Returns
    -------
    LinearSVC
        decision_function > 0 means the second class; predict gives digits.

    Raises
    ------
    NotConvergedError
        The solver did not reach tol within max_iter.
    """
    with converged(
        f"train: C={C}: {params.solver} did not converge to tol={params.tol} in "
        f"train.max_iter={params.max_iter}; allowed: enough iterations to converge"
    ):
        model = SOLVERS[params.solver](X, signs(y, classes), C, params)
    model.coef_ = rounded(model.coef_)
    model.intercept_ = rounded(model.intercept_)
    # Digits instead of signs, in the params' order: scikit-learn would sort them, and [8, 5]
    # would then name the wrong side.
    model.classes_ = classes.astype(np.int64)
    return model


def newton(X: np.ndarray, s: np.ndarray, C: float, params: Train) -> LinearSVC:
    """By l1svc: the exact optimum."""
    model = to_linear_svc(L1LinearSVC(C, tol=params.tol, max_iter=params.max_iter).fit(X, s))
    del model.n_iter_  # unlike the optimum, it may depend on the machine
    return model


def liblinear(X: np.ndarray, s: np.ndarray, C: float, params: Train) -> LinearSVC:
    """By scikit-learn: the reference."""
    return LinearSVC(
        penalty="l1",
        loss="squared_hinge",
        dual=False,
        C=C,
        tol=params.tol,
        max_iter=params.max_iter,
        random_state=params.random_state,
    ).fit(X, s)


SOLVERS = {"newton": newton, "liblinear": liblinear}


def metrics(model: LinearSVC, X: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    """C, and what the weights as saved reach: objective, to 9 decimals, and certificate."""
    weights = (model.coef_, model.intercept_, model.C, X, s)
    return {
        "C": model.C,
        "objective": round(objective(*weights), 9),
        "relative_duality_gap_at_most": float(gap_bound(relative_duality_gap(*weights))),
    }


def main() -> None:
    params = load_params().train
    data = load_arrays(INPUT, "X_train", "y_train", "classes")
    X, y, classes = data["X_train"], data["y_train"], data["classes"]
    C = load_object(SEARCH)["best_params_"]["C"] if params.C is None else params.C
    model = fit(X, y, classes, C, params)
    save_object(MODEL, model)
    save_metrics(METRICS, metrics(model, X, signs(y, classes)))


if __name__ == "__main__":
    run(main)
