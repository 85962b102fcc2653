"""Reads joblib files without pickle: nothing that a file names is imported, built or called.

A pickle is a program. To allow it some names alone is not enough: numpy.ndarray and numpy.dtype
open all memory. Here its operations are read one by one, those alone that the pipeline's files
have. What comes of them is ours: Python's plain values, arrays out of their bytes, a LinearSVC out
of its attributes. Work and memory are bounded. A compressed file is refused, since the pipeline
writes none.
"""

import math
import pickle
from enum import Enum
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from pickletools import genops
from typing import Any

import numpy as np

from pipeline.artifacts import read_bytes

MOST_BYTES = 64 << 20  # of a file, and of its arrays together; ours have some 10,000
MOST_STEPS = 100_000  # operations, then values; ours have some 1,000 (1,000 C, 100 folds: 20,000)
MOST_DEPTH = 8  # of lists, tuples and dicts within each other; ours are 4 deep

# What a file may do, by what comes of it.
CONSTANTS = {
    pickle.NONE: None,
    pickle.NEWTRUE: True,
    pickle.NEWFALSE: False,
    pickle.EMPTY_TUPLE: (),
}
VALUES = {
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.BINFLOAT),
    *(pickle.SHORT_BINUNICODE, pickle.SHORT_BINBYTES, pickle.BINBYTES),
}
TUPLES = {pickle.TUPLE1: 1, pickle.TUPLE2: 2, pickle.TUPLE3: 3}
OTHERS = {
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK),
    *(pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.TUPLE, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS),
    *(pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.STACK_GLOBAL, pickle.NEWOBJ, pickle.REDUCE, pickle.BUILD),
}
OPERATIONS = CONSTANTS.keys() | VALUES | TUPLES.keys() | OTHERS

DTYPES = {"f8": np.dtype("<f8"), "i8": np.dtype("<i8"), "i4": np.dtype("<i4")}
LITTLE_ENDIAN = (3, "<", None, None, None, -1, -1, 0)  # a dtype's state
ALIGNMENT = 16  # bytes; joblib's, of arrays in the file
WRAPPED = ["subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"]
FITTED = {"coef_", "intercept_", "classes_", "n_features_in_", "n_iter_"}


class _Name(Enum):
    """What the pipeline's files name. No name is ever looked up: it becomes no object."""

    WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"  # before each array's bytes
    ARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    MASKED = "numpy.ma.MaskedArray"  # scikit-learn's param_C
    REBUILT = "numpy.ma.core._mareconstruct"
    MODEL = "sklearn.svm._classes.LinearSVC"


class _StandIn:
    """Holds what a file gives to the thing that it names."""

    def __init__(self, name: _Name, given: Any = None) -> None:
        self.name, self.given = name, given


def unpickle(path: Path) -> Any:
    """The object in a joblib file.

    Raises
    ------
    pickle.UnpicklingError
        It is not as the pipeline writes it. Damaged bytes raise almost anything.
    """
    found = _Reader(read_bytes(path, MOST_BYTES)).read()
    if type(found) is _StandIn and found.name is _Name.MODEL:
        return _model(found.given)
    _check_plain(found)
    return found


class _Reader:
    """Pickle's machine: a stack, what lies below its marks, and what is kept for later."""

    def __init__(self, data: bytes) -> None:
        self.data, self.stream = data, BytesIO(data)
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.kept: list[Any] = []
        self.room = MOST_BYTES

    def read(self) -> Any:
        if not self.data.startswith(pickle.PROTO + b"\x04"):
            raise UnpicklingError("not of pickle's protocol 4, uncompressed")
        # genops reads one operation at a time: the bytes of an array, which follow its BUILD in the
        # file, are read from the same stream in between (_array).
        operations = genops(self.stream)
        for _ in range(MOST_STEPS):
            at = self.stream.tell()
            code = self.data[at : at + 1]
            if not code:
                raise UnpicklingError("ends before its end")
            if code not in OPERATIONS:
                raise UnpicklingError(f"does {code!r}, which the pipeline never writes")
            _, argument, _ = next(operations)
            if code == pickle.STOP:
                break
            self._do(code, argument)
        else:
            raise UnpicklingError(f"over {MOST_STEPS} operations")
        if len(self.stack) != 1 or self.below or self.stream.read(1):
            raise UnpicklingError("more than one object")
        return self.stack[0]

    def _do(self, code: bytes, argument: Any) -> None:
        push, pop = self.stack.append, self.stack.pop
        if code in CONSTANTS:
            push(CONSTANTS[code])
        elif code in VALUES:
            push(argument)
        elif code in TUPLES:
            push(tuple([pop() for _ in range(TUPLES[code])][::-1]))
        elif code == pickle.MEMOIZE:
            self.kept.append(self.stack[-1])
        elif code in (pickle.BINGET, pickle.LONG_BINGET):
            push(self.kept[argument])
        elif code == pickle.MARK:
            self.below.append(self.stack)
            self.stack = []
        elif code == pickle.TUPLE:
            values = self._marked()
            self.stack.append(tuple(values))
        elif code == pickle.EMPTY_LIST:
            push([])
        elif code == pickle.APPEND:
            self._extend([pop()])
        elif code == pickle.APPENDS:
            self._extend(self._marked())
        elif code == pickle.EMPTY_DICT:
            push({})
        elif code == pickle.SETITEM:
            value, key = pop(), pop()
            self._update([key, value])
        elif code == pickle.SETITEMS:
            self._update(self._marked())
        elif code == pickle.STACK_GLOBAL:
            name, module = pop(), pop()
            push(_named(module, name))
        elif code == pickle.NEWOBJ:
            arguments, name = pop(), pop()
            if not (_same(arguments, ()) and (name is _Name.WRAPPER or name is _Name.MODEL)):
                raise UnpicklingError("makes an object that the pipeline never writes")
            push(_StandIn(name))
        elif code == pickle.REDUCE:
            arguments, name = pop(), pop()
            push(_called(name, arguments))
        elif code == pickle.BUILD:
            state = pop()
            push(self._built(pop(), state))

    def _marked(self) -> list[Any]:
        """What lies above the last mark, which goes."""
        values, self.stack = self.stack, self.below.pop()
        return values

    def _extend(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise UnpicklingError("appends to what is no list")
        self.stack[-1].extend(values)

    def _update(self, values: list[Any]) -> None:
        keys = values[::2]
        if type(self.stack[-1]) is not dict or not all(type(key) is str for key in keys):
            raise UnpicklingError("sets an item that is not a dict's, by a text")
        self.stack[-1].update(zip(keys, values[1::2], strict=True))

    def _built(self, of: Any, state: Any) -> Any:
        """A stand-in that holds its state; of an array's, the array."""
        if type(of) is not _StandIn:
            raise UnpicklingError("gives a state to what has none")
        if of.name is _Name.DTYPE and type(of.given) is str and _same(state, LITTLE_ENDIAN):
            return self._keep(of, DTYPES[of.given])
        if of.name is _Name.MODEL and of.given is None and type(state) is dict:
            return self._keep(of, state)
        if of.name is _Name.WRAPPER and type(state) is dict and list(state) == WRAPPED:
            return self._array(*state.values())
        if of.name is _Name.MASKED and type(state) is tuple and len(state) == 7:
            return self._masked_array(*state)
        raise UnpicklingError(f"gives {of.name.value} a state that the pipeline never writes")

    @staticmethod
    def _keep(of: _StandIn, given: Any) -> _StandIn:
        of.given = given
        return of

    def _array(
        self, subclass: Any, shape: Any, order: Any, dtype: Any, mmap: Any, alignment: Any
    ) -> np.ndarray:
        """An array whose bytes come next in the file."""
        if not _same((subclass, order, mmap, alignment), (_Name.ARRAY, "C", True, ALIGNMENT)):
            raise UnpicklingError("has an array that the pipeline never writes")
        padding = ALIGNMENT - (self.stream.tell() + 1) % ALIGNMENT
        if self.stream.read(1 + padding) != bytes([padding]) + b"\xff" * padding:
            raise UnpicklingError("has an array that is not aligned")
        size = self._size(shape, dtype)
        return self._from_bytes(shape, dtype, self.stream.read(size))

    def _masked_array(
        self, version: Any, shape: Any, dtype: Any, fortran: Any, data: Any, mask: Any, fill: Any
    ) -> np.ma.MaskedArray[Any, Any]:
        """A masked array in which nothing is masked."""
        array = self._from_bytes(shape, dtype, data)
        if not (
            _same((version, fortran, fill), (1, False, None))
            and type(mask) is bytes
            and mask == bytes(array.size)
        ):
            raise UnpicklingError("has a masked array that the pipeline never writes")
        return np.ma.masked_array(array, mask=np.zeros(array.shape, dtype=bool))

    def _size(self, shape: Any, dtype: Any) -> int:
        """An array's bytes, once they are known to fit in what is left for arrays."""
        if not (type(dtype) is _StandIn and isinstance(dtype.given, np.dtype)):
            raise UnpicklingError("has an array without a dtype")
        if not (
            type(shape) is tuple
            and 1 <= len(shape) <= 2
            and all(type(n) is int and 0 < n <= MOST_BYTES for n in shape)
        ):
            raise UnpicklingError("has an array without a shape")
        size = math.prod(shape) * dtype.given.itemsize
        if size > self.room:
            raise UnpicklingError(f"has arrays of over {MOST_BYTES >> 20} MiB")
        return size

    def _from_bytes(self, shape: Any, dtype: Any, data: Any) -> np.ndarray:
        size = self._size(shape, dtype)
        if type(data) is not bytes or len(data) != size:
            raise UnpicklingError(f"has an array without its {size} bytes")
        self.room -= size
        return np.frombuffer(data, dtype.given).reshape(shape).copy()


def _same(value: Any, wanted: Any) -> bool:
    """Whether a value is the one that is wanted, types included: True is not 1."""
    if type(value) is not type(wanted):
        return False
    if type(wanted) is tuple:
        return len(value) == len(wanted) and all(map(_same, value, wanted))
    return bool(value == wanted)


def _named(module: Any, name: Any) -> _Name:
    if not (type(module) is str and type(name) is str):
        raise UnpicklingError("asks for what is no name")
    asked = f"{module}.{name}"
    try:
        return _Name(asked)
    except ValueError:
        shown = ascii(asked)[1:-1][:100]
        raise UnpicklingError(f"asks for {shown}, which the pipeline never writes") from None


def _called(name: Any, arguments: Any) -> _StandIn:
    """A stand-in for what the call of a name would give."""
    if name is _Name.DTYPE and type(arguments) is tuple and len(arguments) == 3:
        kind = arguments[0]
        if type(kind) is str and kind in DTYPES and _same(arguments[1:], (False, True)):
            return _StandIn(name, kind)
    if name is _Name.REBUILT and _same(arguments, (_Name.MASKED, _Name.ARRAY, (0,), "b")):
        return _StandIn(_Name.MASKED)
    raise UnpicklingError("calls what the pipeline never calls")


def _check_plain(found: Any) -> None:
    """Refuse all but numbers, texts, arrays, and lists, tuples and dicts of them."""
    pending = [(found, 0)]
    for _ in range(MOST_STEPS):
        if not pending:
            return
        value, depth = pending.pop()
        if depth > MOST_DEPTH:
            raise UnpicklingError(f"values within values, over {MOST_DEPTH} deep")
        if type(value) is dict:
            value = list(value.values())
        if type(value) in (list, tuple):
            pending += [(inner, depth + 1) for inner in value]
        elif value is not None and type(value) not in (
            *(bool, int, float, str),
            *(np.ndarray, np.ma.MaskedArray),
        ):
            raise UnpicklingError("has a value that the pipeline never writes")
    raise UnpicklingError(f"over {MOST_STEPS} values")


def _model(state: Any) -> Any:
    """A LinearSVC with these attributes, whichever scikit-learn wrote them."""
    from sklearn.svm import LinearSVC  # late: the search's results do without

    attributes = dict(state or {})
    _check_plain(attributes)
    attributes.pop("_sklearn_version", None)  # its numbers mean the same in each
    model = LinearSVC()
    others = sorted(attributes.keys() - model.get_params().keys() - FITTED)
    if others:
        shown = ascii(others[0])[:100]
        raise UnpicklingError(f"has a LinearSVC with {shown}, which the pipeline never writes")
    vars(model).clear()  # what is missing is missed, not taken from LinearSVC's defaults
    vars(model).update(attributes)
    return model
