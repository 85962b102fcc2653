"""What is known of a data set beside its arrays: shape and names, for pictures, tables and page."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from pipeline.artifacts import ArtifactError, read_bytes, reading, save_text
from pipeline.errors import listed

MOST_BYTES = 1 << 20  # of a file; 10,000 names of classes take 200,000


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("has a sign that cannot be printed")
    return name


# for which pictures have room
Name = Annotated[str, Field(min_length=1, max_length=24), AfterValidator(_printable)]
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
    names: dict[int, Name]  # by label

    @property
    def axes(self) -> dict[str, int]:
        """Height and width by their names, as pipeline.schemas.load takes them."""
        return {"height": self.height, "width": self.width}

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
        about = TypeAdapter(About).validate_json(read_bytes(path, MOST_BYTES))
    if about.height * about.width != pixels or not set(classes.tolist()) <= set(about.names):
        raise ArtifactError(
            f"{path}: of other data: {about.height}×{about.width} pixels, labels "
            f"{listed(list(about.names))}, for images of {pixels} pixels and the classes "
            f"{classes.tolist()}; `dvc repro` mends it"
        )
    return about
