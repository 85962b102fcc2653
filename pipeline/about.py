"""What is known of a data set beside its arrays: shape and names, for pictures, tables and page."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.artifacts import reading, save_text


@dataclass(frozen=True)
class About:
    """A data set's title, its credit, the size of its images and the names of its classes."""

    title: str
    credit: str
    height: int  # pixels
    width: int
    ink_side: int | None  # each image's ink was scaled to fit such a square and centred by mass
    names: dict[int, str]  # by label

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of every image."""
        return self.height, self.width

    def named(self, labels: np.ndarray) -> np.ndarray:
        """(n,) the names of (n,) labels."""
        return np.array([self.names[label] for label in labels.tolist()], dtype=object)


def save_about(path: Path, about: About) -> None:
    """Write it as JSON."""
    save_text(path, json.dumps(asdict(about), indent=2, ensure_ascii=False) + "\n")


def load_about(path: Path) -> About:
    """Read what `save_about` wrote.

    Raises
    ------
    ArtifactError
        The file is missing or damaged.
    """
    with reading(path):
        values = json.loads(path.read_text(encoding="utf-8"))
        names = {int(label): name for label, name in values.pop("names").items()}
        return About(**values, names=names)
