"""The only reader of params.yaml: its schema, and one line for each mistake.

`python -m stages.params` checks the file and prints nothing if it is right.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from stages.errors import PipelineError, run

FILE = Path("params.yaml")


class ParamsError(PipelineError):
    """params.yaml cannot be read, or a value in it is not allowed."""


def _distinct(values: list) -> list:
    if len(set(values)) != len(values):
        raise ValueError("repeats a value")
    return values


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
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Tolerance = Annotated[float, Field(gt=0, lt=1, description="a number, 0 < tol < 1")]
Iterations = Annotated[int, Field(ge=1, le=10**9, description="an integer, 1 to 10**9")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="an integer, 0 to 2**32 - 1")]
Source = Literal["keras", "pypi", "npm"]
Solver = Annotated[Literal["newton", "liblinear"], Field(description="newton or liblinear")]
Scoring = Literal[
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "matthews_corrcoef",
    "precision",
    "recall",
    "roc_auc",
]


Pictures = Annotated[int, Field(ge=1, le=60, description="an integer, 1 to 60 pictures")]


class Section(BaseModel):
    """The params of one stage: no key beside these, no silent conversion of types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Download(Section):
    sources: Annotated[list[Source], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="a list of one or more of keras, pypi, npm, each once"
    )
    timeout: Seconds


class Filter58(Section):
    classes: Annotated[
        list[Annotated[int, Field(ge=0, le=9)]],
        Field(min_length=2, max_length=2),
        AfterValidator(_distinct),
    ] = Field(description="a list of two different digits, 0 to 9")


class GridSearch(Section):
    C: Annotated[list[Positive], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="a list of one or more different finite numbers > 0"
    )
    cv: Annotated[int, Field(ge=2, le=100, description="an integer, 2 to 100 folds")]
    scoring: Scoring = Field(description="one of " + ", ".join(Scoring.__args__))
    solver: Solver
    tol: Tolerance
    max_iter: Iterations
    random_state: Seed


class Train(Section):
    C: Positive | None = Field(description="null (the search's best) or a finite number > 0")
    solver: Solver
    tol: Tolerance
    max_iter: Iterations
    random_state: Seed


class Evaluate(Section):
    mistakes: Pictures
    uncertain: Pictures


class Interpret(Section):
    border: Annotated[int, Field(ge=1, le=13, description="an integer, 1 to 13 pixels")]
    path: Annotated[int, Field(ge=12, le=200, description="an integer, 12 to 200 values of C")]
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


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, which DVC reads and writes: `1e-05` is a number, `no` a text."""

    yaml_implicit_resolvers: ClassVar[dict] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """A mapping; PyYAML alone would keep the last of two equal keys in silence."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value!r} stands twice",
                    problem_mark=key.start_mark,
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


_NUMBER = "-+.0123456789"
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", _NUMBER),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", _NUMBER),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", _NUMBER),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, ""]
    )
# PyYAML's own would read 010 as the octal 8, as YAML 1.1 did.
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def load_params(file: Path = FILE) -> Params:
    """Read and check the whole of `file`.

    Raises
    ------
    ParamsError
        With one line: the key, what was got, what is allowed.
    """
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise ParamsError(
            f"{file}: cannot be read ({error.strerror}); allowed: a YAML file"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise ParamsError(f"{file}{place}: not YAML: {problem}; allowed: a YAML mapping") from error
    if not isinstance(values, dict):
        got = _show(values)
        raise ParamsError(f"{file}: got {got}; allowed: {_keys(Params)}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        # An unknown key first: beside "missing", it is the misspelling of it.
        problems = sorted(
            error.errors(),
            key=lambda p: p["type"] not in ("extra_forbidden", "invalid_key"),
        )
        lines = [_line(values, problem) for problem in problems]
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        raise ParamsError(f"{file}: {lines[0]}{more}") from error


def _line(values: dict, problem: dict[str, Any]) -> str:
    """`gridsearch.cv: got 1; allowed: an integer, 2 to 100 folds`."""
    key, model, allowed, got = "", Params, "", values
    for part in problem["loc"]:
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
    try:
        shown = json.dumps(value, default=str)
    except ValueError:  # an alias within itself
        shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


if __name__ == "__main__":
    run(load_params)
