"""dvc.yaml as the tests read it: the only list of stages, plots and pictures."""

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
