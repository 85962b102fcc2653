"""Which Python may set up .venv, what it says otherwise, and what pip's settings come to."""

import ast
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections import namedtuple
from importlib.metadata import files
from pathlib import Path

import pytest

from tools import check_python, set_up

Version = namedtuple("Version", "major minor micro releaselevel serial")


def refusal(monkeypatch: pytest.MonkeyPatch, minor: int) -> str | None:
    monkeypatch.setattr(sys, "version_info", Version(3, minor, 0, "final", 0))
    return check_python.refusal()


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_these_can_hold_the_lock(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    assert refusal(monkeypatch, minor) is None


@pytest.mark.parametrize("minor", [6, 10])
def test_too_old(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    assert refusal(monkeypatch, minor) == f"Python 3.{minor}"


def test_too_new(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "Python 3.14, for which h5py and tensorflow have no wheels yet"
    assert refusal(monkeypatch, 14) == why


def test_32_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert refusal(monkeypatch, 12) == "Python 3.12 of 32 bit"


def test_not_cpython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_implementation", lambda: "PyPy")
    assert refusal(monkeypatch, 11) == "PyPy, for which there are no wheels"


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [("Py_GIL_DISABLED", 1, "without the GIL"), ("HOST_GNU_TYPE", "x86_64-pc-linux-musl", "musl")],
)
def test_a_build_without_wheels(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, part: str
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", {name: value}.get)
    assert part in str(refusal(monkeypatch, 13))


def test_macos_on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert "macOS x86-64" in str(refusal(monkeypatch, 12))
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert refusal(monkeypatch, 12) is None


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_debians_python_without_venv(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    why = refusal(monkeypatch, 12)
    assert why == "Python 3.12 without venv; on Debian and Ubuntu: apt-get install python3.12-venv"


def test_every_python_parses_the_check(root: Path) -> None:
    """Nothing in it is younger than Python 2.7."""
    tree = ast.parse((root / "tools/check_python.py").read_text(encoding="ascii"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.NamedExpr | ast.AnnAssign | ast.Match)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert [given.annotation for given in node.args.args if given.annotation] == []


class Machine:
    """A folder of a project whose PATH holds these commands alone: each a shell script's text."""

    def __init__(self, root: Path, folder: Path, name: str = "project") -> None:
        self.project, self.bin = folder / name, folder / "bin"
        (self.project / "tools").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("set_up.sh", "check_python.py"):
            (self.project / "tools" / name).write_text((root / "tools" / name).read_text())
        self.command("git", "echo .git")
        self.command("head", "/usr/bin/head $@")

    def command(self, name: str, script: str) -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def python(self, name: str, version: str) -> None:
        """A Python that says what one of `version` says of itself, and then how it was called."""
        check = "import sys, collections as c; V = c.namedtuple('V', 'a b c'); "
        check += f"sys.version_info = V({version.replace('.', ', ')}, 0); sys.argv[0] = '{name}'; "
        check += "import runpy; runpy.run_path('tools/check_python.py', run_name='__main__')"
        self.command(
            name,
            f'case $1 in *check_python.py) exec "{sys.executable}" -c "{check}" ;; esac\n'
            f'echo "{name} $*"',
        )

    def set_up(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["/bin/sh", "tools/set_up.sh", *arguments],
            cwd=self.project,
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
            check=False,
        )

    def refused(self, *arguments: str) -> str:
        """The one line that it says."""
        done = self.set_up(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("make: ")
        assert done.stderr.count("\n") == 1
        return done.stderr


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    return Machine(root, tmp_path)


def test_python3_comes_first(machine: Machine) -> None:
    machine.python("python3", "3.11")
    machine.python("python3.13", "3.13")
    assert machine.set_up().stdout == "python3 -m tools.set_up\n"


def test_what_cannot_or_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.python("python3", "3.9")
    machine.command("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    machine.python("python3.12", "3.12")
    assert machine.set_up().stdout == "python3.12 -m tools.set_up\n"


def test_the_python_that_is_named_is_taken(machine: Machine) -> None:
    machine.python("python3", "3.11")
    machine.python("my python", "3.13")
    assert machine.set_up("my python").stdout == "my python -m tools.set_up\n"


def test_no_python(machine: Machine) -> None:
    allowed = "is missing, or does not run; allowed: Python 3.11 to 3.13, 64 bit"
    assert machine.refused() == f"make: Python {allowed}\n"
    machine.python("python3", "3.11")
    assert machine.refused("/no/python") == f"make: /no/python {allowed}\n"


def test_none_that_can(machine: Machine) -> None:
    """The first that runs is named, as the one to mend."""
    machine.python("python3", "3.14")
    machine.python("python", "2.7")
    assert "is Python 3.14, for which h5py and tensorflow have no wheels yet" in machine.refused()
    assert "is Python 2.7; allowed: Python 3.11 to 3.13" in machine.refused("python")


def test_no_git(machine: Machine) -> None:
    (machine.bin / "git").unlink()
    assert machine.refused() == "make: git is missing, which DVC needs\n"


def test_no_repository(machine: Machine) -> None:
    machine.command("git", "echo 'fatal: not a git repository' >&2; exit 128")
    assert "not a git repository, which DVC needs" in machine.refused()
    assert "`git init`" in machine.refused()


def test_a_repository_of_someone_else(machine: Machine) -> None:
    (machine.project / ".git").mkdir()
    machine.command("git", "echo \"fatal: dubious ownership in '/x'\" >&2; echo more; exit 128")
    assert "git refuses this folder: fatal: dubious ownership in '/x'" in machine.refused()


def test_a_colon_in_the_path(root: Path, tmp_path: Path) -> None:
    assert "holds a colon" in Machine(root, tmp_path, "a:b").refused()


def test_pip_and_uv_are_told_whence_and_not_where_to() -> None:
    settings = {"index-url": "https://a", "extra-index-url": "https://b\nhttps://c", "user": "true"}
    given = {"PIP_TARGET": "/x", "PIP_DRY_RUN": "1", "PATH": "/bin", "PIP_INDEX_URL": "https://a"}
    assert set_up.package_environment(settings, given) == {
        "PATH": "/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_INDEX_URL": "https://a",
        "PIP_EXTRA_INDEX_URL": "https://b\nhttps://c",
        "UV_DEFAULT_INDEX": "https://a",
        "UV_INDEX": "https://b https://c",
    }


def test_uvs_own_variables_have_the_last_word() -> None:
    told = set_up.package_environment(
        {"index-url": "https://a", "find-links": "/a /b"}, {"UV_DEFAULT_INDEX": "https://u"}
    )
    assert (told["UV_DEFAULT_INDEX"], told["UV_FIND_LINKS"]) == ("https://u", "/a,/b")


def test_each_line_of_the_requirements_is_imported_or_found(root: Path) -> None:
    wanted = {
        line.split()[0]
        for line in (root / "requirements.in").read_text().splitlines()
        if not line.startswith("#")
    } - {"tensorflow", "tensorflow-cpu"}
    modules = {module.split(".")[0] for module in set_up.MODULES}
    for name in wanted:
        assert modules & {path.parts[0].removesuffix(".py") for path in files(name) or []}, name
    assert len(set_up.MODULES) == len(wanted)
    assert set_up.FOUND == ["tensorflow"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without packages."""
    folder = tmp_path_factory.mktemp("empty") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def small(root: Path, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an environment without packages, and a lock of one pin."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(empty, ".venv", symlinks=True)
    lock = (root / "requirements.txt").read_text()
    (tmp_path / "six.txt").write_text(lock[lock.index("\nsix==") : lock.index("\nsmmap==")])
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("uv", ["exit 1", None])
def test_where_uv_fails_pip_installs(
    small: Path, capfd: pytest.CaptureFixture[str], uv: str | None
) -> None:
    if uv:
        (small / ".venv/bin/uv").write_text(f"#!/bin/sh\n{uv}\n")
        (small / ".venv/bin/uv").chmod(0o755)
    environment = set_up.package_environment(set_up.pip_settings(), os.environ)
    set_up.install(Path("six.txt"), environment)
    assert "uv could not install six.txt; now by pip" in capfd.readouterr().err
    (installed,) = (small / ".venv/lib").glob("python3*/site-packages/six.py")
    assert not list(installed.parent.glob("__pycache__/six*"))
    with pytest.raises(set_up.SetUpError, match=r"not whole .*No module named 'dvc'"):
        set_up.check()


@pytest.mark.slow
def test_what_is_not_as_the_lock_says_is_refused(small: Path) -> None:
    lock = small / "six.txt"
    lock.write_text("six==1.17.0 --hash=sha256:" + 64 * "0" + "\n")
    environment = set_up.package_environment(set_up.pip_settings(), os.environ)
    with pytest.raises(set_up.SetUpError, match=r"six.txt: neither uv nor pip could install it"):
        set_up.install(lock, environment)


def test_a_link_to_other_things_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis").write_text("years")
    (tmp_path / ".venv").symlink_to("mine")
    with pytest.raises(set_up.SetUpError, match=r"\.venv: links to .*mine; allowed: "):
        set_up._place()
    (tmp_path / "mine/thesis").unlink()
    assert set_up._place() == tmp_path / "mine"


def test_uvs_cache_is_used_where_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uv = tmp_path / ".venv/bin/uv"
    uv.parent.mkdir(parents=True)
    (tmp_path / "file").touch()
    for cache, expected in (("new/cache", []), ("file/cache", ["--no-cache"])):
        uv.write_text(f"#!/bin/sh\necho {tmp_path / cache}\n")
        uv.chmod(0o755)
        assert set_up._uv_cache({}) == expected
