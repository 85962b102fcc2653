"""The few BLAS and LAPACK routines that the inner loop lives on, called where they are.

NumPy has no symmetric update in place, and SciPy's wrappers hold Python's lock while they work,
so that threads would wait for each other. Here the routines are called through the pointers that
SciPy publishes for Cython (``scipy.linalg.cython_blas``); ctypes lets go of the lock meanwhile.
Where a build of SciPy has other integers than C's ``int`` (ILP64), its wrappers do the work.

Matrices are float64 and C-contiguous. A symmetric matrix is its lower triangle: what stands
above the diagonal is neither read nor written. Fortran sees every array transposed, hence "U".
"""

import ctypes
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import blas, cython_blas, cython_lapack, lapack

ONE, ZERO = ctypes.c_double(1.0), ctypes.c_double(0.0)
STRIDE = ctypes.c_int(1)
UPPER, LEFT, PLAIN, TRANSPOSED = (ctypes.c_char(letter) for letter in (b"U", b"L", b"N", b"T"))
KINDS = {"c": "char *", "i": "int *", "d": "double *"}


def add_gram(G: np.ndarray, B: np.ndarray, sign: float) -> None:
    """G += sign·BᵀB, for B of shape (k, q) and the lower triangle of G of shape (q, q)."""
    B = np.ascontiguousarray(B)
    if B.size:  # BLAS complains of empty matrices
        _routines.syrk(sign, B, G)


def symmetric_dot(G: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Gv, G by its lower triangle."""
    if not len(v):
        return np.empty(0)
    return _routines.symv(G, np.ascontiguousarray(v))


def cholesky(H: np.ndarray) -> bool:
    """Overwrite H = LLᵀ, by its lower triangle, with L; False if H is not positive definite."""
    return _routines.potrf(H) == 0


def half_solve(L: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """L⁻¹c for each row c of ``rhs``, of shape (k,) or (m, k), in a new array."""
    return _solve(L, rhs, transposed=True)


def back_solve(L: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """L⁻ᵀc, likewise."""
    return _solve(L, rhs, transposed=False)


def _solve(L, rhs, transposed):
    out = np.array(rhs, dtype=np.float64, order="C")
    if out.ndim == 1:
        _routines.trsv(L, out, transposed)
    elif len(out):
        _routines.trsm(L, out, transposed)
    return out


class Pointers:
    """The routines through SciPy's pointers.

    Parameters
    ----------
    blas, lapack : module
        ``scipy.linalg.cython_blas`` and ``cython_lapack``.

    Raises
    ------
    LookupError
        Where a routine has other arguments than BLAS with C's ``int`` has, or is not there.
    """

    def __init__(self, blas: Any, lapack: Any) -> None:
        self.dsyrk = _routine(blas, "dsyrk", "cciiddiddi")
        self.dsymv = _routine(blas, "dsymv", "ciddididdi")
        self.dtrsm = _routine(blas, "dtrsm", "cccciiddidi")
        self.dtrsv = _routine(blas, "dtrsv", "cccididi")
        self.dpotrf = _routine(lapack, "dpotrf", "cidii")

    def syrk(self, sign, B, G):
        k, q = map(ctypes.c_int, B.shape)
        self.dsyrk(UPPER, PLAIN, q, k, ctypes.c_double(sign), B, q, ONE, G, q)

    def symv(self, G, v):
        q, out = ctypes.c_int(len(v)), np.empty(len(v))
        self.dsymv(UPPER, q, ONE, G, q, v, STRIDE, ZERO, out, STRIDE)
        return out

    def potrf(self, H):
        q, info = ctypes.c_int(len(H)), ctypes.c_int()
        self.dpotrf(UPPER, q, H, q, info)
        return info.value

    def trsv(self, L, out, transposed):
        q = ctypes.c_int(len(L))
        self.dtrsv(UPPER, TRANSPOSED if transposed else PLAIN, PLAIN, q, L, q, out, STRIDE)

    def trsm(self, L, out, transposed):
        q, rows = ctypes.c_int(len(L)), ctypes.c_int(len(out))
        op = TRANSPOSED if transposed else PLAIN
        self.dtrsm(LEFT, UPPER, op, PLAIN, q, rows, ONE, L, q, out, q)


class Wrappers:
    """The same routines through SciPy's own wrappers. A transpose is Fortran's: taken in place."""

    def syrk(self, sign, B, G):
        blas.dsyrk(sign, B.T, beta=1.0, c=G.T, overwrite_c=True)

    def symv(self, G, v):
        return blas.dsymv(1.0, G.T, v)

    def potrf(self, H):
        return lapack.dpotrf(H.T, clean=False, overwrite_a=True)[1]

    def trsv(self, L, out, transposed):
        blas.dtrsv(L.T, out, trans=transposed, overwrite_x=True)

    def trsm(self, L, out, transposed):
        blas.dtrsm(1.0, L.T, out.T, trans_a=transposed, overwrite_b=True)


def routines(blas: Any = cython_blas, lapack: Any = cython_lapack) -> Pointers | Wrappers:
    """The routines by the pointers of these modules if they are what is expected, or without."""
    try:
        return Pointers(blas, lapack)
    except LookupError:
        return Wrappers()


def _routine(module, name: str, kinds: str) -> Callable[..., None]:
    """The routine behind a pointer; ``kinds``: c, i or d for each char *, int * or double *."""
    capsule = module.__pyx_capi__[name]
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    signature = get_name(capsule)
    found = re.sub(r"\b__pyx_t_\w+_d\b", "double", signature.decode())  # Cython's name of it
    if found != f"void ({', '.join(KINDS[kind] for kind in kinds)})":
        raise LookupError(f"{name} is {found}")
    address = get_pointer(capsule, signature)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(kinds))(address)

    def call(*arguments):
        function(*map(_address, arguments))

    return call


def _address(argument):
    """Where an array or a ctypes number lies; ``array.ctypes.data`` takes three times as long."""
    if isinstance(argument, np.ndarray):
        argument = ctypes.c_char.from_buffer(argument)  # type: ignore[arg-type]
    return ctypes.addressof(argument)


_routines = routines()
