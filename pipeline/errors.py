"""What ends a stage with one line instead of a traceback."""

import re
import sys
from collections.abc import Callable, Sequence

MAX_LINE = 300  # characters of a message; what is allowed stands at its end
TRACEBACK = re.compile(
    r"^(ERROR: Exception:\n)?Traceback \(most recent call last\):\n( .*\n)*", re.MULTILINE
)


class PipelineError(Exception):
    """A mistake that its reader can mend: the message says where, what was got, what is allowed."""


class NotConvergedError(PipelineError):
    """A fit did not reach its tolerance; the message names C."""


def listed(labels: Sequence[int]) -> str:
    """Labels for a message, the first twenty of them."""
    return ", ".join(map(str, labels[:20])) + (", …" if len(labels) > 20 else "")


def one_line(text: str) -> str:
    """The text on one line, each sign that cannot be printed as Python's escape for it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


def complaints(said: str) -> list[str]:
    """The lines of what a program says; of a traceback, and of pip's, the exception alone."""
    return [line.strip() for line in TRACEBACK.sub("", said).splitlines() if line.strip()]


def run(main: Callable[[], object], remedy: str = "") -> None:
    """Run `main`; a PipelineError, or no memory left, becomes one line on stderr, exit status 2.

    `remedy` follows a message that names no command of its own.
    """
    try:
        main()
    except PipelineError as error:
        sys.exit(_refuse(error, remedy))
    except MemoryError as error:
        sys.exit(_refuse(PipelineError(f"not enough memory: {error}".rstrip(": ")), remedy))


def _refuse(error: PipelineError, remedy: str) -> int:
    line = one_line(str(error))
    if len(line) > MAX_LINE:
        line = f"{line[: MAX_LINE - 100]} … {line[-90:]}"
    if remedy and "`" not in line:
        line += f" ({remedy})"
    print(line, file=sys.stderr)
    return 2
