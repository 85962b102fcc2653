"""README and CONTRIBUTING say what is so: files, commands and figures."""

import csv
import json
import re
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"]
PAGES += [
    p.relative_to(ROOT).as_posix() for d in ("docs", "l1svc") for p in (ROOT / d).rglob("*.md")
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATTERN = re.compile(r"`((?:\.dvc|\.ci|[\w-]+)/[\w./-]*|[\w-]+\.(?:py|md|yaml|lock|txt|in|toml))`")


def metrics(stage: str) -> dict[str, Any]:
    return json.loads((ROOT / f"metrics/{stage}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    written = {
        path
        for stage in graph.values()
        for kind in ("outs", "metrics", "plots")
        for entry in stage.get(kind, [])
        for path in (entry if isinstance(entry, dict) else [entry])
    }
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in PATTERN.findall(text):
        if "NAME" in name or name.startswith("dvc_plots/") or name in written:
            continue
        beside = [ROOT / name, *ROOT.glob(f"*/{name}")]  # a module may be named without its room
        assert any(path.exists() for path in beside), f"{page} names {name}"
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), f"{page} links to {link}"


@pytest.mark.parametrize("file", ["params.yaml", "dvc.yaml", "Makefile", ".ci/run"])
def test_every_module_that_a_comment_names_is_there(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    rooms = "stages|figures|analysis|pipeline|l1svc|tools|benchmarks|tests"
    for name in re.findall(rf"\b(?:{rooms})/[\w/]+\.py\b", text):
        assert (ROOT / name).exists(), f"{file} names {name}"


def test_the_graph_and_the_table_of_stages_are_those_of_dvc_yaml() -> None:
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    writes = {
        name: [
            next(iter(entry)) if isinstance(entry, dict) else entry
            for kind in ("outs", "metrics", "plots")
            for entry in stage.get(kind, [])
        ]
        for name, stage in graph.items()
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `(\w+)` \| .* \| ([^|]+) \|$", readme)
    told = {name: re.findall(r"`([\w./]+\.\w+)`", cell) for name, cell in rows if name in graph}
    assert told.keys() == graph.keys()
    for name, files in told.items():
        assert {Path(file).name for file in files} == {Path(file).name for file in writes[name]}

    needs = {
        (one, other)
        for one, files in writes.items()
        for other, stage in graph.items()
        if set(files) & set(stage.get("deps", []))
    }
    (drawn,) = re.findall(r"```mermaid\nflowchart LR\n(.*?)```", readme, re.S)
    edges = set()
    for line in drawn.splitlines():
        steps = [step.split(" & ") for step in line.strip().split(" --> ")]
        for before, after in pairwise(steps):
            edges |= set(product(before, after))
    assert edges == needs


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_named_is_one(page: str) -> None:
    targets = re.search(r"(?m)^\.PHONY: (.+)$", (ROOT / "Makefile").read_text()).group(1).split()
    named = re.findall(r"(?:`|\$ )make (\w+)", (ROOT / page).read_text(encoding="utf-8"))
    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", PAGES)
def test_no_command_is_of_one_system_only(page: str) -> None:
    assert "sed -i" not in (ROOT / page).read_text(encoding="utf-8")  # macOS has another


IMAGES = 11_272  # of training, each left out of one fold


def test_readmes_figures_are_the_metrics() -> None:
    search, scores, weights = (metrics(name) for name in ("gridsearch", "evaluate", "interpret"))
    counts, every = weights["weights"], search["every_C"]
    total = counts["nonzero"] + counts["zero"]
    low, high = scores["test"]["accuracy_95"].values()
    border, corners = weights["border"], weights["corners"]
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    width = params["interpret"]["border"]
    flat = " ".join(README.split())
    for line in (
        f"best C          {search['best']['C']}\n",
        f"train accuracy  {scores['train']['accuracy']}\n",
        f"test accuracy   {scores['test']['accuracy']}  (95 %: {low:.4f} to {high:.4f})\n",
        f"weights         {counts['nonzero']} of {total} non-zero",
        f"Of the {counts['nonzero']}, {weights['stability']['pixels_in_90_percent']} are chosen",
        f"none of the {4 * width**2} pixels",
        f"of the four {width}×{width} corners",
        f"The border of {width} pixels",
        f"{border['nonzero']} of its {28**2 - (28 - 2 * width) ** 2} pixels",
        f"carry {border['share_of_l1']:.0%}".replace("%", " %"),
        f"between C = {every['lowest_C']} and {every['highest_C']}",
        f"misses it by {round(every['above_grid'] * IMAGES)} images",
    ):
        assert line in README or line in flat
    assert corners["nonzero"] == 0


def test_readmes_path_is_the_table() -> None:
    with (ROOT / "plots/path.csv").open(encoding="utf-8") as file:
        rows = {f"{float(row['C']):.2g}": row for row in csv.DictReader(file)}
    flat = " ".join(README.split())
    told = re.search(r"It does: from one weight .*? with \d+ weights\.", flat).group()
    for C, nonzero in (("0.00016", "1"), ("0.0033", "63"), ("0.2", "285"), ("10", "520")):
        assert rows[C]["nonzero"] == nonzero
        assert C in told
        assert nonzero in told or nonzero == "1"
        assert f"{float(rows[C]['test_accuracy']):.1%}".replace("%", " %") in told
    best = max(float(row["test_accuracy"]) for row in rows.values())
    assert float(rows["0.2"]["test_accuracy"]) == best  # of "No C up to 10 is right more often"
    (other,) = [row for row in rows.values() if row["C"] == "0.1443"]
    assert float(other["test_accuracy"]) == best
    assert f"with {other['nonzero']} weights" in told
