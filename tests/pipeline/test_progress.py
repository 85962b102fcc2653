"""Progress: a bar on a terminal, nothing in a pipe."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.progress import progress, say


def work(units: int) -> None:
    say("Begins")
    with progress("work", units, "things") as step:
        for _ in range(units):
            step()


def test_nothing_is_shown_in_a_pipe(capfd) -> None:
    work(3)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_what_is_done_and_how_far(terminal, capfd) -> None:
    screen = terminal()
    work(3)
    first, *bar = screen.getvalue().replace("\n", "\r").split("\r")
    assert first == "Begins"
    assert "work:   0%" in bar[1]
    assert "work: 100%" in bar[-2]
    assert " 3/3 " in bar[-2]
    assert " things" in bar[-2]  # a second, or seconds for one on a busy machine
    assert bar[-1] == ""  # the bar stays, what follows is on a line of its own
    assert capfd.readouterr() == ("", "")


def test_a_bar_ends_where_the_work_did(terminal) -> None:
    def break_off() -> None:
        with progress("work", 4, "things") as step:
            step()
            raise ArithmeticError

    screen = terminal()
    with pytest.raises(ArithmeticError):
        break_off()
    assert " 1/4 " in screen.getvalue().splitlines()[-1]
    assert screen.getvalue().endswith("\n")


def test_steps_of_several_threads_all_count(terminal) -> None:
    screen = terminal()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with progress("work", 4000, "things") as step, ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: [step() for _ in range(1000)], range(4)))
    finally:
        sys.setswitchinterval(before)
    assert " 4000/4000 " in screen.getvalue()


def test_in_a_pipe_tqdm_is_not_even_imported(root) -> None:
    code = (
        "import sys\n"
        "from pipeline.progress import progress\n"
        "with progress('work', 1, 'things') as step: step()\n"
        "print('tqdm' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
