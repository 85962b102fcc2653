"""Stage evaluate: how well the model tells the two classes apart, and where it fails.

Reads data/preprocessed.npz, data/filtered.npz (for pictures), data/model.joblib and
data/raw/about.json; writes metrics/evaluate.json, every image's score and answer
(data/predictions.npz), tables that DVC draws (confusion, ROC, precision-recall, scores), and
pictures of the worst mistakes and of the least certain answers.
"""

from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, precision_recall_curve, roc_curve

from analysis.answers import answers, counts, least_certain, metrics, worst
from figures.images import contributions
from figures.style import png
from pipeline.about import load_about
from pipeline.artifacts import save_arrays, save_bytes, save_metrics, save_table
from pipeline.params import Evaluate
from pipeline.progress import progress
from pipeline.rounding import round_scores
from pipeline.schemas import FILTERED, PREPROCESSED, load, load_model
from pipeline.stage import run_stage

INPUT = Path("data/preprocessed.npz")
IMAGES = Path("data/filtered.npz")
MODEL = Path("data/model.joblib")
ABOUT = Path("data/raw/about.json")
PREDICTIONS = Path("data/predictions.npz")
METRICS = Path("metrics/evaluate.json")
CONFUSION = Path("plots/confusion.csv")
ROC = Path("plots/roc.csv")
PRECISION_RECALL = Path("plots/precision_recall.csv")
SCORES = Path("plots/scores.csv")
MISTAKES = Path("plots/mistakes.png")
UNCERTAIN = Path("plots/uncertain.png")


class Answers(NamedTuple):
    """What the model says of n images."""

    y: np.ndarray  # (n,) the labels
    s: np.ndarray  # (n,) -1 or +1, their signs
    f: np.ndarray  # (n,) scores w·x + b
    predicted: np.ndarray  # (n,) labels: the second class where f > 0


def main(params: Evaluate) -> None:
    data = load(INPUT, PREPROCESSED)
    classes, pixels = data["classes"], data["X_train"].shape[1]
    model = load_model(MODEL, classes, pixels)
    about = load_about(ABOUT, pixels, classes)
    n_test = len(data["y_test"])
    (images,) = load(IMAGES, FILTERED, "X_test", n_test=n_test, **about.axes).values()
    negative, positive = about.named(classes)

    def said_of(part: str) -> Answers:
        predicted, f = answers(model, data[f"X_{part}"])
        return Answers(data[f"y_{part}"], data[f"s_{part}"], f, predicted)

    train, test = said_of("train"), said_of("test")
    report = {
        "train": {"accuracy": float(accuracy_score(train.y, train.predicted))},
        "test": metrics(test.y, test.predicted, test.f, test.s),
    }
    save_metrics(METRICS, report)
    # A row for each image of both parts. Files get rounded scores, metrics and curves exact ones.
    predictions: dict[str, np.ndarray] = {}
    for part, said in (("train", train), ("test", test)):
        predictions |= {
            f"index_{part}": data[f"index_{part}"],
            f"label_{part}": said.y,
            f"score_{part}": round_scores(said.f),
            f"predicted_{part}": said.predicted,
        }
    save_arrays(PREDICTIONS, **predictions)

    actual, answered = about.named(test.y), about.named(test.predicted)
    cells = counts(actual, answered, (negative, positive))
    save_table(CONFUSION, ["actual", "predicted", "images"], cells)
    # Each table holds the names of its classes. A title from params.yaml could name the wrong ones:
    # `dvc plots diff` draws another revision too, and params.yaml may be newer than the table.
    fpr, tpr, _ = roc_curve(test.s, test.f)
    precision, recall, _ = precision_recall_curve(test.s, test.f)
    tables: dict[Path, dict[str, Any]] = {
        ROC: {"fpr": fpr, "tpr": tpr},
        PRECISION_RECALL: {"recall": recall, "precision": precision},
        SCORES: {
            "actual": actual,
            "f": round_scores(test.f),
            "negative": np.full(len(actual), negative, object),
        },
    }
    for file, columns in tables.items():
        values = (column.tolist() for column in columns.values())
        save_table(file, [*columns, "positive"], zip(*values, repeat(positive)))

    wrong = int((test.predicted != test.y).sum())
    mistaken = worst(test.y, test.predicted, test.f, params.mistakes)
    unsure = least_certain(test.f, params.uncertain)
    pictures = (
        (MISTAKES, f"The {len(mistaken)} worst of {wrong} mistakes", mistaken),
        (UNCERTAIN, f"The {len(unsure)} least certain answers", unsure),
    )
    with progress("pictures", len(pictures), "pictures") as step:
        for file, title, chosen in pictures:
            figure = contributions(
                f"{title} in {len(actual)} test images",
                images[chosen],
                actual[chosen],
                answered[chosen],
                test.f[chosen],
                data["index_test"][chosen],
                model.coef_.reshape(about.shape),
                (negative, positive),
            )
            save_bytes(file, png(figure))
            step()


if __name__ == "__main__":
    run_stage(main, "evaluate")
