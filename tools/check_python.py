"""Can this Python hold the lock? `PYTHON tools/check_python.py` says in one line why not.

Exit status: 0 if it can, 2 if not. Every Python parses this file, those before 3 too.
"""

import platform
import sys
import sysconfig

LOWEST, HIGHEST = (3, 11), (3, 13)
ALLOWED = "Python 3.11 to 3.13, 64 bit (make repro PYTHON=/path/to/python3.12)"


def refusal():
    """Why this Python cannot hold the lock; None if it can."""
    version = "Python {0}.{1}".format(*sys.version_info)
    if sys.version_info[:2] < LOWEST:
        return version
    if sys.version_info[:2] > HIGHEST:
        return version + ", for which h5py and tensorflow have no wheels yet"
    if platform.python_implementation() != "CPython":
        return platform.python_implementation() + ", for which there are no wheels"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return version + " without the GIL, for which there are no wheels"
    if sys.maxsize < 2**32:
        return version + " of 32 bit"
    if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        return version + " on musl, for which h5py and tensorflow have no wheels"
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return version + " on macOS x86-64, for which cryptography and tensorflow have no wheels"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        name = "python{0}.{1}-venv".format(*sys.version_info)
        return version + " without venv; on Debian and Ubuntu: apt-get install " + name
    return None


if __name__ == "__main__":
    why = refusal()
    if why:
        sys.stderr.write("make: {0} is {1}; allowed: {2}\n".format(sys.executable, why, ALLOWED))
        sys.exit(2)
