"""The environment's files: the locks, and what `make` says."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

pytest_plugins = "pytester"

SETS = ("setup", "dev", "s3", "cluster", "bench")
LOCKS = ["requirements.txt", *(f"requirements/{name}.txt" for name in SETS)]
ALONE = ["requirements/l1svc-lowest.txt", "requirements/l1svc-newest.txt"]  # l1svc by itself


def pins(file: Path) -> dict[str, list[str]]:
    """Each name's versions (more than one where they differ by platform)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", file.read_text()):
        found.setdefault(name, []).append(version)
    return found


@pytest.mark.parametrize("lock", LOCKS + ALONE)
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


@pytest.mark.parametrize("lock", LOCKS + ALONE)
def test_what_is_asked_for_is_locked_and_has_its_reason(root: Path, lock: str) -> None:
    wanted = (root / lock).with_suffix(".in").read_text().splitlines()
    for line in wanted:
        if line and not line.startswith(("#", "-")):
            name, reason = re.fullmatch(
                r"([a-z0-9-]+)(?:>=[\d.]+)?(?: ;[^#]*)? +# (.+)", line
            ).groups()
            assert name in pins(root / lock)
            assert reason


@pytest.mark.parametrize("lock", ALONE)
def test_l1svc_is_tried_with_the_lowest_that_it_allows_and_with_newer(
    root: Path, lock: str
) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    locked = pins(root / lock)
    for needed in tomllib.loads(text)["project"]["dependencies"]:
        name, lowest = needed.split(">=")
        versions = [Version(version) for version in locked[name]]
        if "lowest" in lock:
            assert min(versions) == Version(lowest), name
        else:
            assert min(versions) > Version(lowest), name


@pytest.mark.parametrize(
    ("workers", "strict"),
    [("0", False), ("0", True), pytest.param("1", True, marks=pytest.mark.long)],
)
def test_where_nothing_may_skip_a_skipped_test_fails_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str, strict: bool
) -> None:
    pytester.makeconftest("from tests.rules import pytest_sessionfinish")
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
@pytest.mark.parametrize("lock", LOCKS + ALONE)
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
