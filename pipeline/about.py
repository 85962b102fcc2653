"""What is known of a data set beside its arrays: shape and names, for pictures, tables and page."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter

from pipeline.artifacts import ArtifactError, reading, save_text
from pipeline.errors import listed

Side = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class About:
    """A data set's title, its credit, the size of its images and the names of its classes."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")

    title: str
    credit: str
    height: Side  # pixels
    width: Side
    ink_side: Side | None  # each image's ink was scaled to fit such a square and centred by mass
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


def load_about(path: Path, pixels: int, classes: np.ndarray) -> About:
    """Read what `save_about` wrote, once it fits the data: so many pixels, names for `classes`.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or of other data.
    """
    with reading(path):
        about = TypeAdapter(About).validate_json(path.read_bytes())
    if about.height * about.width != pixels or not set(classes.tolist()) <= set(about.names):
        raise ArtifactError(
            f"{path}: of other data: {about.height}×{about.width} pixels, labels "
            f"{listed(list(about.names))}, for images of {pixels} pixels and the classes "
            f"{classes.tolist()}; `dvc repro` mends it"
        )
    return about
