"""What ends a stage with one line instead of a traceback."""

import sys
from collections.abc import Callable


class PipelineError(Exception):
    """A mistake that its reader can mend: the message says where, what was got, what is allowed."""


class NotConvergedError(PipelineError):
    """A fit did not reach its tolerance; the message names C."""


def run(main: Callable[[], object]) -> None:
    """Run `main`; a PipelineError becomes one line on stderr and exit status 2."""
    try:
        main()
    except PipelineError as error:
        sys.exit(_refuse(error))


def _refuse(error: PipelineError) -> int:
    print(" ".join(str(error).split()), file=sys.stderr)
    return 2
