"""l1svc installed by pip from the checkout, from an sdist and from a wheel: the package alone."""

import shutil
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import l1svc
from tests.e2e.conftest import Run, runner
from tools.wheel import build

PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
FOLDER, KINDS = Path(l1svc.__file__).parent, ("*.py", "*.md", "py.typed", "tests")
OURS = {path.name for kind in KINDS for path in FOLDER.glob(kind)}
IMPORT = "import sys; sys.path[:0] = sys.argv[1:]; import l1svc; print(l1svc.__file__)"


@pytest.fixture(scope="module")
def checkout(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, for what a build leaves behind."""
    folder = tmp_path_factory.mktemp("checkout") / "project"
    shutil.copytree(fresh, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def run(checkout: Path, command_environment: dict[str, str]) -> Run:
    return runner(checkout, command_environment)


@pytest.fixture(scope="module")
def built(checkout: Path) -> dict[str, Path]:
    """What can be installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        wheel = build().resolve()
    (sdist,) = wheel.parent.glob("*.tar.gz")
    return {"checkout": checkout / "l1svc", "sdist": sdist, "wheel": wheel}


@pytest.mark.parametrize(
    "source", [*(pytest.param(s, marks=pytest.mark.long) for s in ("checkout", "sdist")), "wheel"]
)
def test_the_package_alone_is_installed(
    built: dict[str, Path], run: Run, tmp_path: Path, source: str
) -> None:
    place = tmp_path / "installed"
    run(*PIP, "--no-build-isolation", "--no-compile", "--target", str(place), str(built[source]))
    version = l1svc.__version__
    assert {path.name for path in place.iterdir()} == {"l1svc", f"l1svc-{version}.dist-info"}
    assert {path.name for path in (place / "l1svc").iterdir()} == OURS
    where = run(sys.executable, "-I", "-c", IMPORT, str(place)).stdout.strip()
    assert Path(where).parent == place / "l1svc"

    metadata = Distribution.at(place / f"l1svc-{version}.dist-info").metadata
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert (metadata["Name"], metadata["Version"]) == ("l1svc", version)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload().strip() == readme.strip()
    needed = {line.split(">=")[0] for line in metadata.get_all("Requires-Dist")}
    assert needed == {"joblib", "numpy", "scikit-learn", "scipy", "threadpoolctl"}


def test_the_archives_hold_the_package_and_its_licence(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"l1svc"}
    with tarfile.open(built["sdist"]) as sdist:
        top = {Path(member.name).parts[1] for member in sdist if "/" in member.name}
    others = {"LICENSE", "PKG-INFO", "pyproject.toml", "setup.cfg", "l1svc.egg-info"}
    assert top - {"MANIFEST.in"} == OURS | others


def test_git_holds_nothing_of_a_build(built: dict[str, Path], run: Run) -> None:
    assert run("git", "status", "--porcelain").stdout.replace("?? .venv\n", "") == ""
