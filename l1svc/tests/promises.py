"""What l1svc promises, asked of one problem, beside LIBLINEAR.

An answer is (kept, value): whether the promise is kept, and the number that tells it. A promise
that a problem does not put to the test has no answer.
"""

import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, objective, relative_duality_gap, svm_path
from l1svc.tests.random_problems import Problem

TOL = 1e-8  # l1svc's default
FOLDS = 3
ROUNDING = 1e-9  # of an objective, relative
NEAR = 1e-4  # decision values up to this, over the largest, may differ in sign between two optima
LOOSE_GAP = 1e-3  # to which LIBLINEAR is timed where it reaches no TOL
FIRST_ITERATIONS = 30  # of LIBLINEAR, which tell how long one takes
PEER_TOLS = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)

EXCEPTION = "no exception"
WARNS = "a gap above tol is warned about"
TRUTH = "a warning is true"
FOLD_SCORES = "a search's scores are those of each fold's fit"
OBJECTIVE = "no objective above LIBLINEAR's best"
GAP = "a gap up to tol"  # no promise: what is above it has its warning

Answers = dict[str, tuple[bool, float]]


@dataclass
class Ours:
    """What l1svc made of a problem.

    Attributes
    ----------
    seconds : float
        CPU seconds, of all that the task is.
    coef, intercept : ndarray, ndarray
        Of the largest C; of a search, of its choice.
    C : float
        To which they belong.
    answers : dict
        What can be told without LIBLINEAR.
    """

    seconds: float
    coef: np.ndarray
    intercept: np.ndarray
    C: float
    answers: Answers = field(default_factory=dict)


def ask_ours(problem: Problem, fit=L1LinearSVC) -> Ours:
    """Solve the problem; ``fit`` makes the estimator of a single fit."""
    return {"fit": _ask_fit, "path": _ask_path, "search": _ask_search}[problem.task](problem, fit)


def certified(problem: Problem, coef, intercept, C: float) -> float:
    """The relative duality gap, from the data and the weights alone."""
    return relative_duality_gap(coef, _given(problem, intercept), C, **_data(problem))


def ask_peer(problem: Problem, ours: Ours, seconds: float) -> tuple[Answers, float | None]:
    """LIBLINEAR's best within so many CPU seconds beside ours, and its seconds to our gap.

    That is to TOL, or to LOOSE_GAP where it reaches no TOL; None where it reaches neither.
    """
    runs, left, rate = [], seconds, None
    for tol in PEER_TOLS:
        max_iter = FIRST_ITERATIONS if rate is None else int(min(left / rate, 1_000_000))
        if max_iter < 1:
            break
        peer = LinearSVC(
            penalty="l1",
            loss="squared_hinge",
            dual=False,
            C=ours.C,
            tol=tol,
            max_iter=max_iter,
            random_state=0,
            **problem.parameters,
        )
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # its gap tells
            peer.fit(problem.X, problem.y, problem.sample_weight)
        took = time.process_time() - began
        left, rate = left - took, max(took, 1e-4) / max(int(np.max(peer.n_iter_)), 1)
        value = objective(peer.coef_, _given(problem, peer.intercept_), ours.C, **_data(problem))
        gap = certified(problem, peer.coef_, peer.intercept_, ours.C)
        runs.append((value, gap, took))
        if gap <= TOL:
            break
    best = min(value for value, _, _ in runs)
    here = objective(ours.coef, _given(problem, ours.intercept), ours.C, **_data(problem))
    excess = here / best - 1.0
    for goal in (TOL, LOOSE_GAP):
        reached = [took for _, gap, took in runs if gap <= goal]
        if reached:
            break
    return {OBJECTIVE: (excess <= ROUNDING, excess)}, min(reached, default=None)


def _data(problem):
    return {
        "X": problem.X,
        "y": problem.y,
        "sample_weight": problem.sample_weight,
        "class_weight": problem.parameters["class_weight"],
        "intercept_scaling": problem.parameters["intercept_scaling"],
    }


def _given(problem, intercept):
    return np.atleast_1d(intercept) if problem.parameters["fit_intercept"] else None


def _warned(call, *arguments):
    """What ``call`` returns, its CPU seconds, and the texts of its ConvergenceWarnings."""
    began = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        result = call(*arguments)
    texts = [str(one.message) for one in caught if one.category is ConvergenceWarning]
    return result, time.process_time() - began, texts


def _answers(gap, texts) -> Answers:
    """Whether the warnings fit the gap that was certified."""
    answers = {GAP: (gap <= TOL, gap)}
    if not gap <= TOL:
        answers[WARNS] = (bool(texts), gap)
    if texts:
        answers[TRUTH] = (gap > TOL, gap)
    return answers


def _ask_fit(problem, fit):
    svc = fit(problem.Cs[-1], **problem.parameters)
    _, seconds, texts = _warned(svc.fit, problem.X, problem.y, problem.sample_weight)
    gap = certified(problem, svc.coef_, svc.intercept_, svc.C)
    answers = _answers(gap, texts)
    ours = Ours(seconds, svc.coef_.copy(), svc.intercept_.copy(), svc.C, answers)
    if texts and gap > TOL:
        svc = fit(svc.C, max_iter=10 * svc.max_iter, **problem.parameters)
        _warned(svc.fit, problem.X, problem.y, problem.sample_weight)
        again = certified(problem, svc.coef_, svc.intercept_, svc.C)
        helped = again <= TOL
        promised = "Raise max_iter" in texts[0]
        answers[TRUTH] = (helped == promised or (promised and again < 0.5 * gap), gap)
    return ours


def _ask_path(problem, fit):
    path, seconds, texts = _warned(svm_path, problem.X, problem.y, problem.Cs)
    gaps = [
        certified(problem, coef, intercept, C)
        for C, coef, intercept in zip(problem.Cs, path.coef, path.intercept, strict=True)
    ]
    answers = _answers(max(gaps), texts)
    return Ours(seconds, path.coef[-1], path.intercept[-1], problem.Cs[-1], answers)


def _ask_search(problem, fit):
    splits = list(StratifiedKFold(FOLDS).split(problem.X, problem.y))
    search = L1LinearSVCSearchCV(problem.Cs, cv=splits, **problem.parameters)
    _, seconds, texts = _warned(search.fit, problem.X, problem.y)
    results, svc = search.cv_results_, search.best_estimator_
    gap = certified(problem, svc.coef_, svc.intercept_, svc.C)
    answers = _answers(max(gap, results["max_duality_gap"].max()), texts)
    k = int(np.argmax(problem.Cs))
    for number, (train, test) in enumerate(splits):
        alone = fit(problem.Cs[k], **problem.parameters)
        _, _, doubts = _warned(alone.fit, problem.X[train], problem.y[train])
        if doubts or results[f"split{number}_duality_gap"][k] > TOL:
            continue
        apart = _apart(alone, problem.X[test], problem.y[test], results, number, k)
        kept, worst = answers.get(FOLD_SCORES, (True, 0.0))
        answers[FOLD_SCORES] = (kept and apart == 0.0, max(worst, apart))
    return Ours(seconds, svc.coef_, svc.intercept_, svc.C, answers)


def _apart(alone, X, y, results, number, k):
    """By how much the search's score is outside of what those rows allow that are near 0."""
    values = alone.decision_function(X)
    score = results[f"split{number}_test_score"][k]
    right = alone.predict(X) == y
    order = np.sort(values, axis=1) if values.ndim == 2 else np.abs(values)
    margin = order[:, -1] - order[:, -2] if values.ndim == 2 else order
    sure = margin > NEAR * np.abs(values).max(initial=0.0)
    low, high = np.mean(right & sure), np.mean(right | ~sure)
    return float(max(low - score, score - high, 0.0))
