"""A user whom the system does not know, as in containers, and a HOME that is not theirs."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 12345
READS = "+dac_read_search"  # an environment below /root, too
UNKNOWN = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
UNKNOWN += [f"--inh-caps={READS}", f"--ambient-caps={READS}"]
RULE = """include Makefile
run:
\t@python -m dvc init --quiet --no-scm && python -m dvc status && echo "$$LOGNAME $$HOME"
"""


@pytest.fixture
def project(root: Path) -> Iterator[Path]:
    """A folder with the Makefile, theirs; pytest's own is closed to them."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("root alone becomes another user, by setpriv")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(root / "Makefile", folder)
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "mine").mkdir()
        for path in (folder, folder / "mine"):
            os.chown(path, NOBODY, NOBODY)
        yield folder


@pytest.mark.long
@pytest.mark.parametrize("home", [None, "", "/", "mine"])
def test_dvc_works_for_an_unknown_user(project: Path, home: str | None) -> None:
    given = {} if home is None else {"HOME": str(project / home) if home else ""}
    done = subprocess.run(
        [*UNKNOWN, "make", "--silent", "--file=-", "run"],
        cwd=project,
        input=RULE,
        env={"PATH": os.defpath, "DVC_SITE_CACHE_DIR": f"{project}/site"} | given,
        capture_output=True,
        text=True,
        check=False,
    )
    theirs = project / ("mine" if home == "mine" else ".dvc/tmp/home")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{NOBODY} {theirs}"
