"""Is l1svc whole without this repository?

    python -m tools.wheel

Builds an sdist, and a wheel from it, into dist/. Then makes an empty environment, installs the
lowest versions that pyproject.toml allows (once more: the newest that there are) and the wheel, and
runs its tests there, which are installed with it, in an empty folder; what takes long is left to
`make test-all`. A test that skips fails. Exit status 1 if one failed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.errors import PipelineError, run
from tools.set_up import VENV, package_environment, pip_settings, uv_install

DIST = Path("dist")
VERSIONS = {"lowest": "lowest-direct", "newest": "highest"}  # and what uv calls them
NEEDED = ["-r", "l1svc/pyproject.toml", "-r", "requirements/l1svc.in"]
PYTEST = [
    "-m",
    "pytest",
    "-q",
    "-p",
    "l1svc.tests.rules",
    "-m",
    "not long",
    "--pyargs",
    "l1svc.tests",
]
SHOWN = """
import l1svc, joblib, numpy, scipy, sklearn, threadpoolctl
print(l1svc.__file__)
used = (numpy, scipy, sklearn, joblib, threadpoolctl)
print(*(f"{module.__name__} {module.__version__}" for module in used), sep=", ")
"""


class WheelError(PipelineError):
    """The package is not whole; what said so stands above."""


def build(folder: Path = DIST) -> Path:
    """The wheel, built from an sdist; both are in `folder`, alone."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = [str(VENV / "bin/uv"), "build", "--quiet", "--no-build-isolation", "--offline"]
    _run([*uv, f"--python={VENV / 'bin/python'}", f"--out-dir={folder}", "l1svc"])
    (wheel,) = folder.glob("*.whl")
    return wheel


def test(wheel: Path, versions: str) -> None:
    """Install `wheel` beside these versions into an empty environment; run the tests there."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        python = folder / "environment/bin/python"
        base = getattr(sys, "_base_executable", sys.executable)
        _run([base, "-m", "venv", "--without-pip", str(python.parents[1])])
        environment = package_environment(pip_settings(), os.environ)
        install = [*uv_install(python, environment), "--quiet", "--only-binary=:all:"]
        _run([*install, f"--resolution={VERSIONS[versions]}", *NEEDED], env=environment)
        _run([*install, "--no-deps", str(wheel)], env=environment)
        _run([str(VENV / "bin/uv"), "pip", "check", "--quiet", f"--python={python}"])

        place = folder / "away"
        place.mkdir()
        shutil.copy("l1svc/pyproject.toml", place)  # pytest's settings
        where, used = _run([str(python), "-c", SHOWN], cwd=place).splitlines()
        if not Path(where).is_relative_to(python.parents[1]):
            raise WheelError(f"wheel: l1svc is {where}; allowed: the installed one")
        print(f"wheel: {versions}: {used}", flush=True)
        _run(
            [str(python), *PYTEST],
            cwd=place,
            env=os.environ | {"NO_SKIPS": "1"},
            capture=False,
        )


def _run(
    command: list[str],
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    capture: bool = True,
) -> str:
    """What a command prints, if `capture`; WheelError if it fails."""
    output = subprocess.PIPE if capture else None
    done = subprocess.run(command, cwd=cwd, env=env, stdout=output, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout or "", file=sys.stderr)
        raise WheelError(f"wheel: {' '.join(command[:4])} … failed, see above")
    return done.stdout or ""


def main() -> None:
    wheel = build()
    for versions in VERSIONS:
        test(wheel.resolve(), versions)
    print(f"wheel: {wheel} passes its tests with the lowest and the newest versions")


if __name__ == "__main__":
    run(main)
