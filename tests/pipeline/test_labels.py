"""The two classes' signs and names."""

import numpy as np
import pytest

from pipeline.labels import signs, with_article


def test_the_first_class_is_minus_one_whatever_its_digit() -> None:
    y = np.array([5, 8, 8, 5])
    assert signs(y, np.array([5, 8])).tolist() == [-1, 1, 1, -1]
    assert signs(y, np.array([8, 5])).tolist() == [1, -1, -1, 1]


def test_a_third_label_is_refused() -> None:
    with pytest.raises(ValueError, match="not all among the classes"):
        signs(np.array([5, 7]), np.array([5, 8]))


def test_articles() -> None:
    assert [with_article(digit) for digit in (5, 8)] == ["a 5", "an 8"]
