"""What ends a stage: one line, short, of printable characters, exit status 2."""

import io
from contextlib import redirect_stderr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MAX_LINE, PipelineError, run


def said(capsys: pytest.CaptureFixture[str], error: BaseException, remedy: str = "") -> str:
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        run(fail, remedy)
    assert caught.value.code == 2
    return capsys.readouterr().err


@given(text=st.text())
def test_one_line_of_printable_characters(text: str) -> None:
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit):
        run(lambda: (_ for _ in ()).throw(PipelineError(text)))
    line = said.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert len(line) <= MAX_LINE


def test_what_a_terminal_would_obey_is_shown(capsys) -> None:
    assert said(capsys, PipelineError("a\x1b[31mb\u2028c\x85d")) == "a\\x1b[31mb c d\n"


def test_a_long_line_keeps_its_ends(capsys) -> None:
    line = said(capsys, PipelineError("params.yaml: " + "x" * 1000 + "; allowed: 1 to 9"))
    assert line.startswith("params.yaml: xxx")
    assert line.endswith("x; allowed: 1 to 9\n")
    assert len(line) <= MAX_LINE + 1


def test_no_memory_is_a_line(capsys) -> None:
    line = said(capsys, MemoryError("Unable to allocate 7 GiB"), "then try again")
    assert line == "not enough memory: Unable to allocate 7 GiB (then try again)\n"
    assert said(capsys, MemoryError()) == "not enough memory\n"
