"""Each run is a process of its own, with one BLAS thread and compiled bytecode."""

import json
import os
import subprocess
import sys
import time


def run_apart(module, *arguments):
    """The JSON that ``python -m module arguments`` prints, and its wall-clock seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", module, *map(str, arguments)]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout), time.perf_counter() - began
