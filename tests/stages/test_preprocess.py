"""Stage preprocess: bytes to numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.preprocess import scale_and_flatten


@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28))))
def test_each_pixel_is_its_byte_over_255(images: np.ndarray) -> None:
    X = scale_and_flatten(images)
    assert X.shape == (len(images), 784)
    assert X.dtype == np.float64
    assert X[0, 28 * 3 + 7] == int(images[0, 3, 7]) / 255.0
    np.testing.assert_array_equal(np.rint(X * 255).astype(np.uint8).reshape(images.shape), images)


def test_the_ends_are_0_and_1() -> None:
    images = np.array([[[0] * 28] * 28, [[255] * 28] * 28], dtype=np.uint8)
    X = scale_and_flatten(images)
    assert X[0].tolist() == [0.0] * 784
    assert X[1].tolist() == [1.0] * 784
