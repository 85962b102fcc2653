"""Writes all results, and reads what earlier stages wrote: npz, joblib, JSON, CSV, text, bytes.

A killed stage leaves no half file, and no reader sees one. The same content gives the same bytes.
A read ends in one line if the file is missing, damaged or not what the stage before writes.
"""

import csv
import glob
import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pipeline.errors import PipelineError
from pipeline.readers import LONGEST, parse_json

PROTOCOL = 4  # of pickle: the default before Python 3.14, which would write other bytes
# Most bytes that compressed arrays may unpack to. A small compressed file can unpack to more than
# memory holds (a zip bomb).
MOST_UNPACKED = 1 << 28


class ArtifactError(PipelineError):
    """A file that a stage reads is missing or damaged, or one that it writes cannot be written."""


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` only once it is whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            if not left.is_dir():
                left.unlink(missing_ok=True)  # by a killed run
        try:
            # "x" creates a new file, or fails. So a symbolic link at this path is not followed.
            with beside.open("xb") as file:
                yield file
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever the code within raises of a file into an ArtifactError of one line."""
    if path.exists() and not path.is_file():  # at a pipe its reader would wait for ever
        raise ArtifactError(f"{path}: is no file; remove it, then `dvc repro` makes it")
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing; `dvc repro` makes it") from error
    except MemoryError as error:
        raise ArtifactError(f"{path}: cannot be read: not enough memory") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # the file system's, not ours
            raise ArtifactError(f"{path}: cannot be read: {error.strerror}") from error
        # damaged bytes make a reader raise almost anything
        reason = f"{type(error).__name__}: {error}"[:200]
        raise ArtifactError(f"{path}: damaged ({reason}); `dvc repro` mends it") from error


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as an uncompressed npz: the same bytes by every Python.

    np.savez would force zip64, for which Pythons write different headers; here only an array of
    over 2 GiB has one.
    """
    with _replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            # ZipInfo's default date is 1980: the time of writing does not change the bytes.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.create_system = 3  # Unix, on Windows too
            member.external_attr = 0o644 << 16
            data = io.BytesIO()
            np.lib.format.write_array(data, np.asanyarray(array), allow_pickle=False)
            archive.writestr(member, data.getbuffer())


def load_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Read the arrays `names` of an npz; nothing in it can run code (no pickles).

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or lacks one of the names.
    """
    with reading(path):
        return read_arrays(path, *names)


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays `names` of an npz of unknown origin: a missing name raises KeyError, other damage
    anything.

    np.load is not used. It has no limit of size, and returns raw bytes for a member that is not an
    array.
    """
    with (
        warnings.catch_warnings(action="ignore"),  # of headers by Python 2
        path.open("rb") as file,
        zipfile.ZipFile(file) as archive,
    ):
        members = {member.filename: member for member in archive.infolist()}
        wanted = {name: members[f"{name}.npy"] for name in names}
        size = sum(member.file_size for member in wanted.values() if member.compress_type)
        if size > MOST_UNPACKED:
            raise ValueError(f"compressed, of {size} bytes; allowed: {MOST_UNPACKED}, or by savez")
        arrays = {}
        for name, member in wanted.items():
            with archive.open(member) as opened:
                arrays[name] = np.lib.format.read_array(opened, allow_pickle=False)
        return arrays


def read_bytes(path: Path, most: int) -> bytes:
    """The bytes of a file; a ValueError if there are more than `most`."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"over {most} bytes")
    return data


def save_object(path: Path, value: Any) -> None:
    """Write a Python object with joblib, uncompressed."""
    import joblib  # late: most readers and writers of files do without

    with _replacing(path) as file:
        joblib.dump(value, file, protocol=PROTOCOL)


def load_object(path: Path) -> Any:
    """Read what `save_object` wrote; code in it does not run (pipeline/unpickle.py)."""
    from pipeline.unpickle import unpickle  # late: most readers and writers of files do without

    with reading(path):
        return unpickle(path)


def save_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write nested dicts of scalars as JSON: no lists (DVC drops them), no NaN, no Infinity."""
    _check_scalars(metrics, path.name)
    text = json.dumps(metrics, indent=2, allow_nan=False, ensure_ascii=False)
    save_text(path, f"{text}\n")


def _check_scalars(value: Any, key: str) -> None:
    if isinstance(value, dict):
        for name, child in value.items():
            _check_scalars(child, f"{key}.{name}")
    elif not isinstance(value, int | float | str):
        raise TypeError(f"{key}: a metric is a scalar of Python, got {type(value).__name__}")


def load_metrics(path: Path) -> dict[str, Any]:
    """Read what `save_metrics` wrote."""
    with reading(path):
        metrics: dict[str, Any] = parse_json(read_bytes(path, LONGEST), path.name)
    return metrics


def save_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as CSV: what DVC draws with Vega. Floats keep all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    save_text(path, text.getvalue())


def save_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    save_bytes(path, text.encode())


def save_bytes(path: Path, data: bytes) -> None:
    """Write the bytes, such as a picture's."""
    with _replacing(path) as file:
        file.write(data)
