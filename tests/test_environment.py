"""The environment's files: the locks, and what `make` says."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.graph import names

pytest_plugins = "pytester"

LOCKS = ["requirements.txt", "requirements/setup.txt", "requirements/dev.txt"]
ROOMS = ["stages", "figures", "analysis", "pipeline", "l1svc", "tools"]


def pins(file: Path) -> dict[str, list[str]]:
    """Each name's versions (more than one where they differ by platform)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", file.read_text()):
        found.setdefault(name, []).append(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes_and_no_registry_is_named(root: Path, lock: str) -> None:
    text = (root / lock).read_text()
    assert not re.search("://|find-links|index-url", text)
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_locks_agree(root: Path, lock: str) -> None:
    run, other = pins(root / LOCKS[0]), pins(root / lock)
    shared = set(run) & set(other)
    assert {name: other[name] for name in shared} == {name: run[name] for name in shared}


def asked_for(file: Path) -> dict[str, str]:
    """The packages of an .in file, each with its reason."""
    lines = [line for line in file.read_text().splitlines() if line and line[0] not in "#-"]
    found = [re.fullmatch(r"([a-z0-9-]+)(?:>=[\d.]+)?(?: ;[^#]*)? +# (.+)", line) for line in lines]
    return dict(match.groups() for match in found)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_asked_for_is_locked_and_has_its_reason(root: Path, lock: str) -> None:
    assert asked_for((root / lock).with_suffix(".in")).keys() <= pins(root / lock).keys()


@pytest.mark.parametrize(
    ("rooms", "files"),
    [
        (ROOMS, ["requirements.in"]),
        (["tests", "benchmarks", "l1svc"], ["requirements.in", "requirements/dev.in"]),
    ],
)
def test_what_is_imported_is_asked_for_by_name(
    root: Path, rooms: list[str], files: list[str]
) -> None:
    """Not what another package brings along today; the name of Dask is asked of developers."""
    asked = {"distributed"}.union(*(asked_for(root / file) for file in files))
    of_module = packages_distributions()
    for file in [file for room in rooms for file in root.glob(f"{room}/**/*.py")]:
        if rooms is ROOMS and {"tests", "benchmarks"} & set(file.relative_to(root).parts):
            continue  # the solver's own, which developers have
        for name in {name.split(".")[0] for name in names(file)} - sys.stdlib_module_names:
            if not (root / name).is_dir():
                packages = {re.sub("[-_.]+", "-", package.lower()) for package in of_module[name]}
                assert packages & asked, f"{file.relative_to(root)} imports {name}"


@pytest.mark.parametrize(
    ("workers", "strict"),
    [("0", False), ("0", True), pytest.param("1", True, marks=pytest.mark.long)],
)
def test_where_nothing_may_skip_a_skipped_test_fails_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str, strict: bool
) -> None:
    pytester.makeconftest("from l1svc.tests.rules import pytest_sessionfinish")
    pytester.makepyfile("import pytest\ndef test_a(): pytest.skip()")
    monkeypatch.setenv("NO_SKIPS", str(int(strict)))
    done = pytester.runpytest_inprocess("-p", "no:hypothesispytest", "-n", workers)
    done.assert_outcomes(skipped=1)
    assert done.ret == (pytest.ExitCode.TESTS_FAILED if strict else pytest.ExitCode.OK)
    assert ("NO_SKIPS=1: a test was skipped" in str(done.stdout)) == strict


def test_make_help_lists_every_target(root: Path) -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    phony = re.search(r"(?m)^\.PHONY: (.+)$", (root / "Makefile").read_text()).group(1).split()
    assert re.findall(r"(?m)^make (\S+)", listed) == phony


def wheels(
    root: Path, nowhere: Path, lock: str, platform: str, python: str
) -> subprocess.CompletedProcess:
    """What uv would install there, of wheels alone; antlr4 comes as source, pure Python."""
    command = ["uv", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--no-binary=antlr4-python3-runtime"]
    command += [f"--python-platform={platform}", f"--python-version={python}", "-r", lock]
    command += ["--target", str(nowhere)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode == 2:  # 1 is that there is no solution
        pytest.skip(f"no registry within reach, which this test needs: {done.stderr[-300:]}")
    return done


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    "platform",
    [
        *("x86_64-manylinux_2_28", "aarch64-manylinux_2_28"),
        *("aarch64-apple-darwin", "x86_64-pc-windows-msvc"),
    ],
)
@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_wheel(
    root: Path, tmp_path: Path, lock: str, platform: str, python: str
) -> None:
    done = wheels(root, tmp_path, lock, platform, python)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "python", "without"),
    [
        ("x86_64-manylinux_2_28", "3.14", "h5py"),
        ("x86_64-unknown-linux-musl", "3.12", "h5py"),
        ("x86_64-apple-darwin", "3.12", "cryptography"),
    ],
)
def test_what_is_refused_has_no_wheels_yet(
    root: Path, tmp_path: Path, platform: str, python: str, without: str
) -> None:
    """When this fails: allow it, in tools/check_python.py and docs/anywhere.md."""
    done = wheels(root, tmp_path, LOCKS[0], platform, python)
    assert f"Wheels are required for `{without}`" in done.stderr
