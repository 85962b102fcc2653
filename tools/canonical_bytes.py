"""The same bytes whatever the processor, its threads, the user's settings and the place.

    python -m tools.canonical_bytes [--rows 5]

Runs the stages that compute, in copies of the project, under the first ROWS, and compares dvc.lock,
metrics/ and plots/ with those of the work tree. Each value of a setting occurs in the five rows;
the first differs in every one from the next three. Exit status 1 if a byte differs. What this
machine lacks (a kernel's instructions, a locale's sources) is left out, and said so, and so is a
kernel whose OpenBLAS crashes (docs/upstream.md).
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tools.programs import dvc

KERNELS = {  # OPENBLAS_CORETYPE, and what it needs of the processor
    "Nehalem": "sse4_2",
    "SkylakeX": "avx512f",
    "Haswell": "avx2",
    "Sandybridge": "avx",
    "Zen": "avx2",
}
SAME = {"Zen": "Haswell"}  # in OpenBLAS as NumPy's and SciPy's wheels carry it
PLAIN, FOREIGN = "project", "ein Ordner für Ziffern 数字"
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
SETTINGS = ("kernel", "threads", "jobs", "hash seed", "locale", "time zone", "folder")
SETTINGS += ("matplotlibrc", "optimize", "umask")
ROWS = [
    ("Nehalem", "1", "2", "0", "tr_TR.UTF-8", "America/St_Johns", FOREIGN, "a user's", "2", "077"),
    ("SkylakeX", "2", "1", "42", "C", "Asia/Tokyo", PLAIN, "none", "0", "022"),
    ("Haswell", "2", "1", "4294967295", "ja_JP.UTF-8", "UTC", PLAIN, "none", "0", "022"),
    ("Sandybridge", "2", "1", "42", "C", "UTC", PLAIN, "none", "0", "022"),
    ("Zen", "1", "1", "42", "ja_JP.UTF-8", "Asia/Tokyo", FOREIGN, "a user's", "0", "077"),
]
COMPARED = ["dvc.lock", "metrics", "plots"]
USED = (
    "import locale, numpy, scipy.linalg, threadpoolctl; a = numpy.ones((500, 500)); a @ a;"
    "print({blas['architecture'] for blas in threadpoolctl.threadpool_info()},"
    " locale.setlocale(locale.LC_ALL, '').split(';')[0])"
)


def copy_project(folder: Path) -> None:
    """The project, with its results, as a repository of its own."""
    shutil.copytree(".", folder, ignore=shutil.ignore_patterns(".venv", ".git", "cache", "tmp"))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def make_locale(name: str, place: Path) -> bool:
    """Compile a locale, where there are sources for it."""
    if name != "C":
        language, charset = name.split(".")
        command = ["localedef", "-i", language, "-f", charset, str(place / name)]
        # its exit status is 1 where it only warns
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return name == "C" or (place / name).exists()


def environment(setting: dict[str, str], place: Path) -> dict[str, str]:
    """The variables of a setting."""
    home = place / setting["matplotlibrc"]
    return {name: value for name, value in os.environ.items() if not name.startswith("LC_")} | {
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "OPENBLAS_CORETYPE": setting["kernel"],
        "OPENBLAS_NUM_THREADS": setting["threads"],
        "LOKY_MAX_CPU_COUNT": setting["jobs"],
        "PYTHONHASHSEED": setting["hash seed"],
        "PYTHONOPTIMIZE": setting["optimize"],
        "LOCPATH": str(place),
        "LC_ALL": setting["locale"],
        "LANG": setting["locale"],
        "TZ": setting["time zone"],
        "HOME": str(home),
        "MPLCONFIGDIR": str(home),
    }


def differences(setting: dict[str, str], place: Path, computing: list[str]) -> list[str] | None:
    """The files that differ from the work tree's after these stages ran under this setting; None
    where its kernel crashes."""
    copy = place / setting["folder"]
    call = {
        "cwd": copy,
        "env": environment(setting, place),
        "umask": int(setting["umask"], 8),
        "capture_output": True,
    }
    probe = subprocess.run([sys.executable, "-c", USED], text=True, check=False, **call)
    if probe.returncode == -signal.SIGSEGV:
        return None
    used, kernel, locale = probe.stdout.strip(), setting["kernel"], setting["locale"]
    if used not in (f"{{'{k}'}} {locale}" for k in (kernel, SAME.get(kernel))):
        sys.exit(f"canonical_bytes: asked for {kernel} and {locale}, got {used or probe.stderr}")
    done = dvc("repro", "--quiet", "--force", "--single-item", *computing, **call)
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
    parser.add_argument("--rows", type=int, default=len(ROWS))
    rows = parser.parse_args().rows
    able = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    graph = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    computing = list(graph)[list(graph).index("gridsearch") :]  # those before it only rearrange
    for out in (out for name in computing for out in graph[name].get("outs", [])):
        if not Path(out).exists():
            parser.exit(2, f"{out}: not there; run `make repro` first\n")
    ran = differing = 0
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for name in (PLAIN, FOREIGN):
            copy_project(place / name)
        for name, text in (("none", ""), ("a user's", MATPLOTLIBRC)):
            (place / name).mkdir()
            (place / name / "matplotlibrc").write_text(text, encoding="utf-8")
        for row in ROWS:
            setting = dict(zip(SETTINGS, row, strict=True))
            told = "  ".join(row)
            if KERNELS[setting["kernel"]] not in able or not make_locale(setting["locale"], place):
                print(f"{told}  left out: this machine lacks its kernel or locale", flush=True)
                continue
            changed = differences(setting, place, computing)
            if changed is None:
                print(f"{told}  left out: its OpenBLAS crashes", flush=True)
                continue
            print(f"{told}  {'differs: ' + ', '.join(changed) if changed else 'same'}", flush=True)
            ran, differing = ran + 1, differing + bool(changed)
            if ran == rows:
                break
    if differing or not ran:
        sys.exit(f"canonical_bytes: {differing} of {ran} settings gave other bytes")
    print(f"{ran} combinations, the same bytes")


if __name__ == "__main__":
    main()
