"""The loop of who works with the pipeline: seconds, and CPU seconds, from a change to its pictures.

    python -m benchmarks.loop [--rounds 5] [--against REVISION] [--plain]

In copies of this checkout's HEAD, and of REVISION if one is given, in turn; medians, and ratios of
the pairs. Each copy has its own cache, filled by one run before anything is timed. "nothing" is a
`dvc repro` with nothing to do, "C" one after train.C changed to a value that was never there, "all"
every stage but download.
"""

import argparse
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def environment():
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def seconds(folder, *command):
    """Of the clock, and of all cores together."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return np.array([time.perf_counter() - began, cpu])


def copy_of(revision, folder):
    """A clone at `revision`, everything computed; the images come from this checkout's cache."""
    for command in (
        ["git", "clone", "-q", str(ROOT), str(folder)],
        ["git", "-C", str(folder), "checkout", "-q", revision],
    ):
        subprocess.run(command, check=True)
    (folder / "data/raw").mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "data/raw").glob("*.*"):
        shutil.copy2(file, folder / "data/raw")
    shutil.copytree(ROOT / ".dvc/cache", folder / ".dvc/cache")
    seconds(folder, "dvc", "repro")
    return folder


def with_C(folder, C):
    """Write train.C into params.yaml."""
    file = folder / "params.yaml"
    text, changes = re.subn(r"(?m)(^train:\n  C:)[^#\n]*", rf"\1 {C} ", file.read_text())
    assert changes == 1
    file.write_text(text)


def one_round(folder, number):
    found = {"nothing": seconds(folder, "dvc", "repro")}
    before = (folder / "params.yaml").read_text()
    with_C(folder, round(0.1 + number / 1000, 4))
    found["C"] = seconds(folder, "dvc", "repro")
    (folder / "params.yaml").write_text(before)
    seconds(folder, "dvc", "repro")
    rest = ["filter_5_8", "preprocess", "gridsearch", "train", "evaluate", "interpret"]
    found["all"] = seconds(folder, "dvc", "repro", "--force", "--single-item", *rest)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", metavar="REVISION")
    parser.add_argument("--plain", action="store_true", help="time the article's script as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        copies = {"HEAD": copy_of("HEAD", Path(temporary, "head"))}
        if options.against:
            copies[options.against] = copy_of(options.against, Path(temporary, "against"))
        runs = {name: [] for name in copies}
        plain = []
        for number in range(options.rounds):
            for name, folder in copies.items():
                runs[name].append(one_round(folder, number))
                print(name, runs[name][-1], file=sys.stderr)
            if options.plain:
                plain.append(seconds(ROOT, sys.executable, "-m", "benchmarks.plain"))
    print(f"{processor()}, {os.cpu_count()} cores, medians of {options.rounds}")
    for key in runs["HEAD"][0]:
        for kind, name in enumerate(("clock", "CPU")):
            ours = [run[key][kind] for run in runs["HEAD"]]
            line = f"{key:10}{name:6}{median(ours):8.1f} s"
            if options.against:
                theirs = [run[key][kind] for run in runs[options.against]]
                ratio = median(new / old for old, new in zip(theirs, ours, strict=True))
                line += f"{median(theirs):8.1f} s {options.against}, {ratio:.2f} of it"
            print(line)
    if plain:
        clock, cpu = np.median(plain, axis=0)
        print(f"plain     {clock:8.1f} s, CPU {cpu:.1f} s: the article's script by scikit-learn")


def processor():
    file = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", file.read_text()) if file.exists() else []
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
