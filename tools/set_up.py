"""Set up .venv from the hashed locks. tools/set_up.sh finds the Python for it.

`PYTHON -m tools.set_up` makes .venv anew, by PYTHON, and installs requirements.txt;
`.venv/bin/python -m tools.set_up requirements/NAME.txt` adds another lock to it.

pip installs uv, and uv the rest: it is ten times as fast, and what it has once downloaded takes
two seconds. Where uv fails, pip installs that too. Neither compiles bytecode: what is imported is
compiled then. Whence packages come, uv is told by pip's settings; where they go, nobody tells.
"""

import ast
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.alone import alone
from pipeline.errors import PipelineError, run

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
RUN = Path("requirements.txt")  # the lock of the pipeline
FIRST = Path("requirements/setup.txt")  # the lock of what installs it
# One set-up at a time, and none beneath a stage that runs.
HERE = Path(), "Waiting for another make, which sets up, or for a stage that runs"
STAMP = VENV / "run"  # holds whose environment it is; written last
# Where packages come from: a setting of pip, and the variable that tells uv the same, if there is
# one. All else that pip may be told in variables and files (target, prefix, user, dry-run) is not
# passed on.
SETTINGS = {
    "cache-dir": None,
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "default-timeout": None,
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "keyring-provider": None,
    "no-index": None,  # an option of uv's, no variable: install()
    "proxy": "ALL_PROXY",
    "retries": None,
    "timeout": None,
    "trusted-host": "UV_INSECURE_HOST",
}
# One module for each line of requirements.in: imported before the stamp is written.
MODULES = [
    *("dvc.cli", "joblib", "markdown_it", "matplotlib.pyplot", "numpy", "pydantic", "ruamel.yaml"),
    *("scipy.stats", "sklearn.svm", "threadpoolctl", "tqdm", "vl_convert", "yaml"),
]
FOUND = ["tensorflow"]  # only looked for: its import takes as long as all others'


class SetUpError(PipelineError):
    """.venv could not be set up, or is not whole."""


def owner() -> str:
    """Whose environment it is: this folder's and this Python's. The Makefile compares it."""
    return f"{Path.cwd()} Python {platform.python_version()}"


def set_up() -> None:
    """Make .venv anew and install the pipeline's lock, unless another `make` has just done it."""
    with alone(*HERE):
        if _whole():
            return
        place = _place()
        print(
            f"Setting up {VENV} with Python {platform.python_version()} of {sys.base_prefix}"
            " (a minute or two, once)",
            flush=True,
        )
        STAMP.unlink(missing_ok=True)
        base = getattr(sys, "_base_executable", sys.executable)  # ours, if we are in .venv
        if not _succeeds([base, "-m", "venv", "--clear", str(place)], os.environ):
            raise SetUpError(f"{VENV}: could not be made; see above what venv says")
        environment = package_environment(pip_settings(), os.environ)
        if not _succeeds([*_pip(), "--only-binary=:all:", "-r", str(FIRST)], environment):
            raise SetUpError(f"{FIRST}: could not be installed; see above what pip says")
        install(RUN, environment)
        check()
        STAMP.write_bytes(os.fsencode(owner()))


def add(lock: Path) -> None:
    """Install one more lock."""
    with alone(*HERE):
        print(f"Adding {lock}", flush=True)
        install(lock, package_environment(pip_settings(), os.environ))


def _whole() -> bool:
    """Is .venv of this folder and Python, and younger than the locks?"""
    try:
        told, made = STAMP.read_bytes(), STAMP.stat().st_mtime
    except OSError:
        return False
    return told == os.fsencode(owner()) and made > max(
        lock.stat().st_mtime for lock in (RUN, FIRST)
    )


def _place() -> Path:
    """The folder of the environment; what .venv links to, if it is a link."""
    place = VENV.resolve()
    if VENV.is_symlink() and place.exists() and not (place / "pyvenv.cfg").exists():
        if not place.is_dir() or any(place.iterdir()):
            raise SetUpError(
                f"{VENV}: links to {place}; allowed: a link to an environment or an empty folder"
            )
    elif VENV.exists() and not VENV.is_dir():
        raise SetUpError(f"{VENV}: is a file; allowed: nothing, a folder or a link to one")
    return place


def install(lock: Path, environment: Mapping[str, str], python: Path = PYTHON) -> None:
    """Install `lock` by uv for `python`; by its pip where that fails."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    uv = [str(VENV / "bin/uv"), "pip", "install", f"--python={python}", *_uv_cache(environment)]
    # The best of all indexes, as pip takes it: what is allowed is in the hashes.
    uv += ["--index-strategy=unsafe-best-match", *quiet]
    if environment.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        uv += ["--no-index"]
    if _runs([*uv, *_locked(lock)], environment):
        return
    print(f"uv could not install {lock}; now by pip, in some minutes", file=sys.stderr, flush=True)
    if not _runs([*_pip(python), *quiet, *_locked(lock)], environment):
        raise SetUpError(f"{lock}: neither uv nor pip could install it; see above what they say")


def _locked(lock: Path) -> list[str]:
    return ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", str(lock)]


def _pip(python: Path = PYTHON) -> list[str]:
    return [str(python), "-I", "-m", "pip", "install", "--no-compile", "--no-deps"]


def check() -> None:
    """Import what the pipeline imports: an installer's exit status is not believed alone."""
    code = (
        f"import importlib.util as u, {', '.join(MODULES)}\n"
        f"gone = [name for name in {FOUND} if u.find_spec(name) is None]\n"
        "assert not gone, f'No module named {gone}'"
    )
    done = _captured([str(PYTHON), "-I", "-c", code], os.environ)
    if done.returncode != 0:
        raise SetUpError(f"{VENV}: is not whole after the set-up: {_last_line(done.stdout)}")


def package_environment(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables for pip and uv: `given`, of pip's `settings` those of SETTINGS alone.

    A variable of uv's own that is given has the last word.
    """
    environment = {name: value for name, value in given.items() if not name.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = os.devnull  # then pip reads no file at all
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    for name, value in settings.items():
        if name in SETTINGS:
            environment["PIP_" + name.upper().replace("-", "_")] = value
            uvs = SETTINGS[name]
            if uvs:
                between = "," if uvs == "UV_FIND_LINKS" else " "
                environment.setdefault(uvs, between.join(value.split()))
    return environment


def pip_settings() -> dict[str, str]:
    """pip's settings by name: of a file for all commands, for `install`, of variables."""
    done = _captured([str(PYTHON), "-I", "-m", "pip", "config", "list"], os.environ)
    if done.returncode != 0:
        raise SetUpError(f"pip cannot read its settings: {_last_line(done.stdout)}")
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found:
            found[section][name] = ast.literal_eval(value)
    return found["global"] | found["install"] | found[":env:"]


def _uv_cache(environment: Mapping[str, str]) -> list[str]:
    """No cache where uv's cannot be written; copies where it is on another disk than .venv."""
    done = _captured([str(VENV / "bin/uv"), "cache", "dir"], environment)
    if done.returncode != 0:
        return []  # `uv pip install` fails as well
    cache = Path(done.stdout.strip())
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ["--no-cache"]
    if not os.access(cache, os.W_OK):
        return ["--no-cache"]
    same = cache.stat().st_dev == VENV.stat().st_dev
    return [] if same else ["--link-mode=copy"]


def _runs(command: list[str], environment: Mapping[str, str]) -> bool:
    """Run a command, and tell whether it succeeded."""
    try:
        return subprocess.run(command, env=environment, check=False).returncode == 0
    except OSError as error:  # a program for another system
        print(error, file=sys.stderr)
        return False


def _captured(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, stdout=str(error))


def _succeeds(command: list[str], environment: Mapping[str, str]) -> bool:
    """Run a command whose words count only if it fails."""
    done = _captured(command, environment)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr, flush=True)
    return done.returncode == 0


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


if __name__ == "__main__":
    try:
        run(lambda: add(Path(sys.argv[1])) if sys.argv[1:] else set_up())
    except KeyboardInterrupt:
        sys.exit(130)
