"""dvc.yaml as the tests read it, the only list of stages and plots; and who imports what."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
assert set(DOCUMENT) == {"stages"}  # no top-level plots: beside the stages' own
STAGES: dict[str, dict[str, Any]] = DOCUMENT["stages"]


def entries(stage: str, *kinds: str) -> dict[str, dict[str, Any]]:
    """Path and options of each entry of these kinds (deps, outs, metrics, plots) of a stage."""
    listed = [entry for kind in kinds for entry in STAGES[stage].get(kind, [])]
    return {
        path: options
        for entry in listed
        for path, options in (entry if isinstance(entry, dict) else {entry: {}}).items()
    }


def plots(ending: str) -> list[str]:
    """The names of the plots with this ending, sorted."""
    found = [Path(path) for name in STAGES for path in entries(name, "plots")]
    return sorted(path.name for path in found if path.suffix == ending)


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def names(file: Path) -> set[str]:
    """The dotted names of all that `file` imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = file.parent.relative_to(ROOT).as_posix().replace("/", ".")
            module = ".".join(filter(None, [inside if node.level else "", node.module]))
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found
