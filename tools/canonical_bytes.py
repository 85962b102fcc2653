"""The same bytes whatever the BLAS kernel, the threads and the jobs.

    python -m tools.canonical_bytes [--few]

Runs the stages that compute, in a copy of the project, under each setting, and compares dvc.lock,
metrics/ and plots/ with those of the work tree. Exit status 1 if a byte differs.
"""

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
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
ALL = list(itertools.product(KERNELS, (1, 2), (1, 2)))
FEW = [("Nehalem", 1, 1), ("Haswell", 2, 2), ("SkylakeX", 2, 1)]
COMPARED = ["dvc.lock", "metrics", "plots"]
ARCHITECTURES = (
    "import numpy, scipy.linalg, threadpoolctl;"
    "print({blas['architecture'] for blas in threadpoolctl.threadpool_info()})"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", action="store_true", help=f"{len(FEW)} settings, not {len(ALL)}")
    settings = FEW if parser.parse_args().few else ALL
    able = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    graph = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    computing = list(graph)[list(graph).index("gridsearch") :]  # those before it only rearrange
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".venv", ".git", "cache", "tmp"))
        subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
        for kernel, threads, jobs in settings:
            name = f"{kernel:<11} threads {threads}  jobs {jobs}"
            if KERNELS[kernel] not in able:
                print(f"{name}  left out: this processor has no {KERNELS[kernel]}", flush=True)
                continue
            changed = differences(copy, kernel, threads, jobs, computing)
            differing += bool(changed)
            print(f"{name}  {'differs: ' + ', '.join(changed) if changed else 'same'}", flush=True)
    if differing:
        sys.exit(f"canonical_bytes: {differing} of {len(settings)} settings gave other bytes")


def differences(
    copy: Path, kernel: str, threads: int, jobs: int, computing: list[str]
) -> list[str]:
    """The files that differ from the work tree's after these stages ran under this setting."""
    environment = os.environ | {
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "OPENBLAS_CORETYPE": kernel,
        "OPENBLAS_NUM_THREADS": str(threads),
        "LOKY_MAX_CPU_COUNT": str(jobs),
    }
    call = {"cwd": copy, "env": environment, "check": True, "stdout": subprocess.PIPE, "text": True}
    used = subprocess.run([sys.executable, "-c", ARCHITECTURES], **call).stdout.strip()
    if used not in (f"{{'{kernel}'}}", f"{{'{SAME.get(kernel)}'}}"):
        sys.exit(f"canonical_bytes: asked OpenBLAS for the kernel {kernel}, got {used}")
    subprocess.run(["dvc", "repro", "--quiet", "--force", "--single-item", *computing], **call)
    files = [
        path.relative_to(copy)
        for entry in COMPARED
        for path in [copy / entry, *(copy / entry).rglob("*")]
        if path.is_file()
    ]
    return [str(file) for file in files if (copy / file).read_bytes() != file.read_bytes()]


if __name__ == "__main__":
    main()
