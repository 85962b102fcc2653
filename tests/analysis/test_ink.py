"""What the images of a data set have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis import ink
from l1svc.tests.rules import examples

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5)))


def bar(height: int, width: int, shade: int = 255) -> np.ndarray:
    image = np.zeros((30, 30), np.uint8)
    image[3 : 3 + height, 4 : 4 + width] = shade
    return image


@pytest.mark.parametrize("shade", [255, 90])
def test_a_long_bar_is_as_wide_as_it_is(shade: int) -> None:
    (width,) = ink.stroke_widths(bar(24, 3, shade)[None])
    assert width == pytest.approx(2 * 24 * 3 / (2 * 27), rel=0.02)  # the ends are edges too


@examples(30)
@given(IMAGES)
def test_a_likeness_is_the_cosine_to_the_nearest_other(images: np.ndarray) -> None:
    x = images.reshape(len(images), -1).astype(float)
    for i, found in enumerate(ink.likenesses(images)):
        others = [
            x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j])
            for j in range(len(x))
            if j != i and x[i].any() and x[j].any()
        ]
        assert found == pytest.approx(max(others, default=0))


@examples(30)
@given(IMAGES, st.integers(1, 4))
def test_how_many_are_compared_at_a_time_changes_nothing(images: np.ndarray, rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = ink.likenesses(images)
        patch.setattr(ink, "ROWS", rows)
        np.testing.assert_array_equal(ink.likenesses(images), whole)


@examples(30)
@given(IMAGES)
def test_the_images_lie_within_what_is_usual(images: np.ndarray) -> None:
    found = ink.usual(images)
    total = images.sum(axis=(1, 2), dtype=float) / 255
    few = len(images)  # of so few none is unusual
    assert ((found.ink[0] <= total) & (total <= found.ink[1])).sum() == few
    inked = np.count_nonzero(images, axis=(1, 2))
    assert ((found.inked[0] <= inked) & (inked <= found.inked[1])).sum() == few
    assert found.likeness <= ink.likenesses(images).min() + 0.0005
    assert min(ink.stroke_widths(images)) - 0.0005 <= found.stroke


def test_one_in_a_hundred_may_be_unusual() -> None:
    images = np.array([bar(10, 2)] * 201)
    images[0], images[1] = bar(1, 1), bar(26, 26)
    assert ink.usual(images) == ink.Usual(
        ink=(20, 20), inked=(20, 20), likeness=1, stroke=pytest.approx(1.697, abs=0.1)
    )
