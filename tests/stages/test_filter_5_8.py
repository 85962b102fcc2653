"""Stage filter_5_8: which images stay."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from l1svc.tests.rules import examples
from pipeline.artifacts import save_arrays
from stages.filter_5_8 import ClassesError, keep_classes, main

labels = arrays(np.uint8, st.integers(0, 60), elements=st.integers(0, 9))
two_digits = st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True)


@examples(50)
@given(y=labels, classes=two_digits)
def test_it_keeps_what_a_loop_would(y: np.ndarray, classes: list[int]) -> None:
    X = np.arange(y.size * 6, dtype=np.uint32).reshape(-1, 2, 3)
    if not set(classes) <= set(y.tolist()):
        with pytest.raises(ClassesError):
            keep_classes(X, y, classes)
        return
    kept_X, kept_y, index = keep_classes(X, y, classes)
    expected = [i for i, label in enumerate(y) if label in classes]
    assert index.tolist() == expected
    assert index.dtype == np.int64
    np.testing.assert_array_equal(kept_X, X[expected].reshape(-1, 2, 3))
    np.testing.assert_array_equal(kept_y, y[expected])


def test_the_articles_indices(mnist: dict[str, np.ndarray]) -> None:
    X, y, index = keep_classes(mnist["x_train"], mnist["y_train"], [5, 8])
    assert X.shape == (11272, 28, 28)
    assert y.shape == (11272,)
    assert index[:3].tolist() == [0, 11, 17]
    assert index[-3:].tolist() == [59995, 59997, 59999]
    X, _, index = keep_classes(mnist["x_test"], mnist["y_test"], [5, 8])
    assert X.shape == (1866, 28, 28)
    assert index[:3].tolist() == [8, 15, 23]
    assert index[-3:].tolist() == [9988, 9991, 9998]


def test_a_class_that_is_not_there_gets_its_line() -> None:
    """One that a label's type cannot hold, too."""
    y = np.arange(30, dtype=np.uint8) % 25
    with pytest.raises(ClassesError) as caught:
        keep_classes(np.zeros((30, 2, 2), np.uint8), y, [3, 259])
    message = str(caught.value)
    assert message.startswith("params.yaml: filter_5_8.classes: got [3, 259]; allowed: two labels ")
    assert message.endswith("train and to test: " + ", ".join(map(str, range(20))) + ", …")


def test_the_stage_keeps_both_sets_and_says_where_they_stood(project, small_mnist) -> None:
    params = project("filter_5_8", classes=[5, 3])
    save_arrays(Path("data/raw/images.npz"), **small_mnist)
    main(params)
    with np.load("data/filtered.npz") as archive:
        kept = dict(archive)
    assert list(kept) == [
        *("X_train", "y_train", "index_train", "X_test", "y_test", "index_test", "classes")
    ]
    for part, places in (("train", [3, 5]), ("test", [0, 2])):  # y_train is 0 to 5, y_test 5, 8, 3
        assert kept[f"index_{part}"].tolist() == places
        np.testing.assert_array_equal(kept[f"X_{part}"], small_mnist[f"x_{part}"][places])
        np.testing.assert_array_equal(kept[f"y_{part}"], small_mnist[f"y_{part}"][places])
    assert kept["classes"].tolist() == [5, 3]  # as given: the first is the negative class
    assert kept["classes"].dtype == kept["X_train"].dtype == kept["y_test"].dtype == np.uint8
