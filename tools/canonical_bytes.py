"""The same bytes whatever the processor, its threads, Python, the user's settings and the place.

    python -m tools.canonical_bytes [--combinations 60] [--few] [--seed 0]

Runs the stages that compute, in copies of the project, under many combinations of settings, chosen
so that each two values of two settings occur together, and compares dvc.lock, metrics/ and plots/
with those of the work tree. Exit status 1 if a byte differs. `--few`: a handful by this Python, in
which each value occurs once.

What this machine lacks (a kernel's instructions, a locale and the sources to make it, another
Python) is left out, and said so.
"""

import argparse
import itertools
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import yaml

KERNELS = {  # OPENBLAS_CORETYPE, and what it needs of the processor
    "Nehalem": "sse4_2",
    "Sandybridge": "avx",
    "Haswell": "avx2",
    "Zen": "avx2",
    "SkylakeX": "avx512f",
}
SAME = {"Zen": "Haswell"}  # in OpenBLAS as NumPy's and SciPy's wheels carry it
LOCALES = ("C", "ja_JP.UTF-8", "tr_TR.UTF-8")
FOLDERS = ("project", "ein Ordner für Ziffern 数字")
MATPLOTLIBRC = """\
font.family: serif
font.size: 23
figure.dpi: 37
figure.facecolor: yellow
savefig.dpi: 41
savefig.transparent: True
axes.prop_cycle: cycler(color=["lime", "brown"])
axes.facecolor: pink
axes.grid: True
axes.unicode_minus: False
axes.formatter.use_locale: True
image.cmap: jet
image.interpolation: bicubic
lines.antialiased: False
lines.linewidth: 7
path.simplify: False
"""
FEW = 5
COMPARED = ["dvc.lock", "metrics", "plots"]
USED = (
    "import locale, numpy, scipy.linalg, threadpoolctl;"
    "print({blas['architecture'] for blas in threadpoolctl.threadpool_info()},"
    " locale.setlocale(locale.LC_ALL, '').split(';')[0])"
)
CRASHES = -signal.SIGSEGV
Setting = dict[str, str]
Pair = frozenset[tuple[str, str]]


def design(
    factors: Mapping[str, Sequence[str]],
    rows: int,
    rng: random.Random,
    impossible: Set[Pair] = frozenset(),
) -> tuple[list[Setting], int]:
    """Settings of all factors in which as many pairs of values of two factors as can be occur.

    Greedy: each is the best of a hundred drawn. Also returns how many pairs occur in none, those
    aside that are impossible.
    """
    missing = {
        frozenset([(a, x), (b, y)])
        for a, b in itertools.combinations(factors, 2)
        for x in factors[a]
        for y in factors[b]
    } - impossible
    chosen = []
    for _ in range(rows):
        drawn = [{name: rng.choice(values) for name, values in factors.items()} for _ in range(100)]
        drawn = [setting for setting in drawn if not pairs(setting) & impossible]
        best = max(drawn, key=lambda setting: len(pairs(setting) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return chosen, len(missing)


def pairs(setting: Setting) -> set[Pair]:
    """Each two of its values."""
    return {frozenset(two) for two in itertools.combinations(setting.items(), 2)}


def few(factors: Mapping[str, Sequence[str]]) -> list[Setting]:
    """Settings in which each value occurs, of factors of up to FEW values."""
    return [{name: v[row % len(v)] for name, v in factors.items()} for row in range(FEW)]


def make_locales(folder: Path) -> list[str]:
    """Compile those of LOCALES that there are sources for."""
    made = [LOCALES[0]]
    for name in LOCALES[1:]:
        language, charset = name.split(".")
        command = ["localedef", "-i", language, "-f", charset, str(folder / name)]
        # its exit status is 1 where it only warns
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if (folder / name).exists():
            made.append(name)
        else:
            print(f"{name}  left out: localedef has no sources for it here", flush=True)
    return made


def make_pythons(folder: Path) -> dict[str, Path]:
    """The folder of commands for each version of Python found: ours, and environments made here."""
    found = {platform.python_version(): Path(sys.executable).parent}
    candidates = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13)]
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))
    for python in filter(None, [*candidates, *map(str, pyenv)]):
        able = subprocess.run([python, "tools/check_python.py"], capture_output=True, check=False)
        said = subprocess.run([python, "-V"], capture_output=True, text=True, check=False)
        version = said.stdout.removeprefix("Python ").strip()
        if able.returncode != 0 or version.rpartition(".")[0] in {
            known.rpartition(".")[0] for known in found
        }:
            continue
        place = folder / f"python {version}"
        copy_project(place)
        subprocess.run([python, "-m", "tools.set_up"], cwd=place, check=True)
        found[version] = place / ".venv/bin"
    return found


def crashing(kernels: Sequence[str], pythons: Mapping[str, Path]) -> set[Pair]:
    """Where OpenBLAS cannot be made to use a kernel: it crashes (docs/upstream.md)."""
    found = set()
    for (version, commands), kernel in itertools.product(pythons.items(), kernels):
        done = subprocess.run(
            [str(commands / "python"), "-c", "import numpy as n; a = n.ones((500, 500)); a @ a"],
            env=os.environ | {"OPENBLAS_CORETYPE": kernel},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode == CRASHES:
            print(f"{kernel} by {version}  left out: its NumPy's OpenBLAS crashes", flush=True)
            found.add(frozenset([("kernel", kernel), ("python", version)]))
    return found


def copy_project(folder: Path) -> None:
    """The project, with its results, as a repository of its own."""
    shutil.copytree(".", folder, ignore=shutil.ignore_patterns(".venv", ".git", "cache", "tmp"))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def environment(setting: Setting, folder: Path, commands: Path) -> dict[str, str]:
    """The variables of a setting."""
    home = folder / setting["matplotlibrc"]
    return {name: value for name, value in os.environ.items() if not name.startswith("LC_")} | {
        "PATH": str(commands) + os.pathsep + os.environ["PATH"],
        "OPENBLAS_CORETYPE": setting["kernel"],
        "OPENBLAS_NUM_THREADS": setting["threads"],
        "LOKY_MAX_CPU_COUNT": setting["jobs"],
        "PYTHONHASHSEED": setting["hash seed"],
        "PYTHONOPTIMIZE": setting["optimize"],
        "LOCPATH": str(folder / "locales"),
        "LC_ALL": setting["locale"],
        "LANG": setting["locale"],
        "TZ": setting["time zone"],
        "HOME": str(home),
        "MPLCONFIGDIR": str(home),
    }


def differences(
    setting: Setting, folder: Path, commands: Path, computing: Sequence[str]
) -> list[str]:
    """The files that differ from the work tree's after these stages ran under this setting."""
    copy = folder / setting["folder"]
    call = {
        "cwd": copy,
        "env": environment(setting, folder, commands),
        "umask": int(setting["umask"], 8),
        "capture_output": True,
        "text": True,
    }
    probe = subprocess.run([str(commands / "python"), "-c", USED], check=True, **call)
    used = probe.stdout.strip()
    kernel = setting["kernel"]
    if used not in (f"{{'{k}'}} {setting['locale']}" for k in (kernel, SAME.get(kernel))):
        sys.exit(f"canonical_bytes: asked for {kernel} and {setting['locale']}, got {used}")
    command = ["dvc", "repro", "--quiet", "--force", "--single-item", *computing]
    done = subprocess.run(command, check=False, **call)
    if done.returncode != 0:
        return [f"dvc failed: {' '.join(done.stderr.split())[-300:]}"]
    files = [
        path.relative_to(copy)
        for entry in COMPARED
        for path in [copy / entry, *(copy / entry).rglob("*")]
        if path.is_file()
    ]
    return [str(file) for file in files if (copy / file).read_bytes() != file.read_bytes()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="canonical_bytes", description=__doc__.splitlines()[0])
    parser.add_argument("--combinations", type=int, default=60)
    parser.add_argument("--few", action="store_true", help=f"{FEW} by this Python, for CI")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    able = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    for kernel in (name for name, needs in KERNELS.items() if needs not in able):
        print(f"{kernel}  left out: this processor has no {KERNELS[kernel]}", flush=True)
    graph = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    computing = list(graph)[list(graph).index("gridsearch") :]  # those before it only rearrange
    for out in (out for name in computing for out in graph[name].get("outs", [])):
        file = next(iter(out)) if isinstance(out, dict) else out
        if not Path(file).exists():
            parser.exit(2, f"{file}: not there; run `make repro` first\n")
    differing = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in FOLDERS:
            copy_project(folder / name)
        for name, text in (("none", None), ("a user's", MATPLOTLIBRC)):
            (folder / name).mkdir()
            if text:
                (folder / name / "matplotlibrc").write_text(text, encoding="utf-8")
        (folder / "locales").mkdir()
        pythons = {platform.python_version(): Path(sys.executable).parent}
        if not options.few:
            pythons = make_pythons(folder)
        factors = {
            "kernel": [name for name, needs in KERNELS.items() if needs in able],
            "threads": ["1", "2"],
            "jobs": ["1", "2"],
            "hash seed": ["0", "42", "4294967295"],
            "locale": make_locales(folder / "locales"),
            "time zone": ["UTC", "Asia/Tokyo", "America/St_Johns"],
            "folder": list(FOLDERS),
            "python": list(pythons),
            "matplotlibrc": ["none", "a user's"],
            "optimize": ["", "2"],
            "umask": ["022", "077"],
        }
        impossible = crashing(factors["kernel"], pythons)
        if options.few:
            settings = [setting for setting in few(factors) if not pairs(setting) & impossible]
        else:
            rng = random.Random(options.seed)
            settings, left = design(factors, options.combinations, rng, impossible)
            if left:
                print(f"{left} pairs of values occur in none: more combinations are needed")
        print("  ".join(factors), flush=True)
        for setting in settings:
            name = "  ".join(value or "-" for value in setting.values())
            changed = differences(setting, folder, pythons[setting["python"]], computing)
            differing += bool(changed)
            print(f"{name}  {'differs: ' + ', '.join(changed) if changed else 'same'}", flush=True)
    if differing:
        sys.exit(f"canonical_bytes: {differing} of {len(settings)} settings gave other bytes")
    print(f"{len(settings)} combinations, the same bytes")


if __name__ == "__main__":
    main()
