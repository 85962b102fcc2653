"""The known data sets, held by their digests; and an npz of one's own."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.datasets import ARRAYS, DATASETS, DatasetError, own, verified
from pipeline.sources import SourceError


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_is_not_mnists_is_named(small_mnist, name: str) -> None:
    array, dataset = small_mnist[name], DATASETS["mnist"]
    shape = re.escape(str(array.shape))
    for other, message in (
        (array.astype(np.int64), rf"{name} is int64 {shape}, not uint8 {shape} as MNIST has it"),
        (array[:-1], rf"{name} is uint8 \(.+\), not uint8 {shape} as MNIST has it"),
        (
            array ^ 1,
            rf"{name} has SHA-256 {hashlib.sha256((array ^ 1).tobytes()).hexdigest()}, "
            rf"not MNIST's {hashlib.sha256(array.tobytes()).hexdigest()}",
        ),
    ):
        with pytest.raises(SourceError, match=f"^{message}$"):
            verified(small_mnist | {name: other}, dataset)
    assert verified(small_mnist, dataset) is small_mnist


def test_what_is_known_of_them() -> None:
    for dataset in DATASETS.values():
        assert [*dataset.sha256] == [*dataset.shape] == list(ARRAYS)
        assert dataset.shape["x_train"][1:] == dataset.about.shape == (28, 28)
        assert [*dataset.about.names] == list(range(10))
    assert DATASETS["mnist"].about.names[8] == "8"
    assert DATASETS["fashion_mnist"].about.names[6] == "Shirt"


# A file of one's own


def arrays(**other: Any) -> dict[str, Any]:
    """Right ones, of 20×16 images with labels 3 and 11, but for `other`."""
    return {
        "x_train": np.zeros((4, 20, 16), np.uint8),
        "y_train": np.array([3, 11, 3, 11]),
        "x_test": np.ones((3, 20, 16), np.uint8),
        "y_test": np.array([11, 3, 3], np.int16),
    } | other


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[dict[str, Any]], tuple[Path, str]]:
    """Save arrays; the file and its digest."""

    def save(values: dict[str, Any]) -> tuple[Path, str]:
        file = tmp_path / "mine.npz"
        np.savez(file, **values)
        return file, hashlib.sha256(file.read_bytes()).hexdigest()

    return save


@pytest.mark.parametrize("names", [None, ["cat", "Ankle boot"]])
def test_its_arrays_come_as_they_are_and_say_what_they_are(keep, names) -> None:
    given = arrays()
    found, about = own(*keep(given), names)
    assert [*found] == list(ARRAYS)
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
    assert about.shape == (20, 16)
    assert (about.title, about.credit) == ("mine.npz", "the file mine.npz")
    assert about.names == dict(zip([3, 11], names or ["3", "11"], strict=True))
    assert about.ink_side is None


def test_a_label_of_the_test_images_alone_is_one_of_the_labels(keep) -> None:
    _, about = own(*keep(arrays(y_test=np.array([11, 3, 7]))), None)
    assert about.names == {3: "3", 7: "7", 11: "11"}


MISSING = "no y_test.npy in it; allowed: an npz of x_train, y_train, x_test, y_test"
WRONG = {
    "a float": (arrays(x_train=np.zeros((4, 20, 16))), "x_train is float64 (4, 20, 16); allowed: "),
    "flat": (arrays(x_test=np.zeros((3, 320), np.uint8)), "x_test is uint8 (3, 320); allowed: "),
    "no pixel": (arrays(x_test=np.zeros((3, 0, 16), np.uint8)), "x_test is uint8 (3, 0, 16); "),
    "texts": (arrays(y_test=np.array(["a", "b", "a"])), "y_test is <U1 (3,); allowed: integers "),
    "too few": (arrays(y_train=np.arange(3)), "y_train is int64 (3,); allowed: integers (4,)"),
    "sizes": (
        arrays(x_test=np.ones((3, 16, 20), np.uint8)),
        "images of (20, 16) to train and of (16, 20) to test; allowed: one size",
    ),
    "mixed sizes": (
        arrays(x_train=np.array([np.zeros((2, 2)), np.zeros((3, 3)), 0, 0], dtype=object)),
        "an array of Python objects in it; allowed: images of one size, uint8",
    ),
    "one class": (
        arrays(y_train=np.full(4, 3)),
        "one class only, 3; allowed: two classes or more in y_train",
    ),
    "other keys": ({k: v for k, v in arrays().items() if k != "y_test"}, MISSING),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_such_file_gets_its_line(keep, wrong: str) -> None:
    values, message = WRONG[wrong]
    file, digest = keep(values)
    with pytest.raises(DatasetError) as caught:
        own(file, digest, None)
    assert str(caught.value).startswith(f"params.yaml: download.file: {file}: {message}")


def test_a_file_that_is_missing_or_another_or_no_npz(keep, tmp_path: Path) -> None:
    file, digest = keep(arrays())
    with pytest.raises(DatasetError, match=r"absent\.npz: cannot be read \(No such file"):
        own(tmp_path / "absent.npz", digest, None)
    with pytest.raises(DatasetError) as caught:
        own(file, "0" * 64, None)
    assert str(caught.value) == (
        f"params.yaml: download.sha256: got {'0' * 64}; allowed: that of {file}, {digest}"
    )
    file.write_bytes(b"PK no")
    digest = hashlib.sha256(b"PK no").hexdigest()
    with pytest.raises(DatasetError, match=r"no npz \(.*\); allowed: an npz file"):
        own(file, digest, None)


def test_as_many_names_as_labels(keep) -> None:
    with pytest.raises(DatasetError) as caught:
        own(*keep(arrays()), ["cat", "dog", "cow"])
    message = "download.class_names: got 3 names; allowed: one for each label of "
    assert message in str(caught.value)
    assert str(caught.value).endswith("mine.npz: 3, 11")
