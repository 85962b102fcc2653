"""How far the work is, shown on a terminal; quiet in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from threading import Lock


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Callable[[], None]]:
    """A bar on stderr, if that is a terminal: `what`, and how many of `total` units are done.

    Yields the function to call after each unit, from any thread.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm  # 50 ms to import: only where somebody looks

    screen = get_terminal_size()  # tqdm itself draws nothing where a terminal tells no size
    size = {"ncols": screen.columns - 1, "nrows": screen.lines}
    lock = Lock()  # tqdm's own is for the drawing, not for the count
    with tqdm(desc=what, total=total, unit=f" {unit}", file=sys.stderr, **size) as bar:

        def step() -> None:
            with lock:
                bar.update()

        yield step


def say(what: str) -> None:
    """A line on stderr, if that is a terminal: what begins now and shows its progress itself."""
    if sys.stderr.isatty():
        print(what, file=sys.stderr, flush=True)
