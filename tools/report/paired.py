"""The paired comparison: the answers of two models to the same test images.

An image that both take for the right class, or both for the wrong one, tells nothing about which
is better. Of those that one of them alone has right, each model has half, were they equally good:
McNemar's exact test. Intervals of the two accuracies, which may well overlap, leave that out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from tools.report.revision import ReportError, Revision

SCORES, IMAGES = "plots/scores.csv", "data/filtered.npz"


@dataclass(frozen=True)
class Answers:
    """One model's: (n,) names of classes, scores, whether each answer is right."""

    actual: np.ndarray
    score: np.ndarray
    right: np.ndarray
    classes: tuple[str, str]  # the negative and the positive one

    def read_as(self, image: int) -> str:
        """The class that an image is taken for."""
        return self.classes[int(self.score[image] > 0)]


@dataclass(frozen=True)
class Paired:
    """Positions in the test images; p is of both sides."""

    before: Answers
    after: Answers
    newly_wrong: np.ndarray
    newly_right: np.ndarray
    p: float

    @property
    def differ(self) -> int:
        """How many images have another answer."""
        return len(self.newly_wrong) + len(self.newly_right)

    def __str__(self) -> str:
        counts = f"{len(self.newly_wrong)} newly wrong, {len(self.newly_right)} newly right"
        return f"{counts}, exact paired p = {self.p:.2g}"


def mcnemar(newly_wrong: int, newly_right: int) -> float:
    """P(|K − n/2| ≥ |newly_wrong − n/2|), K binomial of n = newly_wrong + newly_right halves."""
    n = newly_wrong + newly_right
    return float(binomtest(newly_wrong, n).pvalue) if n else 1.0


def answers(revision: Revision) -> Answers:
    """Each test image's score and answer, as git keeps them.

    Raises
    ------
    ReportError
        The table is missing or another one.
    """
    rows = revision.table(SCORES)
    try:
        score = np.array([float(row["f"]) for row in rows])
        actual = np.array([row["actual"] for row in rows], dtype=object)
        classes = (rows[0]["negative"], rows[0]["positive"])
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ReportError(f"{SCORES} of {revision.name}: missing, or no table of scores") from error
    said = np.where(score > 0, classes[1], classes[0])
    return Answers(actual, score, said == actual, classes)


def other_images(base: Revision, head: Revision) -> str | None:
    """Why the answers cannot be paired, if they cannot: other classes, or other images."""
    classes = [
        revision.lock.get("filter_5_8", {})
        .get("params", {})
        .get("params.yaml", {})
        .get("filter_5_8", {})
        .get("classes", [])
        for revision in (base, head)
    ]
    if classes[0] != classes[1]:
        before, now = (", ".join(map(str, pair)) for pair in classes)
        return f"`filter_5_8.classes` {before} → {now}"
    if base.md5s.get(IMAGES) != head.md5s.get(IMAGES):
        return f"`{IMAGES}` is another one"
    return None


def paired(base: Revision, head: Revision) -> Paired:
    """Compare answer by answer; only where `other_images` finds nothing.

    Raises
    ------
    ReportError
        A table is missing, or the two are not of the same images.
    """
    before, after = answers(base), answers(head)
    if not np.array_equal(before.actual, after.actual):
        raise ReportError(f"{SCORES}: not of the images that {IMAGES} holds, in one of the two")
    wrong = np.flatnonzero(before.right & ~after.right)
    right = np.flatnonzero(~before.right & after.right)
    return Paired(before, after, wrong, right, mcnemar(len(wrong), len(right)))
