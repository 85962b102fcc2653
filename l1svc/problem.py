"""From what a caller gives to the ±1 problems: every number and array is checked here.

With M = C Σ_i s_i max(1, ‖x̃_i‖²), the optimum has ‖w‖₁ ≤ P(w) ≤ P(0) = C Σ_i s_i ≤ M and margins of
at most M. So all that is formed on the way to it is at most about M³: a double holds that, and no
sum overflows, as long as M ≤ LARGEST.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_X_y, compute_class_weight
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from .design import DTYPES, Design, MatrixLike

LARGEST = 1e100  # of M, and of C; the smallest is its inverse

ClassWeight: TypeAlias = Mapping[Any, float] | str | None

PARAMETERS: dict[str, list[Any]] = {
    "C": [Interval(Real, 1 / LARGEST, LARGEST, closed="both")],
    "tol": [Interval(Real, 0.0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "fit_intercept": ["boolean"],
    "intercept_scaling": [Interval(Real, LARGEST**-0.5, LARGEST**0.5, closed="both")],
    "class_weight": [None, dict, StrOptions({"balanced"})],
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "random_state": [None, Interval(Integral, 0, None, closed="left")],
    "n_jobs": [None, Integral],
    "callback": [None, callable],
}


@dataclass(frozen=True)
class Problem:
    """One ±1 problem; C is no part of it.

    Attributes
    ----------
    design : Design of shape (n, p + 1)
        Shared by the problems of several classes, and by the folds.
    y : float64 ndarray of shape (n,), of -1 and +1
        The class.
    weights : float64 ndarray of shape (n,)
        s ≥ 0, class weights multiplied in; 0 for the rows left out.
    """

    design: Design
    y: np.ndarray
    weights: np.ndarray


def check_parameters(caller: str, **parameters: Any) -> None:
    """A ValueError that names the first of ``parameters`` that is not as PARAMETERS says."""
    validate_parameter_constraints(PARAMETERS, parameters, caller)


def check_Cs(Cs: ArrayLike) -> np.ndarray:
    """Values of C as a float64 array of shape (m,), each of them checked, m ≥ 1."""
    values = np.asarray(Cs, dtype=np.float64)
    fits = (values >= 1 / LARGEST) & (values <= LARGEST)
    if values.ndim != 1 or not len(values) or not fits.all():
        raise ValueError(
            f"Cs must be positive numbers, from {1 / LARGEST} to {LARGEST}, at least one,"
            f" got {Cs!r}."
        )
    return values


def check_data(
    X: MatrixLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    estimator: BaseEstimator | None = None,
) -> tuple[Any, np.ndarray, np.ndarray]:
    """X as one of DTYPES, C-contiguous or canonical CSR; labels y; sample weights, ones if None.

    Nothing that the caller gave is changed. An ``estimator`` learns the columns' number and names.
    """
    kinds = {"accept_sparse": "csr", "dtype": DTYPES, "order": "C"}
    if estimator is None:
        checked, labels = check_X_y(X, y, **kinds)
    else:
        checked, labels = validate_data(estimator, X, y, **kinds)
    check_classification_targets(labels)
    weights = _check_sample_weight(
        sample_weight, checked, dtype=np.float64, ensure_non_negative=True
    )
    return _canonical(checked) if sp.issparse(checked) else checked, labels, weights


def _canonical(X):
    """X, in a frame of its own; a copy where entries are unsorted, stand twice or are 0."""
    frame = sp.csr_matrix((X.data, X.indices, X.indptr), shape=X.shape)
    if frame.has_canonical_format and np.count_nonzero(frame.data) == len(frame.data):
        return frame
    own = frame.copy()
    own.sum_duplicates()
    own.eliminate_zeros()
    return own


def one_vs_rest(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """±1 targets of shape (K, n): K = 1 for two classes, the larger label positive."""
    positive = classes[1:] if len(classes) == 2 else classes
    return np.where(labels == positive[:, None], 1.0, -1.0)


def binary_problems(
    X: Any,
    labels: np.ndarray,
    sample_weight: np.ndarray,
    class_weight: ClassWeight,
    bias: float,
    Cs: ArrayLike,
) -> tuple[np.ndarray, list[Problem]]:
    """The classes of checked data, and their ±1 problems on one design: one-vs-rest, or one of two.

    Raises
    ------
    ValueError
        As :func:`weigh_classes` and :func:`build_design` do.
    """
    classes, weights = weigh_classes(class_weight, labels, sample_weight)
    design = build_design(X, bias, weights, Cs)
    targets = one_vs_rest(labels, classes)
    return classes, [Problem(design, y, s) for y, s in zip(targets, weights, strict=True)]


def weigh_classes(
    class_weight: ClassWeight,
    labels: np.ndarray,
    sample_weight: np.ndarray,
    there: np.ndarray | None = None,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The classes, and for each ±1 problem the weights of the rows, class weights multiplied in.

    The classes are those of rows of positive weight: others might as well not be there. But where
    that leaves one, they are all: what each of their problems asks for is then one answer for all.

    As in LIBLINEAR: of two classes, which are one problem, each has its class weight. Of more, a
    class has it where it is the positive one; the others then weigh as much as their samples.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
    labels : ndarray of shape (n,)
    sample_weight : float64 ndarray of shape (n,)
    there : bool ndarray of shape (n,), default=None
        The rows whose labels are the classes; all if None. The others must have weight 0.

    Raises
    ------
    ValueError
        Where there are fewer than two classes, no row has a weight, or a class weight is negative,
        infinite or NaN.
    """
    some, s = labels, sample_weight
    if there is not None:
        some, s = labels[there], sample_weight[there]
    present, weighing = np.unique(some), np.unique(some[s > 0])
    if len(present) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data"
            f" contains only {len(present)} class: {list(present)}."
        )
    if not len(weighing):
        raise ValueError("No sample of these classes has a positive sample_weight.")
    classes = weighing if len(weighing) > 1 else present
    if class_weight is None or (isinstance(class_weight, str) and len(weighing) == 1):
        return classes, [sample_weight] * (1 if len(classes) == 2 else len(classes))
    with np.errstate(over="ignore", invalid="ignore"):  # build_design says what is too large
        if isinstance(class_weight, str):
            factors = compute_class_weight(
                class_weight, classes=classes, y=some[s > 0], sample_weight=s[s > 0]
            )
        else:
            factors = compute_class_weight(class_weight, classes=present, y=some)
            factors = factors[np.isin(present, classes)]
        for label, factor in zip(classes, factors, strict=True):
            if not 0 <= factor < np.inf:
                raise ValueError(
                    "class_weight must not be negative, infinite or NaN,"
                    f" got {factor} for {label!r}."
                )
        if len(classes) == 2:
            return classes, [sample_weight * np.where(labels == classes[0], *factors)]
        return classes, [
            sample_weight * np.where(labels == label, factor, 1.0)
            for label, factor in zip(classes, factors, strict=True)
        ]


def build_design(X: Any, bias: float, weights: Iterable[np.ndarray], Cs: ArrayLike) -> Design:
    """The design of checked X, if the arithmetic can hold each problem at each C.

    Raises
    ------
    ValueError
        Where M is not from 1 / LARGEST to LARGEST: a number is too large or too small, infinite or
        NaN (which scikit-learn does not look for under ``assume_finite``).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        design = Design(X, bias)
        sums = np.multiply.outer([total.sum() for total in weights], np.asarray(Cs))
        largest = sums * np.maximum(1.0, design.row_norms.max() ** 2)
    if not ((sums >= 1 / LARGEST) & (largest <= LARGEST)).all():
        raise ValueError(
            "X, sample_weight, class_weight, C and intercept_scaling must be finite numbers with"
            f" C Σ_i s_i max(1, ‖x̃_i‖²) from {1 / LARGEST} to {LARGEST}, got {largest.ravel()[-1]}."
        )
    return design
