"""The two classes' signs, and articles."""

import numpy as np
import pytest

from pipeline.labels import signs, with_article


def test_the_first_class_is_minus_one_whatever_its_label() -> None:
    y = np.array([5, 8, 8, 5])
    assert signs(y, np.array([5, 8])).tolist() == [-1, 1, 1, -1]
    assert signs(y, np.array([8, 5])).tolist() == [1, -1, -1, 1]


def test_a_third_label_is_refused() -> None:
    with pytest.raises(ValueError, match="not all among the classes"):
        signs(np.array([5, 7]), np.array([5, 8]))


def test_articles() -> None:
    an = ["8", "11", "18", "80", "Ankle boot", "image", "Egg"]
    a = ["5", "1", "10", "T-shirt", "Bag", "180 degrees"]
    assert [with_article(name) for name in an] == [f"an {name}" for name in an]
    assert [with_article(name) for name in a] == [f"a {name}" for name in a]
