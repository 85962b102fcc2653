"""npz, joblib, JSON and YAML files of an attacker's, for the stages that read them.

What others joblib files hold, operation by operation: tests/pipeline/hostile.py.
"""

import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import pairwise

import joblib
import numpy as np
from sklearn.svm import LinearSVC

from pipeline.artifacts import MOST_UNPACKED
from tests.pipeline.hostile import MA, ND, REBUILD, SVC, Raw, array, code, dtype, op, search, svc

Arrays = Mapping[str, np.ndarray]
Edit = Callable[[bytes], bytes]

# ---- npz


def npy(value: object) -> bytes:
    data = BytesIO()
    np.lib.format.write_array(data, np.asanyarray(value), allow_pickle=True)
    return data.getvalue()


def headed(
    text: str | bytes, data: bytes = b"", version: int = 1, size: int | None = None
) -> bytes:
    text = text.encode("latin1") if isinstance(text, str) else text
    length = struct.pack("<H" if version == 1 else "<I", len(text) if size is None else size)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def described(
    descr: str = "'<f8'", shape: str = "(60, 784)", order: str = "False", more: str = ""
) -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {more}}}\n"


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED, **first: bytes) -> bytes:
    """An archive; `first` is of a name that comes once more."""
    data = BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(data, "w", method) as archive:
        for name, member in [*((f"{name}.npy", m) for name, m in first.items()), *members.items()]:
            archive.writestr(name, member)
    return data.getvalue()


def whole(arrays: Arrays, **changes: object) -> dict[str, bytes]:
    members = {f"{name}.npy": npy(value) for name, value in arrays.items()}
    for name, value in changes.items():
        members[f"{name}.npy"] = value if isinstance(value, bytes) else npy(value)
    return members


def patched(record: bytes, at: int, value: bytes) -> Edit:
    """Other bytes in each record of a kind, of an archive's."""

    def edit(data: bytes) -> bytes:
        head, *records = data.split(record)
        return record.join(
            [head, *(r[: at - 4] + value + r[at - 4 + len(value) :] for r in records)]
        )

    return edit


ENTRY, END = b"PK\x01\x02", b"PK\x05\x06"


def bomb(arrays: Arrays) -> bytes:
    """1 MiB or so that stands for more than is taken."""
    rows = MOST_UNPACKED // 784 // 8 + 1
    member = headed(described(shape=f"({rows}, 784)"), bytes(MOST_UNPACKED))
    return zipped(whole(arrays, X_train=member), zipfile.ZIP_DEFLATED)


# X_train.npy, whole
MEMBERS = {
    "nothing": b"",
    "a text": b"\x1b[31mhello\r\n",
    "a pickle": b"\x80\x04cos\nmkdir\n(X\x04\0\0\0marktR.",
    "the magic alone": b"\x93NUMPY",
    "a header of 4 GiB": headed("x", version=2, size=2**32 - 1),
    "a header of 65,000 spaces": headed("{" + " " * 65_000 + "}"),
    "a version of 9": headed("{}", version=9),
    "no UTF-8": headed(b"\xff\xfe", version=3),
    "a deep header": headed("(" * 5000),
    "5,000 signs before a number": headed("{'descr': " + "-" * 5000 + "1}"),
    "a header that ends in a NUL": headed("{'descr': '<f8'\0}"),
    "a list for a header": headed("[1]"),
    "keys of two types": headed("{1: 2, 'a': 3}"),
    "a product of texts": headed("{'descr': 'f8' * 1000000000}"),
    **{
        f"{key} {value[:30]}": headed(described(**{key: value}), bytes(60 * 784 * 8))
        for key, values in {
            "shape": [
                *("(-60, -784)", "(-1,)", f"({2**70},)", "(2147483648, 2147483648)", "[60, 784]"),
                *("60", "(60.0, 784)", f"({'1, ' * 100})", "(60j,)", "...", "(9**9**9,)"),
                *("__import__('os').mkdir('mark')", "((60, 784),)", "(47040,)", "()"),
            ],
            "descr": [
                *("'|V8'", "'|S8'", "'<U2'", "'<M8[s]'", "'<m8[s]'", "'|O'", "'<f4'", "'<i8'"),
                *("'|S0'", "'|V2147483647'", "'<U536870911'", "'<f8,<f8'", "'<c8'", "'|b1'"),
                *("[(('t', 'n'), '<f8')]", "('<f8', (1048576, 1048576))", "None", "8", "b'<f8'"),
                *("{'names': ['a'], 'formats': ['O'], 'offsets': [0]}", "'\\ud800'", "'a\\n\\x1b'"),
                str([(f"f{n}", "u1") for n in range(600)]),
                "[" * 150 + "('a', '<f8')" + "]" * 150,
            ],
            "order": ["2", "'x'"],
            "more": ["'other': 1"],
        }.items()
        for value in values
    },
    "V0, 2^62 of them": headed(described("'|V0'", f"({2**62},)")),
    "fewer bytes than it says": headed(described(), bytes(1000)),
}


def labelled(arrays: Arrays, dtype: str, *classes: int) -> Arrays:
    parts = {f"y_{p}": np.where(arrays[f"s_{p}"] > 0, *classes[::-1]) for p in ("train", "test")}
    changed = {**parts, "classes": np.array(classes, dtype=dtype)}
    return {**arrays, **{name: value.astype(dtype) for name, value in changed.items()}}


# Of preprocessed.npz' arrays
ARCHIVES: dict[str, Callable[[Arrays], bytes]] = {
    **{name: lambda a, m=m: zipped(whole(a, X_train=m)) for name, m in MEMBERS.items()},
    "a bomb": bomb,
    "NaN": lambda a: zipped(whole(a, X_train=np.full((60, 784), np.nan))),
    "0-d": lambda a: zipped(whole(a, X_train=1.0)),
    "Python objects": lambda a: zipped(whole(a, X_train=np.array([[1.0]], dtype=object))),
    "signs that are truths": lambda a: zipped(whole(a, s_train=a["s_train"] > 0)),
    "labels of 2^64 - 1": lambda a: zipped(whole(labelled(a, "u8", 2**64 - 1, 5))),
    "labels of 2^63": lambda a: zipped(whole(labelled(a, "u8", 2**63, 5))),
    "labels that are floats": lambda a: zipped(whole(a, classes=np.array([8.0, 5.0]))),
    "no array twice": lambda a: zipped({**whole(a, X_train=b"x")}, X_train=npy(a["X_train"])),
    "an escape code in a name": lambda a: zipped(
        {f"\x1b[31m\n{n}": m for n, m in whole(a).items()}
    ),
    "names of other folders": lambda a: zipped({f"../{n}": m for n, m in whole(a).items()}),
    "names that end in a slash": lambda a: zipped({f"{n}/": b"" for n in whole(a)}),
    "no archive but an array": lambda a: npy(a["X_train"]),
    "zeros": lambda a: bytes(10_000),
    "an archive's end alone": lambda a: END + bytes(18),
    **{
        name: lambda a, edit=edit: edit(zipped(whole(a)))
        for name, edit in {
            "encrypted": patched(ENTRY, 8, b"\1\0"),
            "another checksum": patched(ENTRY, 16, b"abcd"),
            "an unknown method": patched(ENTRY, 10, b"\x63\0"),
            "a size of 0": patched(ENTRY, 20, bytes(8)),
            "an offset beyond the end": patched(ENTRY, 42, b"\xff\xff\xff\x7f"),
            "a version of 25.5": patched(ENTRY, 6, b"\xff\0"),
            "patches": patched(ENTRY, 8, b"\x20\0"),
            "a folder beyond the end": patched(END, 12, b"\xff" * 8),
            "half of it": lambda data: data[: len(data) // 2],
        }.items()
    },
}


def by_zip64(arrays: Arrays) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, member in whole(arrays).items():
            with archive.open(name, "w", force_zip64=True) as opened:
                opened.write(member)
    return data.getvalue()


def again(version: int, **how: str) -> Callable[[Arrays], bytes]:
    """X_train under another header."""
    return lambda a: zipped(
        whole(a, X_train=headed(described(**how), a["X_train"].tobytes(), version))
    )


# These give what the right one does.
HARMLESS_ARCHIVES: dict[str, Callable[[Arrays], bytes]] = {
    "big-endian": lambda a: zipped(
        whole({n: v.astype(v.dtype.newbyteorder(">")) for n, v in a.items()})
    ),
    "by columns": lambda a: zipped(whole(a, X_train=np.asfortranarray(a["X_train"]))),
    "-0.0": lambda a: zipped(whole(a, X_train=np.where(a["X_train"] == 0, -0.0, a["X_train"]))),
    "version 2": again(2),
    "version 3": again(3),
    "of Python 2": again(1, shape="(60L, 784L)"),
    "more after an array": lambda a: zipped(whole(a, X_train=npy(a["X_train"]) + bytes(9))),
    "more members": lambda a: zipped(
        whole(a) | {"../../x.npy": b"x", "/\x1b[31m": b"", "X_train": b"x"}
    ),
    "an array twice": lambda a: zipped(whole(a), X_train=b"x"),
    "compressed": lambda a: zipped(whole(a), zipfile.ZIP_DEFLATED),
    "zip64": by_zip64,
    "a program before it": lambda a: b"#!/bin/sh\nmkdir mark\n" + zipped(whole(a)),
    "a comment": lambda a: zipped(whole(a))[:-2] + b"\5\0\x1b[31m",
    "a size of no field": lambda a: patched(ENTRY, 24, b"\xff" * 4)(zipped(whole(a))),
    "no date": lambda a: patched(ENTRY, 12, bytes(4))(zipped(whole(a))),
}

# ---- joblib


def dumped(value: object) -> bytes:
    data = BytesIO()
    joblib.dump(value, data, protocol=4)
    return data.getvalue()


def model(**changes: object) -> bytes:
    """A model of 784 pixels; an attribute that is None has gone."""
    made = LinearSVC(penalty="l1", dual=False, C=0.5)
    made.coef_, made.intercept_ = np.full((1, 784), 0.01), np.array([-0.6])
    made.classes_, made.n_features_in_, made.n_iter_ = np.array([8, 5]), 784, 3
    for name, value in changes.items():
        setattr(made, name, value)
        if value is None:
            delattr(made, name)
    return dumped(made)


def pickled(operations: bytes) -> bytes:
    return b"\x80\x04" + operations + b"."


W = np.full((1, 784), 0.01)
MODELS = {
    **{
        f"weights of {w:g}": model(coef_=np.full((1, 784), w)) for w in (1e16, 1e100, 1e308, -1e308)
    },
    "a bias of 1e308": model(intercept_=np.array([1e308])),
    "a bias of 0 axes": model(intercept_=np.array(0.5)),
    "a bias that is a number": model(intercept_=0.5),
    **{
        f"weights as {kind}": model(coef_=W.astype(kind))
        for kind in (">f8", "f4", "i8", "?", "U3", "S3", "c16", "M8[s]", "V8", "O")
    },
    "weights with names": model(coef_=W.view([("a", "f8")])),
    "weights that are masked": model(coef_=np.ma.masked_array(W, mask=W > 0)),
    "weights by columns": model(coef_=np.asfortranarray(np.zeros((2, 784)))),
    "weights in a list": model(coef_=W.tolist()),
    **{f"C of {C!r}"[:20]: model(C=C) for C in (1e308, 1e-308, 1e7, 5e-324, -0.0, True, 1, 2**64)},
    "no C": model(C=None),
    "classes the other way round": model(classes_=np.array([5, 8])),
    "classes as truths": model(classes_=np.array([True, False])),
    "more classes": model(classes_=np.array([8, 5, 5])),
    "an escape code for a number": model(n_features_in_="\x1b[31m\r\n"),
    "a truth for a number": model(n_features_in_=True),
    "a number of 2,000 bits": model(n_features_in_=2**2000),
    "no number for the iterations": model(n_iter_=np.nan),
    "a tolerance without end": model(tol=np.inf),
    "weights of classes": model(class_weight={"5": 1}),
    "a class for an attribute": pickled(svc(__class__="x")),
    "an escape code for an attribute": pickled(svc(**{"\x1b[31m\n": 1})),
    "no name for an attribute": pickled(svc(**{"": 1})),
    "half a character for an attribute": pickled(svc(C=Raw(b"\x8c\x03\xed\xa0\x80"))),
    "a list for attributes": pickled(op(b"b", op(b"\x81", SVC, ()), [1])),
    "itself for an attribute": pickled(
        op(b"b", op(b"\x81", SVC, ()), Raw(b"}\x94(" + code("C") + b"h\0u"))
    ),
}
SEARCHES = {
    **{
        f"C of {C!r}"[:20]: dumped({"best_params_": {"C": C}})
        for C in (1e308, 1e-308, 1e7, 1e-10, True, 1, 2**64, 2**2030, "0.5\x1b[31m", (0.5,), None)
    },
    "C of a million letters": dumped({"best_params_": {"C": "x" * 10**6}}),
    "C in an array": dumped({"best_params_": {"C": np.array([0.5])}}),
    "C that is NumPy's": dumped({"best_params_": {"C": np.float64(0.5)}}),
    "C that is a class": pickled(search(SVC)),
    "C of 255 bytes": pickled(search(Raw(b"\x8a\xff" + b"\x7f" * 255))),
    "a model": model(),
    "an array": pickled(array()),
    "a name": pickled(ND),
    "a dtype": pickled(dtype()),
    "an array without its bytes": pickled(search(op(b"R", REBUILD, (MA, ND, (0,), "b")))),
    "90,000 values": dumped({"best_params_": {"C": 0.5}, "x": [None] * 10**5}),
    "90,000 marks": pickled(b"(" * 90_000),
    "half a character for a key": pickled(b"}\x8c\x03\xed\xa0\x80Ns"),
    "a list in itself, appended": pickled(b"]\x94h\0a"),
    "a mark before": b"\xef\xbb\xbf" + pickled(search(0.5)),
    "what 2^64 bytes are": pickled(b"\x8e" + b"\xff" * 8),
    **{
        f"operation {operations[-1:]!r}": pickled(operations)
        for operations in (
            *(b"X\4\0\0\0markQ", b"\x82\x01", b"(ios\nmkdir\n", b"(cos\nmkdir\no", b"N2\x86"),
            *(b"NN0", b"(N1N", b"Nq\0", b"F1e999\n", b"I01\n", b"V\\ud800\n", b"S'a'\n", b"(N\x91"),
            *(
                b"\x8f",
                b"j\xff\xff\xff\xff",
                b"\x8b\xff\xff\xff\x7f",
                b"\x8d" + b"\xff" * 8,
                b"Pa\n",
            ),
        )
    },
}

# ---- JSON and YAML

ABOUT = {"title": "A", "credit": "B", "height": 28, "width": 28, "ink_side": None}
ABOUT |= {"names": {"8": "eight", "5": "five"}}


def about(**changes: object) -> bytes:
    return json.dumps(ABOUT | changes).encode()


def named(name: str) -> bytes:
    return about(names={"8": name, "5": "five"})


ABOUTS = {
    "a byte order mark": b"\xef\xbb\xbf" + about(),
    "UTF-16": about().decode().encode("utf-16"),
    "UTF-32": about().decode().encode("utf-32"),
    "Latin": about().replace(b'"A"', b'"\xe9"'),
    "half a character": about().replace(b'"A"', b'"\xed\xa0\x80"'),
    "a character too long": about().replace(b'"A"', b'"\xc0\xaf"'),
    "a lone surrogate": about(title="\ud800"),
    "a line end in a text": about().replace(b'"A"', b'"a\nb\x1b"'),
    "an escape code": b"\x1b[31m\r\n",
    "more than one": about() + about(),
    "a comment": b"// x\n" + about(),
    "a comma too many": about()[:-1] + b",}",
    "a NUL": about() + b"\0",
    "half of it": about()[:40],
    "deep": b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "1,000,000 numbers": b"[" + b"1," * 10**6 + b"1]",
    "10,000,000 spaces": about() + b" " * 10**7,
    "a title of 10,000,000": about(title="x" * 10**7),
    **{
        f"ink_side {value!r}"[:20]: about().replace(b"null", value)
        for value in (b"NaN", b"1e999", b"0", b"-1", b"20.0", b'"20"', b"true", b"9" * 5000, b"020")
    },
    "a height of 2^64": about(height=2**64),
    "a height below 0": about(height=-28, width=-28),
    "a key twice": b'{"height": 28, ' + about()[1:].replace(b'"height": 28', b'"height": -1'),
    "an escape code for a key": about(**{"\x1b[31m\n": 1}),
    "no names": about(names={}),
    "a list of names": about(names=["a"] * 10),
    **{
        f"a name of {name!r}"[:20]: named(name)
        for name in ("", "x" * 10_000, "a\0", "\x1b[31m", "a\r\nb", "\u2028", "\ue000", "\u202eabc")
    },
    **{
        f"a name for {label!r}": about(names={label: "eight", "5": "five"})
        for label in ("\x1b[31m", "0x8", "8.5", "", "\u0668", "eight", "true")
    },
}
HARMLESS_ABOUTS = {
    "a key twice": about()[:-1] + b', "height": 28}',
    "a key in escapes": about().replace(b'"height"', b'"\\u0068eight"'),
    "a label like a float": about(names={"8.0": "eight", "5": "five"}),
    "spaces": b"\r\n\t " + about() + b"\n",
}

EVALUATE = '{"train": {"accuracy": 0.9}, "test": {"accuracy": 0.9, "accuracy_95": {"low": 0.8}}}'
METRICS = {
    **{
        f"low {value!r}"[:20]: EVALUATE.replace("0.8", value).encode()
        for value in (
            *("NaN", "-Infinity", "1e999", "true", "null", "[1]", "{}", '"0.9\\u001b[31m"'),
            *('"\\ud800"', "1" * 400, "1" * 5000),
        )
    },
    "a byte order mark": b"\xef\xbb\xbf" + EVALUATE.encode(),
    "UTF-16": EVALUATE.encode("utf-16"),
    "900 deep": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a list": b"[]",
    "a text": b'"test"',
    "10 MB": b'{"a":"' + b"x" * 10**7 + b'"}',
    "a list within": b'{"test":[1],"train":"x"}',
    "an escape code": b"\x1b[31m\r\n",
}

CV = {  # of gridsearch, in YAML
    *('!!python/object/apply:os.mkdir ["mark"]', "!!python/name:os.system", '!!int "x"'),
    *('!!bool "x"', "!!set {5}", "!!omap [a: 1]", "!!binary aGVsbG8=", "!x 5", "2001-99-99"),
    *("1:5", "!!binary \u00e9", "9" * 5000, "*x", "&x [*x]", '"\\e[31m\\n"', '"\\ud800"'),
    *(
        "5\n  <<: {max_iterx: 6}",
        "5\n  <<: 3",
        "5\n  cv: 6",
        "5\n  ? [a, b]\n  : 5",
        "5\n  .nan: 5",
    ),
    *('5\n  "\\e[31m\\n": 5', "\x1b[31m", "5\0", "5\n  2001-01-01: 5", "5\n\ta: 1", "yes", "5.0"),
}


def doubled(item: str) -> bytes:
    """Each key stands for nine times the one before."""
    keys = "abcdefghijklm"
    lines = [f"{k}: &{k} {item % ','.join([f'*{b}'] * 9)}\n" for b, k in pairwise(keys)]
    return ("a: &a {x: 1}\n" + "".join(lines)).encode()


YAMLS = {
    "UTF-16 in part": "a: 1".encode("utf-16") + b"b: 1",
    "Latin": b"# \xe9\n",
    "dashes": b"- " * 30_000,
    "questions": b"? " * 30_000,
    "500 brackets": b"a: " + b"[" * 500 + b"]" * 500,
    "500 braces": b"a: " + b"{a: " * 500 + b"}" * 500,
    "a key of 60,000": b"x" * 60_000 + b": 1",
    "merged keys": doubled("{<<: [%s]}"),
    "aliases": doubled("[%s]"),
    "a merge in itself": b"gridsearch: &a\n  <<: *a",
    "no end of a text": b'a: "' + b"x\n" * 20_000,
    "a key 6,000 times": b"k: 1\n" * 6000,
    "4,000 keys": b"".join(b"k%d: 1\n" % n for n in range(4000)),
    "a number of 60,000": b"a: " + b"1" * 60_000 + b"e",
    "two texts": b"a: 1\n---\nb: 1\n",
    "a version of 9.9": b"%YAML 9.9\n---\na: 1\n",
    "a text": b"hello",
    "nothing": b"",
}
