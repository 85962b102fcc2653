"""Set up .venv from the hashed locks. tools/set_up.sh finds the Python for it.

`PYTHON -m tools.set_up` makes .venv with PYTHON and installs requirements.txt;
`.venv/bin/python -m tools.set_up requirements/dev.txt` adds the developers' lock to it.

pip installs uv, and uv the rest: uv is ten times as fast, and needs two seconds for what it has
downloaded once. Where uv fails, pip installs the rest too. Neither compiles bytecode: Python does
so at the first import. pip's settings say where packages come from; no setting says where they go.
"""

import ast
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.alone import alone
from pipeline.errors import PipelineError, complaints, run

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
RUN = Path("requirements.txt")  # the lock of the pipeline
FIRST = Path("requirements/setup.txt")  # the lock of what installs it
STAMP = VENV / "run"  # says whose environment it is; written last
# One set-up at a time, and none beneath a stage that runs.
HERE = Path(), "Waiting for another make, which sets up, or for a stage that runs"
# Where packages come from: a setting of pip, and the variable that tells uv the same.
SETTINGS = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "no-index": "",  # uv has an option, no variable: install()
    "proxy": "ALL_PROXY",
}
# An installer's exit status is not enough: the pipeline's heaviest packages are there if this runs.
CHECK = """
import importlib.util, dvc.cli, matplotlib.figure, ruamel.yaml, sklearn.svm, vl_convert
assert importlib.util.find_spec("tensorflow"), "No module named 'tensorflow'"
"""


class SetUpError(PipelineError):
    """.venv could not be set up, or is not whole."""


def set_up() -> None:
    """Make .venv and install the pipeline's lock, unless another `make` has just done so."""
    owner = os.fsencode(f"{Path.cwd()} Python {platform.python_version()}")  # as the Makefile asks
    with alone(*HERE):
        if _is_whole(owner):
            return
        place = _place()
        print(
            f"Setting up {VENV} with Python {platform.python_version()} of {sys.base_prefix}"
            " (a minute or two, once)",
            flush=True,
        )
        STAMP.unlink(missing_ok=True)
        base = getattr(sys, "_base_executable", sys.executable)  # ours, if we are in .venv
        _quietly([base, "-m", "venv", "--clear", str(place)], f"{VENV}: could not be made")
        environment = package_environment(pip_settings(), os.environ)
        said = f"{FIRST}: could not be installed"
        _quietly([*_pip(PYTHON), "--only-binary=:all:", "-r", str(FIRST)], said, environment)
        install(RUN, environment)
        _quietly([str(PYTHON), "-I", "-c", CHECK], f"{VENV}: is not whole after the set-up")
        STAMP.write_bytes(owner)


def add(lock: Path) -> None:
    """Install one more lock."""
    with alone(*HERE):
        print(f"Adding {lock} (a minute or two, once)", flush=True)
        install(lock, package_environment(pip_settings(), os.environ))


def _is_whole(owner: bytes) -> bool:
    """Whether .venv is of this folder and this Python, and younger than the locks."""
    try:
        told, made = STAMP.read_bytes(), STAMP.stat().st_mtime
    except OSError:
        return False
    return told == owner and made > max(lock.stat().st_mtime for lock in (RUN, FIRST))


def _place() -> Path:
    """The folder of the environment; where .venv is a link, the folder behind it."""
    place = VENV.resolve()
    ours = not place.exists() or (place / "pyvenv.cfg").exists() or not VENV.is_symlink()
    if VENV.is_file() or not (ours or (place.is_dir() and not any(place.iterdir()))):
        raise SetUpError(
            f"{VENV}: is {place}; allowed: nothing, a folder, a link to an environment or to an "
            "empty folder"
        )
    return place


def install(lock: Path, environment: Mapping[str, str]) -> None:
    """Install `lock` by uv; by pip where uv fails."""
    locked = ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", str(lock)]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    if _runs([*uv_install(PYTHON, environment), *quiet, *locked], environment):
        return
    print(f"uv could not install {lock}; now by pip, in some minutes", file=sys.stderr, flush=True)
    if not _runs([*_pip(PYTHON), *quiet, *locked], environment):
        raise SetUpError(f"{lock}: neither uv nor pip could install it; see above what they say")


def uv_install(python: Path, environment: Mapping[str, str]) -> list[str]:
    """uv's command that installs for `python`, from the best of all indexes, as pip does."""
    uv = [str(VENV / "bin/uv"), "pip", "install", f"--python={python}"]
    uv += ["--index-strategy=unsafe-best-match"]
    if environment.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        uv += ["--no-index"]
    return uv


def _pip(python: Path) -> list[str]:
    return [str(python), "-I", "-m", "pip", "install", "--no-compile", "--no-deps"]


def package_environment(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables for pip and uv: `given`, and of pip's `settings` those of SETTINGS alone.

    A variable of uv's own that is given has the last word.
    """
    environment = {name: value for name, value in given.items() if not name.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = os.devnull  # then pip reads no file at all
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    for name, uvs in SETTINGS.items():
        if name in settings:
            environment["PIP_" + name.upper().replace("-", "_")] = settings[name]
            if uvs:
                between = "," if uvs == "UV_FIND_LINKS" else " "
                environment.setdefault(uvs, between.join(settings[name].split()))
    return environment


def pip_settings() -> dict[str, str]:
    """pip's settings by name: of a file for all commands, for `install`, of variables."""
    listed = _quietly(
        [str(PYTHON), "-I", "-m", "pip", "config", "list"], "pip cannot read its settings"
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found:
            found[section][name] = ast.literal_eval(value)
    return found["global"] | found["install"] | found[":env:"]


def _runs(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run a command; whether it succeeded."""
    try:
        return subprocess.run(command, env=environment, check=False).returncode == 0
    except OSError as error:  # a program for another system, or none
        print(error, file=sys.stderr)
        return False


def _quietly(command: Sequence[str], failure: str, environment: Mapping | None = None) -> str:
    """What a command prints; where it fails, SetUpError with the last complaint in that."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        failed, said = done.returncode != 0, done.stdout
    except OSError as error:
        failed, said = True, str(error)
    if failed:
        lines = complaints(said) or ["it said nothing"]
        errors = [line for line in lines if line.startswith("ERROR: ")]  # pip's, before its advice
        raise SetUpError(f"{failure}: {(errors or lines)[-1]}")
    return said


if __name__ == "__main__":
    try:
        run(lambda: add(Path(sys.argv[1])) if sys.argv[1:] else set_up())
    except KeyboardInterrupt:
        sys.exit(130)
