"""What params.yaml may hold: for each key what is refused, and what is just allowed."""

import re

C_LIST = "a list of 1 to 1000 different numbers, 1e-9 to 1e6"
C_OR_NULL = "null (as train.choose says) or a number, 1e-9 to 1e6"
CLASSES = "a list of two different labels of the data set"
SOURCES = "a list of one or more of keras, pypi, debian, each once"
RANGE = "null or a list of two ascending numbers, 1e-9 to 1e6"
SECONDS = "a number of seconds, 0 < s <= 3600"
PICTURES = "an integer, 1 to 60 pictures"

# By key: what the message says is allowed, what is refused, what is just allowed. Of a value
# within a list the message shows that value.
RULES = {
    "download.dataset": ("mnist, ", ['"cifar"'], []),
    "download.sources": (SOURCES, ["[]", ('["ftp"]', '[0]: got "ftp"'), '["pypi", "pypi"]'], []),
    "download.timeout": (SECONDS, ["0", "3601"], ["3600"]),
    "filter_5_8.classes": (CLASSES, ["[5]", "[5, 5]", ("[5, no]", '[1]: got "no"')], ["[0, 9]"]),
    "gridsearch.C": (
        C_LIST,
        [
            *("[]", "0.1", "[0.1, 0.1]", ("[9e-10]", "[0]: got 9e-10")),
            *(("[1.1e+6]", "[0]: got 1100000.0"), ("[.nan]", "[0]: got NaN")),
            ('["1e-05"]', '[0]: got "1e-05"'),
        ],
        ["[1e-9, 1e6]"],
    ),
    "gridsearch.range": (
        RANGE,
        ["[0.4]", "0.4", "[0.5, 0.4]", "[0.4, 0.4]", ("[0, 1]", "[0]: got 0")],
        ["null"],
    ),
    "gridsearch.cv": ("an integer, 2 to 100 folds", ["1", "101", "5.0", '"5"'], ["2", "100"]),
    "gridsearch.scoring": ("one of accuracy, ", ['"acuracy"'], ['"roc_auc"']),
    "gridsearch.solver": ("newton or ", ['"newtown"'], ['"liblinear"']),
    "gridsearch.tol": ("a number, 1e-16 <= tol < 1", ["0", "1"], ["0.999"]),
    "gridsearch.max_iter": ("an integer, 1 to 10**9", ["0", "1000000001"], ["1", "1000000000"]),
    "gridsearch.random_state": (
        "an integer, 0 to 2**32 - 1",
        ["-1", "4294967296"],
        ["4294967295"],
    ),
    "train.C": (C_OR_NULL, ["0", "[0.1]", (".inf", ": got Infinity")], ["3", "null"]),
    "train.choose": ("grid or exact or sparsest", ['"best"', "null"], ['"sparsest"']),
    "evaluate.mistakes": (PICTURES, ["0", "61"], ["1", "60"]),
    "interpret.border": ("an integer from 1 to less than half a side", ["0"], ["1", "13"]),
    "gridsearch.path": ("an integer, 12 to 200 values of C", ["11", "201"], ["12", "200"]),
    "gridsearch.follow_path": ("true or false", ["1"], ["false"]),
    "interpret.bootstraps": ("an integer, 1 to 10000", ["0", "10001"], ["1", "10000"]),
}
WRONG = [
    (key, *(value if isinstance(value, tuple) else (value, f": got {value}")), allowed)
    for key, (allowed, refused, _) in RULES.items()
    for value in refused
]
RIGHT = [(key, value) for key, (*_, ends) in RULES.items() for value in ends]


def changed(text: str, key: str, value: str) -> str:
    """A params.yaml with another value of one key."""
    section, name = key.split(".")
    line = re.compile(rf"(?m)(^{section}:\n(?:  .*\n)*?  {name}:).*")
    assert line.search(text)
    return line.sub(lambda found: f"{found[1]} {value}", text, count=1)
