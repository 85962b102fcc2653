"""What a run came to, in a few lines: `python -m tools.summary`."""

from pathlib import Path

from pipeline.artifacts import load_metrics
from pipeline.errors import run


def summary(folder: Path = Path("metrics")) -> str:
    """Best C, accuracies and sparsity, all digits, from the metrics files in `folder`."""
    search, train, scores, weights = (
        load_metrics(folder / f"{stage}.json")
        for stage in ("gridsearch", "train", "evaluate", "interpret")
    )
    low, high = (scores["test"]["accuracy_95"][end] for end in ("low", "high"))
    counts = weights["weights"]
    return "\n".join(
        [
            f"best C          {search['best']['C']}",
            f"trained with C  {train['C']}",
            f"train accuracy  {scores['train']['accuracy']}",
            f"test accuracy   {scores['test']['accuracy']}  (95 %: {low:.4f} to {high:.4f})",
            f"weights         {counts['nonzero']} of {counts['nonzero'] + counts['zero']} non-zero"
            "  (plots/weights.png)",
        ]
    )


if __name__ == "__main__":
    run(lambda: print(summary()))
