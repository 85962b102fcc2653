"""All pairs of digits: `python -m tools.pairs` finds what tells each pair apart, and shows it.

A pair goes through the functions of the stages, with params.yaml as it is, the classes aside. Each
core works on one pair at a time. A pair that is finished is kept in .dvc/tmp/pairs until code, data
or params change: after a kill only what is missing is computed.

Writes docs/pairs.csv, a row a pair, and docs/pairs.png.
"""

import hashlib
import io
import signal
import sys
from contextlib import redirect_stderr
from dataclasses import asdict, astuple, fields
from itertools import combinations
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed, parallel_config

from analysis.answers import answers
from analysis.answers import metrics as test_metrics
from figures.pairs import Pair, pairs_figure
from figures.style import png
from pipeline.about import load_about
from pipeline.artifacts import load_arrays, save_arrays, save_bytes, save_table
from pipeline.datasets import DATASETS
from pipeline.errors import PipelineError, run
from pipeline.params import Params, load_params
from pipeline.progress import progress
from pipeline.schemas import CHOSEN, IMAGES, load
from pipeline.stage import ROOT
from stages.evaluate import ABOUT
from stages.filter_5_8 import INPUT, keep_classes
from stages.gridsearch import search
from stages.interpret import metrics as weight_metrics
from stages.preprocess import scale_and_flatten, signs
from stages.train import fit

TABLE, PICTURE = Path("docs/pairs.csv"), Path("docs/pairs.png")
KEPT = Path(".dvc/tmp/pairs")
COLUMNS = [field.name for field in fields(Pair)]
CODE = ("stages", "analysis", "pipeline", "l1svc")


def find(digits: tuple[int, int], shape: tuple[int, int], params: Params) -> Pair:
    """The model of two digits and what it is worth, by the stages' functions."""
    raw = load(INPUT, IMAGES)
    X, y, _ = keep_classes(raw["x_train"], raw["y_train"], list(digits))
    X_test, y_test, _ = keep_classes(raw["x_test"], raw["y_test"], list(digits))
    X, X_test = scale_and_flatten(X), scale_and_flatten(X_test)
    classes = np.array(digits, dtype=y.dtype)
    s, s_test = signs(y, classes), signs(y_test, classes)
    C, choose = params.train.C, params.train.choose
    if C is None:
        # Every C of the range takes far longer than the grid; only `exact` chooses among them.
        only = {} if choose == "exact" else {"range": None}
        found = search(X, s, params.gridsearch.model_copy(update=only))
        C = found[CHOSEN[choose]]["C"]
    model = fit(X, s, classes, C, params.train)
    test = test_metrics(y_test, *answers(model, X_test), s_test)
    w, bias = model.coef_.reshape(shape), float(model.intercept_[0])
    return Pair(
        *digits,
        C=model.C,
        test_accuracy=test["accuracy"],
        low=test["accuracy_95"]["low"],
        high=test["accuracy_95"]["high"],
        nonzero=weight_metrics(w, bias, params.interpret.border)["weights"]["nonzero"],
        weights=w,
    )


def find_and_keep(
    file: Path, digits: tuple[int, int], shape: tuple[int, int], params: Params
) -> None:
    """One pair on one core, its progress not shown.

    Raises
    ------
    PipelineError
        The pair cannot be found; the message names it.
    """
    try:
        with parallel_config("sequential"), redirect_stderr(io.StringIO()):
            pair = find(digits, shape, params)
    except PipelineError as error:
        raise PipelineError(f"pair {file.stem}: {error}") from error
    save_arrays(file, **asdict(pair))


def read(file: Path) -> Pair:
    """What `find_and_keep` kept."""
    *values, weights = load_arrays(file, *COLUMNS).values()
    return Pair(*(value.item() for value in values), weights)


def recipe(params: Params) -> str:
    """Eight hex digits of all that decides what is found: data, params, code, packages."""
    digest = hashlib.sha256(params.model_dump_json(include={"gridsearch", "train"}).encode())
    code = sorted(file for room in CODE for file in (ROOT / room).glob("*.py"))
    for file in (INPUT, ROOT / "requirements.txt", *code):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def main() -> None:
    """Bring docs/pairs.csv and docs/pairs.png up to date.

    Raises
    ------
    PipelineError
        data/raw is missing, or not of MNIST; a pair cannot be found.
    """
    params = load_params()
    raw = load(INPUT, IMAGES)
    about = load_about(ABOUT, raw["x_train"][0].size, np.unique(raw["y_train"]))
    if about.title != (mnist := DATASETS["mnist"].about.title):
        raise PipelineError(
            f"{ABOUT}: got {about.title}; allowed: {mnist} "
            "(`download.dataset: mnist` in params.yaml, then `dvc repro`)"
        )
    folder = KEPT / recipe(params)
    files = {(a, b): folder / f"{a}-{b}.npz" for a, b in combinations(sorted(about.names), 2)}
    missing = {digits: file for digits, file in files.items() if not file.exists()}
    print(f"pairs: {len(missing)} of {len(files)} to compute", flush=True)
    with (
        progress("pairs", len(missing), "pairs") as step,
        # Workers whose caller was killed end too, once nothing is left for them to do.
        parallel_config("loky", inner_max_num_threads=1, idle_worker_timeout=10),
    ):
        for _ in Parallel(n_jobs=-1, return_as="generator_unordered")(
            delayed(find_and_keep)(file, digits, about.shape, params)
            for digits, file in missing.items()
        ):
            step()
    found = [read(file) for file in files.values()]
    save_table(TABLE, COLUMNS[:-1], (astuple(pair)[:-1] for pair in found))
    save_bytes(PICTURE, png(pairs_figure(found)))
    print(f"pairs: {TABLE} and {PICTURE} show all {len(files)}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(main)
    except KeyboardInterrupt:
        sys.exit("pairs: stopped; `make pairs` goes on with what is missing")
