"""What a run came to, in a few lines: `python -m tools.summary`."""

import functools
import math
import operator
from pathlib import Path

from pipeline.artifacts import load_metrics, reading
from pipeline.errors import run


def numbers(file: Path, *keys: str) -> list[float]:
    """The metrics `keys` of a file, named as `dvc metrics show` names them.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or a metric is not there or no number.
    """
    metrics = load_metrics(file)
    with reading(file):
        values = [functools.reduce(operator.getitem, key.split("."), metrics) for key in keys]
        for key, value in zip(keys, values, strict=True):
            if type(value) not in (int, float) or not math.isfinite(value):
                raise TypeError(f"{key} is {value!r}, no number")
        return values


def summary(folder: Path = Path("metrics")) -> str:
    """Best C, accuracies and sparsity, all digits, from the metrics files in `folder`."""
    (best,) = numbers(folder / "gridsearch.json", "best.C")
    (C,) = numbers(folder / "train.json", "C")
    train, test, low, high = numbers(
        folder / "evaluate.json",
        *("train.accuracy", "test.accuracy", "test.accuracy_95.low", "test.accuracy_95.high"),
    )
    nonzero, zero = numbers(folder / "interpret.json", "weights.nonzero", "weights.zero")
    return "\n".join(
        [
            f"best C          {best}",
            f"trained with C  {C}",
            f"train accuracy  {train}",
            f"test accuracy   {test}  (95 %: {low:.4f} to {high:.4f})",
            f"weights         {nonzero} of {nonzero + zero} non-zero  (plots/weights.png)",
        ]
    )


if __name__ == "__main__":
    run(lambda: print(summary()))
