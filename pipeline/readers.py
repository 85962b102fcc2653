"""The readers of YAML and JSON, within bounds: anyone may have written the text."""

import json
import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from pipeline.errors import PipelineError

LONGEST = 65_536  # bytes; a thousand values of C take 25,000
MOST_BRACKETS = {"YAML": 500, "JSON": 100}  # JSON holds metrics, a few levels of them
MOST_VALUES = 10_000  # aliases written out


class TextError(PipelineError):
    """A text is no YAML or no JSON, or beyond the bounds."""


def parse_yaml(data: bytes, name: str) -> Any:
    """What DVC's own reader makes of a file: one truth about what is a number and what a text.

    `name` begins the message of the TextError.
    """
    text = _text(data, name, "YAML")
    try:
        with warnings.catch_warnings(action="ignore"):  # of an anchor that is used anew
            if "*" in text and _size(YAML(typ="safe").compose(text), {}) > MOST_VALUES:
                raise ValueError(f"aliases stand for more than {MOST_VALUES} values")
            return YAML(typ="safe").load(text)
    except Exception as error:  # tags such as !!bool "x" make the reader raise almost anything
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        place = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
        raise TextError(f"{name}{place}: not YAML: {problem}; allowed: a YAML mapping") from error


def parse_json(data: bytes, name: str) -> Any:
    """What a JSON file holds. `name` begins the message of the TextError."""
    text = _text(data, name, "JSON")
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise TextError(f"{name}: not JSON: {error}; allowed: a JSON mapping") from error


def _no_number(name: str) -> None:
    """Python's reader takes NaN and Infinity, which JSON has not."""
    raise ValueError(f"{name} is no number")


def _text(data: bytes, name: str, kind: str) -> str:
    """The text of a file that is within the bounds.

    The time of the YAML reader grows with the square of the length.
    """
    brackets, most = data.count(b"[") + data.count(b"{"), MOST_BRACKETS[kind]
    if len(data) > LONGEST or brackets > most:
        got = f"over {LONGEST} bytes" if len(data) > LONGEST else f"{brackets} brackets"
        allowed = f"{LONGEST} bytes, {most} opening brackets at most"
        raise TextError(f"{name}: got {got}; allowed: {allowed}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TextError(f"{name}: not {kind}: {error}; allowed: a {kind} mapping") from error


def _size(node: Node | None, known: dict[int, int]) -> int:
    """How many values a node of YAML stands for, were its aliases written out.

    On a repeated key, the reader itself prints the values with their aliases written out.
    """
    if id(node) not in known:
        known[id(node)] = 1  # an alias within itself
        items = node.value if isinstance(node, SequenceNode | MappingNode) else []
        children = (c for item in items for c in (item if isinstance(item, tuple) else [item]))
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
