"""Stage download: the sources in their order, and nothing written without MNIST."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline import sources
from pipeline.sources import SourceError
from stages.download import DownloadError, download, main
from tests.loopback import Server


def test_the_sources_are_tried_in_order_until_one_is_right(monkeypatch, small_mnist) -> None:
    tried = []

    def source(name: str, answer: Callable[[], dict], timeout: float) -> dict:
        tried.append((name, timeout))
        return answer()

    def fail() -> dict:
        raise SourceError("out of reach")

    for name, answer in (
        ("keras", fail),
        ("pypi", lambda: small_mnist | {"y_test": small_mnist["y_test"] + 1}),
        ("npm", lambda: small_mnist),
    ):
        monkeypatch.setitem(sources.SOURCES, name, functools.partial(source, name, answer))
    assert download(["keras", "pypi", "npm"], 7) is small_mnist
    assert tried == [("keras", 7), ("pypi", 7), ("npm", 7)]
    with pytest.raises(DownloadError) as caught:
        download(["pypi", "keras"], 7)
    message = str(caught.value)
    assert message.startswith("download: no source gave MNIST. pypi: y_test has SHA-256 ")
    assert message.endswith(" | keras: out of reach")


def test_nothing_is_written_when_every_source_fails(
    root: Path, tmp_path: Path, server: Server, params_text: str
) -> None:
    (tmp_path / "params.yaml").write_text(params_text.replace("[keras, pypi, npm]", "[pypi]"))
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/mnist.npz").write_bytes(b"earlier")
    done = subprocess.run(
        [sys.executable, "-m", "stages.download"],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(root), "PIP_INDEX_URL": server.url, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("download: no source gave MNIST. pypi: ERROR: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "data/raw/mnist.npz").read_bytes() == b"earlier"
    assert [path.name for path in (tmp_path / "data/raw").iterdir()] == ["mnist.npz"]


def test_the_stage_writes_what_the_first_source_gives(project, small_mnist, monkeypatch) -> None:
    params = project("download", sources=["npm", "keras"], timeout=7)
    asked = []

    def npm(timeout: float) -> dict:
        asked.append(timeout)
        return small_mnist

    monkeypatch.setitem(sources.SOURCES, "npm", npm)
    main(params)
    assert asked == [7]
    with np.load("data/raw/mnist.npz") as archive:
        got = dict(archive)
    assert list(got) == list(small_mnist)
    for name, array in small_mnist.items():
        np.testing.assert_array_equal(got[name], array)
