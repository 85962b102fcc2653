"""The few BLAS and LAPACK routines that the inner loop lives on, called where they are.

NumPy has no symmetric update in place, and SciPy's wrappers hold Python's lock while they work,
so that threads would wait for each other. Here the routines are called through the pointers that
SciPy publishes for Cython (``scipy.linalg.cython_blas``); ctypes lets go of the lock meanwhile.

Matrices are float64 and C-contiguous. A symmetric matrix is its lower triangle: what stands
above the diagonal is neither read nor written. Fortran sees every array transposed, hence "U".
"""

import ctypes
from collections.abc import Callable

import numpy as np
from scipy.linalg import cython_blas, cython_lapack

ONE, ZERO = ctypes.c_double(1.0), ctypes.c_double(0.0)
STRIDE = ctypes.c_int(1)
UPPER, LEFT, PLAIN, TRANSPOSED = (ctypes.c_char(letter) for letter in (b"U", b"L", b"N", b"T"))


def _address(argument):
    """Where an array or a ctypes number lies; ``array.ctypes.data`` takes three times as long."""
    if isinstance(argument, np.ndarray):
        argument = ctypes.c_char.from_buffer(argument)  # type: ignore[arg-type]
    return ctypes.addressof(argument)


def _routine(module, name: str, n_arguments: int) -> Callable[..., None]:
    capsule = module.__pyx_capi__[name]
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = get_pointer(capsule, get_name(capsule))
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)(address)

    def call(*arguments):
        function(*map(_address, arguments))

    return call


_dsyrk = _routine(cython_blas, "dsyrk", 10)
_dsymv = _routine(cython_blas, "dsymv", 10)
_dtrsm = _routine(cython_blas, "dtrsm", 11)
_dtrsv = _routine(cython_blas, "dtrsv", 8)
_dpotrf = _routine(cython_lapack, "dpotrf", 5)


def add_gram(G: np.ndarray, B: np.ndarray, sign: float) -> None:
    """G += sign·BᵀB, for B of shape (k, q) and the lower triangle of G of shape (q, q)."""
    B = np.ascontiguousarray(B)
    k, q = map(ctypes.c_int, B.shape)
    if B.size:  # BLAS complains of empty matrices
        _dsyrk(UPPER, PLAIN, q, k, ctypes.c_double(sign), B, q, ONE, G, q)


def symmetric_dot(G: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Gv, G by its lower triangle."""
    q, out = ctypes.c_int(len(v)), np.empty(len(v))
    if len(v):
        _dsymv(UPPER, q, ONE, G, q, np.ascontiguousarray(v), STRIDE, ZERO, out, STRIDE)
    return out


def cholesky(H: np.ndarray) -> bool:
    """Overwrite H = LLᵀ, by its lower triangle, with L; False if H is not positive definite."""
    q, info = ctypes.c_int(len(H)), ctypes.c_int()
    _dpotrf(UPPER, q, H, q, info)
    return info.value == 0


def half_solve(L: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """L⁻¹c for each row c of ``rhs``, of shape (k,) or (m, k), in a new array."""
    return _solve(L, rhs, TRANSPOSED)


def back_solve(L: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """L⁻ᵀc, likewise."""
    return _solve(L, rhs, PLAIN)


def _solve(L, rhs, transposed):
    out = np.array(rhs, dtype=np.float64, order="C")
    q = ctypes.c_int(len(L))
    if out.ndim == 1:
        _dtrsv(UPPER, transposed, PLAIN, q, L, q, out, STRIDE)
    elif len(out):
        rows = ctypes.c_int(len(out))
        _dtrsm(LEFT, UPPER, transposed, PLAIN, q, rows, ONE, L, q, out, q)
    return out
