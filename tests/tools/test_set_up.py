"""Which Python may set up .venv, what it says otherwise, and what pip's settings come to."""

import ast
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections import namedtuple
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.scripts import script
from tools import check_python, set_up

TRUE = ["/bin/true"]  # a command that does nothing
Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.mark.parametrize(
    ("minor", "place", "name", "value", "why"),
    [
        (11, None, "", None, None),
        (13, None, "", None, None),
        (6, None, "", None, "Python 3.6"),
        (10, None, "", None, "Python 3.10"),
        (14, None, "", None, "Python 3.14, for which h5py and tensorflow have no wheels yet"),
        (12, sys, "maxsize", 2**31 - 1, "Python 3.12 of 32 bit"),
        (11, platform, "python_implementation", lambda: "PyPy", "PyPy, for which there are no"),
        (13, sysconfig, "get_config_var", {"Py_GIL_DISABLED": 1}.get, "without the GIL"),
        (13, sysconfig, "get_config_var", {"HOST_GNU_TYPE": "x86_64-pc-linux-musl"}.get, "musl"),
        (12, platform, "machine", lambda: "x86_64", "macOS x86-64"),
        (12, platform, "machine", lambda: "arm64", None),
        (12, sys.modules, "venv", None, "venv; on Debian and Ubuntu: apt-get install python3.12-"),
        (12, sys.modules, "ensurepip", None, "apt-get install python3.12-venv"),
    ],
)
def test_which_python_can_hold_the_lock(
    monkeypatch: pytest.MonkeyPatch, minor: int, place, name: str, value, why: str | None
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, minor, 0, "final", 0))
    if place is platform and name == "machine":
        monkeypatch.setattr(sys, "platform", "darwin")
    if place is sys.modules:
        monkeypatch.setitem(place, name, value)
    elif place:
        monkeypatch.setattr(place, name, value)
    said = check_python.refusal()
    assert (why in said) if why else said is None


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

    def command(self, name: str, text: str) -> None:
        script(self.bin / name, text)

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


@pytest.mark.parametrize(
    ("there", "named", "taken"),
    [
        ({"python3": "3.11", "python3.13": "3.13"}, [], "python3"),
        ({"python3": "3.9", "python3.13": None, "python3.12": "3.12"}, [], "python3.12"),
        ({"python3": "3.11", "my python": "3.13"}, ["my python"], "my python"),
    ],
    ids=["the user's own", "what cannot or does not run is passed over", "the one that is named"],
)
def test_which_python_is_taken(machine: Machine, there: dict, named: list[str], taken: str) -> None:
    for name, version in there.items():
        if version:
            machine.python(name, version)
        else:
            machine.command(name, f"echo 'pyenv: {name}: command not found' >&2; exit 127")
    assert machine.set_up(*named).stdout == f"{taken} -m tools.set_up\n"


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


@pytest.mark.parametrize(
    ("git", "folder", "said"),
    [
        (None, "tools", "make: git is missing, which DVC needs\n"),
        ("echo 'fatal: not one' >&2; exit 128", "tools", "not a git repository, which DVC needs"),
        (
            "echo \"fatal: dubious ownership in '/x'\" >&2; echo more; exit 128",
            ".git",
            "git refuses this folder: fatal: dubious ownership in '/x'\n",
        ),
    ],
)
def test_no_git_or_no_repository(machine: Machine, git: str | None, folder: str, said: str) -> None:
    (machine.project / folder).mkdir(exist_ok=True)
    if git:
        machine.command("git", git)
    else:
        (machine.bin / "git").unlink()
    assert said in machine.refused()


def test_a_colon_in_the_path(root: Path, tmp_path: Path) -> None:
    assert "holds a colon" in Machine(root, tmp_path, "a:b").refused()


@pytest.mark.parametrize(
    ("settings", "given", "told"),
    [
        (
            {"index-url": "https://a", "extra-index-url": "https://b\nhttps://c", "user": "true"},
            {"PIP_TARGET": "/x", "PIP_DRY_RUN": "1", "PATH": "/bin", "PIP_INDEX_URL": "https://a"},
            {
                "PATH": "/bin",
                "PIP_INDEX_URL": "https://a",
                "PIP_EXTRA_INDEX_URL": "https://b\nhttps://c",
                "UV_DEFAULT_INDEX": "https://a",
                "UV_INDEX": "https://b https://c",
            },
        ),
        (
            {"index-url": "https://a", "find-links": "/a /b"},
            {"UV_DEFAULT_INDEX": "https://u"},
            {
                "PIP_INDEX_URL": "https://a",
                "PIP_FIND_LINKS": "/a /b",
                "UV_DEFAULT_INDEX": "https://u",  # uv's own has the last word
                "UV_FIND_LINKS": "/a,/b",
            },
        ),
    ],
)
def test_pip_and_uv_are_told_whence_and_not_where_to(settings, given, told) -> None:
    always = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    assert set_up.package_environment(settings, given) == always | told


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment without packages, and with a lock of one small wheel."""
    folder = tmp_path_factory.mktemp("small")
    subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
    wheel = folder / "small-1-py3-none-any.whl"
    about = {"METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1\n"}
    about |= {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    with zipfile.ZipFile(wheel, "w") as package:
        for name, text in {"small.py": "", **about, "RECORD": ""}.items():
            package.writestr(name if name == "small.py" else f"small-1.dist-info/{name}", text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "small.txt").write_text(f"small==1 --hash=sha256:{digest}\n")
    (folder / "other.txt").write_text(f"small==1 --hash=sha256:{64 * '0'}\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("uv", ["exit 1", None])
def test_where_uv_fails_pip_installs_what_is_as_the_lock_says(
    small: Path, monkeypatch: pytest.MonkeyPatch, capfd, uv: str | None
) -> None:
    monkeypatch.chdir(small)
    if uv:
        script(small / ".venv/bin/uv", uv)
    else:
        (small / ".venv/bin/uv").unlink(missing_ok=True)
    settings = {"no-index": "true", "find-links": str(small)}
    environment = set_up.package_environment(settings, os.environ)
    with pytest.raises(set_up.SetUpError, match=r"other.txt: neither uv nor pip could install it"):
        set_up.install(Path("other.txt"), environment)
    set_up.install(Path("small.txt"), environment)
    assert "uv could not install small.txt; now by pip" in capfd.readouterr().err
    (installed,) = (small / ".venv/lib").glob("python3*/site-packages/small.py")
    assert not list(installed.parent.glob("__pycache__/small*"))
    installed.unlink()  # for whoever installs it next
    shutil.rmtree(installed.parent / "small-1.dist-info")


@pytest.mark.slow
def test_what_an_installer_left_out_is_noticed(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its exit status says."""
    monkeypatch.chdir(small)
    for name in ("_pip", "uv_install"):  # which install nothing
        monkeypatch.setattr(set_up, name, lambda *_: TRUE)
    monkeypatch.setattr(set_up, "alone", lambda *_: nullcontext())
    (small / "requirements").mkdir(exist_ok=True)
    for lock in (set_up.RUN, set_up.FIRST):
        (small / lock).touch()
    with pytest.raises(set_up.SetUpError, match=r"not whole .*No module named 'dvc'"):
        set_up.set_up()
    assert not (small / set_up.STAMP).exists()


def test_a_link_to_other_things_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to an empty folder is followed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "_base_executable", script(tmp_path / "python", f'echo "$*" >{tmp_path}/asked; exit 1')
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis").write_text("years")
    (tmp_path / ".venv").symlink_to("mine")
    with pytest.raises(set_up.SetUpError, match=r"\.venv: is .*mine; allowed: "):
        set_up.set_up()
    (tmp_path / "mine/thesis").unlink()
    with pytest.raises(set_up.SetUpError, match=r"\.venv: could not be made"):
        set_up.set_up()
    assert (tmp_path / "asked").read_text() == f"-m venv --clear {tmp_path / 'mine'}\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "ERROR: Exception:\nTraceback (most recent call last):\n"
            '  File "pip/x.py", line 1, in run\n    raise OSError\n'
            "OSError: [Errno 28] No space left on device\n",
            "OSError: [Errno 28] No space left on device",
        ),
        (
            "WARNING: slow\nERROR: Could not install packages due to an OSError: [Errno 13] x\n"
            "Check the permissions.\n\n",
            "ERROR: Could not install packages due to an OSError: [Errno 13] x",
        ),
        ("one\ntwo\n", "two"),
        ("", "it said nothing"),
    ],
)
def test_a_failure_is_told_by_what_says_something(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "said").write_text(said)
    with pytest.raises(set_up.SetUpError) as failed:
        set_up._quietly(["sh", "-c", f"cat {tmp_path}/said; exit 1"], "pip")
    assert str(failed.value) == f"pip: {told}"
