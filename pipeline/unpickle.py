"""Reads joblib files, but for what could run code: only the classes that this pipeline writes.

A pickle names what to import and call. Here those names are compared with a list, before anything
is imported; arrays' bytes are data. A compressed file is none of the pipeline's: it writes none.
"""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from joblib.numpy_pickle import NumpyUnpickler

ALLOWED = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),  # before each array's bytes
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.ma", "MaskedArray"),  # scikit-learn's param_C
    ("numpy.ma.core", "_mareconstruct"),
    ("sklearn.svm._classes", "LinearSVC"),
}


class _Unpickler(NumpyUnpickler):  # type: ignore[misc]  # joblib has no types
    """joblib's, for which nothing but ALLOWED exists; of its arrays of objects, too."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise UnpicklingError(f"asks for {module}.{name}, which the pipeline never writes")
        return super().find_class(module, name)


def unpickle(path: Path) -> Any:
    """The object in a joblib file.

    Raises
    ------
    pickle.UnpicklingError
        It asks for a class or function that is not in ALLOWED. Damaged bytes raise almost anything.
    """
    with path.open("rb") as file:
        return _Unpickler(str(path), file, ensure_native_byte_order=True).load()
