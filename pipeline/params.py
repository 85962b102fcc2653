"""The only reader of params.yaml: its schema, and one line for each mistake.

`python -m pipeline.params` checks the file and prints nothing if it is right.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from pipeline.about import Name
from pipeline.datasets import DATASETS, SOURCES
from pipeline.errors import PipelineError, listed, run
from pipeline.readers import LONGEST, parse_yaml
from pipeline.solvers import SOLVERS

FILE = Path("params.yaml")


class ParamsError(PipelineError):
    """params.yaml is not there, or a value in it is not allowed."""


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise ValueError("repeats a value")
    return values


def _ascending(values: list[float]) -> list[float]:
    if not values[0] < values[1]:
        raise ValueError("does not ascend")
    return values


def _among(names: Iterable[str]) -> Callable[[str], str]:
    """A check that a text is one of these names."""

    def check(name: str) -> str:
        if name not in names:
            raise ValueError("is no such name")
        return name

    return check


# `description` says what is allowed: it is the last part of the error message.
Seconds = Annotated[
    float,
    Field(
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds, 0 < s <= 3600",
    ),
]
Text = Annotated[str, Field(min_length=1)]
Regularisation = Annotated[
    float, Field(ge=1e-9, le=1e6)
]  # beyond: no weight at all, or all that fit
Tolerance = Annotated[float, Field(ge=1e-16, lt=1, description="a number, 1e-16 <= tol < 1")]
Iterations = Annotated[int, Field(ge=1, le=10**9, description="an integer, 1 to 10**9")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="an integer, 0 to 2**32 - 1")]
Solver = Annotated[str, AfterValidator(_among(SOLVERS)), Field(description=" or ".join(SOLVERS))]
SCORINGS = (  # scikit-learn's names
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "matthews_corrcoef",
    "precision",
    "recall",
    "roc_auc",
)
CHOICES = ("grid", "exact", "sparsest")  # of the C that the search found
Pictures = Annotated[int, Field(ge=1, le=60, description="an integer, 1 to 60 pictures")]


class Section(BaseModel):
    """The params of one stage: no key beside these, no silent conversion of types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Kind = TypeVar("Kind", bound=Section)


class Download(Section):
    dataset: Annotated[
        str,
        AfterValidator(_among([*DATASETS, "file"])),
        Field(description=", ".join(DATASETS) + " or file"),
    ]
    file: Text | None = Field(description="the path of an npz (null unless the dataset is file)")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        description="the file's SHA-256, 64 hex digits in lower case (null unless it is file)"
    )
    class_names: Annotated[list[Name], Field(min_length=2), AfterValidator(_distinct)] | None = (
        Field(
            description="null or a list of different texts, 1 to 24 characters that can be "
            "printed, one for each label"
        )
    )
    sources: Annotated[
        list[Annotated[str, AfterValidator(_among(SOURCES))]],
        Field(min_length=1),
        AfterValidator(_distinct),
    ] = Field(description=f"a list of one or more of {', '.join(SOURCES)}, each once")
    timeout: Seconds
    total: Seconds


class Filter58(Section):
    classes: Annotated[
        list[Annotated[int, Field(ge=-(2**63), lt=2**63)]],
        Field(min_length=2, max_length=2),
        AfterValidator(_distinct),
    ] = Field(description="a list of two different labels of the data set")


class GridSearch(Section):
    C: Annotated[
        list[Regularisation], Field(min_length=1, max_length=1000), AfterValidator(_distinct)
    ] = Field(description="a list of 1 to 1000 different numbers, 1e-9 to 1e6")
    range: (
        Annotated[
            list[Regularisation], Field(min_length=2, max_length=2), AfterValidator(_ascending)
        ]
        | None
    ) = Field(description="null or a list of two ascending numbers, 1e-9 to 1e6")
    path: Annotated[int, Field(ge=12, le=200, description="an integer, 12 to 200 values of C")]
    follow_path: bool = Field(description="true or false")
    cv: Annotated[int, Field(ge=2, le=100, description="an integer, 2 to 100 folds")]
    scoring: Annotated[str, AfterValidator(_among(SCORINGS))] = Field(
        description="one of " + ", ".join(SCORINGS)
    )
    solver: Solver
    tol: Tolerance
    max_iter: Iterations
    random_state: Seed


class Train(Section):
    C: Regularisation | None = Field(
        description="null (as train.choose says) or a number, 1e-9 to 1e6"
    )
    choose: Annotated[str, AfterValidator(_among(CHOICES)), Field(description=" or ".join(CHOICES))]
    solver: Solver
    tol: Tolerance
    max_iter: Iterations
    random_state: Seed


class Evaluate(Section):
    mistakes: Pictures
    uncertain: Pictures


class Interpret(Section):
    border: Annotated[int, Field(ge=1, description="an integer from 1 to less than half a side")]
    bootstraps: Annotated[int, Field(ge=1, le=10_000, description="an integer, 1 to 10000")]
    random_state: Seed


class Params(Section):
    """params.yaml, a section a stage."""

    download: Download
    filter_5_8: Filter58
    gridsearch: GridSearch
    train: Train
    evaluate: Evaluate
    interpret: Interpret


def load_params(file: Path = FILE) -> Params:
    """Read and check the whole of `file`.

    Raises
    ------
    ParamsError, TextError
        With one line: the key, what was got, what is allowed.
    """
    params = load_section(file, Params)
    wrong = _unfit(params)
    if wrong:
        raise ParamsError(f"{file}: {wrong}")
    return params


def load_section(file: Path, kind: type[Kind]) -> Kind:
    """Read a YAML file that holds the keys of `kind`; gate.yaml is another one.

    Raises
    ------
    ParamsError, TextError
        With one line: the key, what was got, what is allowed.
    """
    try:
        with file.open("rb") as opened:
            values = parse_yaml(opened.read(LONGEST + 1), str(file))
    except OSError as error:
        raise ParamsError(
            f"{file}: cannot be read ({error.strerror}); allowed: a YAML file"
        ) from error
    if not isinstance(values, dict):
        got = _show(values)
        raise ParamsError(f"{file}: got {got}; allowed: {_keys(kind)}")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        # An unknown key first: beside "missing", it is the misspelling of it.
        problems = sorted(
            error.errors(),
            key=lambda p: p["type"] not in ("extra_forbidden", "invalid_key"),
        )
        lines = [_line(values, problem, kind) for problem in problems]
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        raise ParamsError(f"{file}: {lines[0]}{more}") from error


def _unfit(params: Params) -> str | None:
    """What does not fit the data set, as far as that is known before there are data."""
    if params.train.choose == "exact" and params.train.C is None and not params.gridsearch.range:
        return 'train.choose: got "exact" with gridsearch.range null; allowed: grid or sparsest'
    download, classes = params.download, params.filter_5_8.classes
    if download.dataset == "file":
        for key in ("file", "sha256"):
            if getattr(download, key) is None:
                allowed = Download.model_fields[key].description
                return f"download.{key}: got null with dataset file; allowed: {allowed}"
        return None
    dataset = DATASETS[download.dataset]
    if not set(download.sources) & set(dataset.sources):
        allowed = f"with {download.dataset}, one or more of {', '.join(dataset.sources)}"
        return f"download.sources: got {_show(download.sources)}; allowed: {allowed}"
    labels = list(dataset.about.names)
    if not set(classes) <= set(labels):
        return f"filter_5_8.classes: got {classes}; allowed: two different of {listed(labels)}"
    return border_refusal(params.interpret.border, dataset.about.shape)


def border_refusal(border: int, shape: tuple[int, int]) -> str | None:
    """What is wrong with a border around images of this height and width, if anything is."""
    widest = (min(shape) - 1) // 2
    if border <= widest:
        return None
    size = "×".join(map(str, shape))
    allowed = f"an integer, 1 to {widest} pixels for images of {size}"
    return f"interpret.border: got {border}; allowed: {allowed}"


def _line(values: dict[Any, Any], problem: ErrorDetails, kind: type[Section]) -> str:
    """The line for one of pydantic's errors: `gridsearch.cv: got 1; allowed: an integer, 2 to …`.

    `loc` is the way from the file to the wrong value: section, field, place in a list. It is
    followed through the values and through their types; where a type is `X | None`, pydantic adds
    the name of its branch, which ends the way.
    """
    model: Any = kind  # then the annotation of a field
    allowed: str | None = ""
    key, got = "", values
    loc = problem["loc"]
    # of a mapping whose key is none, the mapping is named
    for part in loc[:-2] if loc[-1] == "[key]" else loc:
        if _is_section(model):
            key = f"{key}.{part}".lstrip(".")
            if part not in model.model_fields:
                return f"{key}: unknown key; allowed: {_keys(model)}"
            field = model.model_fields[part]
            model = field.annotation
            allowed = _keys(model) if _is_section(model) else field.description
            if part not in got:
                return f"{key}: missing; allowed: {allowed}"
        elif isinstance(part, int):
            key = f"{key}[{part}]"
        elif get_origin(model) is dict and part in got:
            key, model = f"{key}.{part}", None
        else:
            break  # the name of a branch of a union
        got = got[part]
    return f"{key}: got {_show(got)}; allowed: {allowed}"


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _keys(model: type[Section]) -> str:
    return "a mapping with the keys " + ", ".join(model.model_fields)


def _show(value: Any) -> str:
    """A value as YAML's flow style writes it; a text in quotes, so that '1' is not 1."""
    shown = ""
    try:
        for part in json.JSONEncoder(default=str).iterencode(value):
            shown += part
            if len(shown) > 80:  # aliases of aliases may stand for gigabytes
                return shown[:77] + "..."
    except (ValueError, TypeError):  # an alias within itself, a key that is a date or a list
        return shown + "..."
    return shown


if __name__ == "__main__":
    run(load_params)
