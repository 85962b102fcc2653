"""Stage filter_5_8: which images stay."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.filter_5_8 import keep_classes

labels = arrays(np.uint8, st.integers(0, 60), elements=st.integers(0, 9))
two_digits = st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True)


@given(y=labels, classes=two_digits)
def test_it_keeps_what_a_loop_would(y: np.ndarray, classes: list[int]) -> None:
    X = np.arange(y.size * 784, dtype=np.uint32).reshape(-1, 28, 28)
    kept_X, kept_y, index = keep_classes(X, y, classes)
    expected = [i for i, label in enumerate(y) if label in classes]
    assert index.tolist() == expected
    assert index.dtype == np.int64
    np.testing.assert_array_equal(kept_X, X[expected].reshape(-1, 28, 28))
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
