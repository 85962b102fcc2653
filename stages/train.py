"""Stage train: the model, on all the training images.

Reads data/preprocessed.npz and data/gridsearch.joblib; writes data/model.joblib, a LinearSVC of
scikit-learn whose predictions are digits and which loads without this project's code, and
metrics/train.json.
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from stages.artifacts import load_arrays, load_object, save_metrics, save_object
from stages.errors import PipelineError, run
from stages.labels import signs
from stages.params import Train, load_params

INPUT = Path("data/preprocessed.npz")
SEARCH = Path("data/gridsearch.joblib")
MODEL = Path("data/model.joblib")
METRICS = Path("metrics/train.json")


class NotConvergedError(PipelineError):
    """The fit used up its iterations; the message names C."""


def fit(X: np.ndarray, y: np.ndarray, classes: np.ndarray, C: float, params: Train) -> LinearSVC:
    """min over w of |w|_1 + C sum_i max(0, 1 - s_i (w.x_i + b))^2, b penalised as a weight.

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
        max_iter was not enough for tol.
    """
    model = LinearSVC(
        penalty="l1",
        loss="squared_hinge",
        dual=False,
        C=C,
        tol=params.tol,
        max_iter=params.max_iter,
        random_state=params.random_state,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(X, signs(y, classes))
        except ConvergenceWarning as warning:
            raise NotConvergedError(
                f"train: C={C}: not converged to tol={params.tol} in "
                f"train.max_iter={params.max_iter}; allowed: enough iterations to converge"
            ) from warning
    # Digits instead of signs, in the params' order: scikit-learn would sort them, and [8, 5]
    # would then name the wrong side.
    model.classes_ = classes.astype(np.int64)
    return model


def objective(model: LinearSVC, X: np.ndarray, s: np.ndarray) -> float:
    """|w|_1 + C sum_i max(0, 1 - s_i (w.x_i + b))^2, to 9 decimals.

    More would differ with the order in which a machine adds up w.x_i.

    Parameters
    ----------
    model : fitted on X
    X : (n, 784) float64
    s : (n,) -1 or +1
    """
    slack = np.maximum(0.0, 1.0 - s * model.decision_function(X))
    penalty = math.fsum(np.abs(model.coef_[0])) + abs(float(model.intercept_[0]))
    return round(penalty + model.C * math.fsum(slack**2), 9)


def metrics(model: LinearSVC, X: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    """C, the iterations used and the objective reached."""
    return {
        "C": model.C,
        "n_iter": int(model.n_iter_),
        "objective": objective(model, X, s),
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
