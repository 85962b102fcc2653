"""Stage preprocess: bytes to numbers."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from l1svc.tests.rules import examples
from pipeline.artifacts import save_arrays
from stages.preprocess import main, scale_and_flatten, signs


@examples(30)
@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(3), st.just(2))))
def test_each_pixel_is_its_byte_over_255(images: np.ndarray) -> None:
    X = scale_and_flatten(images)
    assert X.dtype == np.float64
    assert X.tolist() == [[byte / 255 for byte in image.ravel().tolist()] for image in images]


def test_the_first_class_is_minus_one_whatever_its_label() -> None:
    y = np.array([5, 8, 8, 5])
    assert signs(y, np.array([5, 8])).tolist() == [-1, 1, 1, -1]
    assert signs(y, np.array([8, 5])).tolist() == [1, -1, -1, 1]


def test_the_stage_scales_the_images_and_leaves_the_rest(project) -> None:
    random = np.random.default_rng(0)
    filtered = {
        "X_train": random.integers(0, 256, (5, 28, 28), dtype=np.uint8),
        "y_train": np.array([5, 8, 8, 5, 8], dtype=np.uint8),
        "index_train": np.arange(5) * 7,
        "X_test": random.integers(0, 256, (2, 28, 28), dtype=np.uint8),
        "y_test": np.array([8, 5], dtype=np.uint8),
        "index_test": np.arange(2) * 3,
        "classes": np.array([8, 5], dtype=np.uint8),
    }
    save_arrays(Path("data/filtered.npz"), **filtered)
    main()
    with np.load("data/preprocessed.npz") as archive:
        got = dict(archive)
    assert [got.pop(name).tolist() for name in ("s_train", "s_test")] == [
        [1, -1, -1, 1, -1],
        [-1, 1],
    ]
    assert list(got) == list(filtered)
    for name, array in filtered.items():
        expected = array.reshape(len(array), 784) / 255 if name.startswith("X_") else array
        np.testing.assert_array_equal(got[name], expected)
        assert got[name].dtype == expected.dtype
