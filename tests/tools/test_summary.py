"""The last lines of `make repro`."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.artifacts import ArtifactError
from tools.summary import summary


def test_it_says_what_the_metrics_say(root: Path) -> None:
    lines = summary(root / "metrics").splitlines()
    evaluated = json.loads((root / "metrics/evaluate.json").read_text())
    assert lines[3].startswith(f"test accuracy   {evaluated['test']['accuracy']}  (95 %: ")
    assert [line.split("  ")[0] for line in lines] == [
        *("best C", "trained with C", "train accuracy", "test accuracy", "weights")
    ]


@pytest.mark.parametrize("text", ["{}", "[]", "3", "null", '{"test": {"accuracy": "high"}}', "{"])
def test_another_ones_metrics_get_their_line(root: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(root / "metrics", tmp_path / "metrics")
    (tmp_path / "metrics/evaluate.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"metrics/evaluate\.json: damaged \(\w+Error: "):
        summary(tmp_path / "metrics")
