"""A project of two revisions for reports: what git keeps of this one, with nothing computed."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.report import comparison
from tools.report.limits import judge, load_limits
from tools.report.reproduction import Reproduction
from tools.report.revision import base_revision, head_revision

KEPT = ["dvc.lock", "params.yaml", "gate.yaml", "docs/metrics.md", "metrics", "plots"]


class Kept:
    """The folder, and what may be done in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *command: str) -> str:
        return subprocess.run(
            ["git", *command], cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    def commit(self, message: str = "a change") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def another(self, *results: str) -> None:
        """Other MD5s in dvc.lock."""
        text = (self.folder / "dvc.lock").read_text()
        for path in results:
            md5 = re.search(rf"path: {path}\n +hash: md5\n +md5: (\w+)", text)[1]
            self.replace("dvc.lock", md5, md5[::-1])

    def metric(self, name: str, value: Any) -> None:
        """Another value of a metric, named as in reports."""
        stem, *keys = name.split(".")
        path = self.folder / f"metrics/{stem}.json"
        found = json.loads(path.read_text())
        inner = found
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        path.write_text(json.dumps(found))

    def answers(self, newly_wrong: int, newly_right: int) -> None:
        """As many answers on the other side of score 0, and the accuracy that they make."""
        path = self.folder / "plots/scores.csv"
        with path.open() as file:
            rows = list(csv.DictReader(file))
        left = {True: newly_wrong, False: newly_right}
        right = 0
        for row in rows:
            is_right = (float(row["f"]) > 0) == (row["actual"] == row["positive"])
            if left[is_right]:
                left[is_right] -= 1
                row["f"] = str(-float(row["f"]))
                is_right = not is_right
            right += is_right
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        self.metric("evaluate.test.accuracy", right / len(rows))

    def compared(self, base: str = "base") -> comparison.Comparison:
        return comparison.compare(base_revision(base), head_revision())

    def judged(self) -> dict[str, str]:
        """The gate's word for each limit."""
        return {line.limit: line.word for line in judge(load_limits(), self.compared())}


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The present revision, committed and tagged `base`."""
    folder = tmp_path_factory.mktemp("start")
    for name in KEPT:
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, place, ignore=shutil.ignore_patterns("explorer.html"))
        else:
            shutil.copy(root / name, place)
    project = Kept(folder)
    project.git("init", "-q", "--initial-branch=trunk")
    project.commit("start")
    project.git("tag", "base")
    return folder


@pytest.fixture
def kept(start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A copy of it; what dvc would say of the results is: all right."""
    folder = tmp_path / "project"
    shutil.copytree(start, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(comparison, "reproduction", lambda: Reproduction(True, "so it is"))
    monkeypatch.delenv("GATE_WAIVE", raising=False)
    return Kept(folder)
