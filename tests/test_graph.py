"""dvc.yaml against the code: what a stage uses is what DVC watches."""

import ast
from pathlib import Path

import pytest
import yaml

from stages.params import Params

ROOT = Path(__file__).resolve().parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
NAMES = ["download", "filter_5_8", "preprocess", "gridsearch", "train", "evaluate", "interpret"]
PACKAGES = ["stages", "l1svc"]  # the project's own, of which a stage may import


def imports(file: Path) -> set[Path]:
    """The project's modules that `file` imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = file.parent.relative_to(ROOT).as_posix().replace("/", ".")
            module = ".".join(filter(None, [inside if node.level else "", node.module]))
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] in PACKAGES:
                path = ROOT / name.replace(".", "/")
                found |= {p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()}
    return found


def all_imports(file: Path) -> set[Path]:
    """The same, with what those import in turn, and `file`."""
    found, todo = set(), {file}
    while todo:
        module = todo.pop()
        found.add(module)
        todo |= imports(module) - found
    return found


def paths(stage: dict, *kinds: str) -> dict[str, dict]:
    """Path and options of each entry of these kinds."""
    entries = [entry for kind in kinds for entry in stage.get(kind, [])]
    return {
        path: options
        for entry in entries
        for path, options in (entry if isinstance(entry, dict) else {entry: {}}).items()
    }


def test_the_stages_are_these_in_this_order() -> None:
    assert list(STAGES) == NAMES


@pytest.mark.parametrize("name", NAMES)
class TestStage:
    def test_it_is_one_module_and_says_what_it_does(self, name: str) -> None:
        assert STAGES[name]["cmd"] == f"python -m stages.{name}"
        assert (ROOT / "stages" / f"{name}.py").is_file()
        assert STAGES[name]["desc"]

    def test_deps_cover_every_module_it_imports(self, name: str) -> None:
        needed = {
            path.relative_to(ROOT).as_posix() for path in all_imports(ROOT / f"stages/{name}.py")
        }
        deps = paths(STAGES[name], "deps")
        watched = {
            path.relative_to(ROOT).as_posix()
            for dep in deps
            for path in ([ROOT / dep, *(ROOT / dep).rglob("*.py")])
            if path.suffix == ".py"
        }
        assert watched == needed

    def test_it_imports_no_other_stage(self, name: str) -> None:
        others = {ROOT / f"stages/{other}.py" for other in NAMES if other != name}
        assert not all_imports(ROOT / f"stages/{name}.py") & others

    def test_it_watches_the_lock_unless_the_data_are_checked(self, name: str) -> None:
        assert ("requirements.txt" in paths(STAGES[name], "deps")) == (name != "download")

    def test_it_reads_and_watches_its_own_section_only(self, name: str) -> None:
        tree = ast.parse((ROOT / f"stages/{name}.py").read_text())
        read = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", "") == "load_params"
        }
        assert sorted(read) == STAGES[name].get("params", [])
        assert read <= {name}

    def test_files_in_the_code_are_files_in_the_graph(self, name: str) -> None:
        tree = ast.parse((ROOT / f"stages/{name}.py").read_text())
        in_code = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Path" and node.args
            if isinstance(node.args[0], ast.Constant)
        }
        in_graph = paths(STAGES[name], "deps", "outs", "metrics", "plots")
        data = {path for path in in_graph if path.split("/")[0] in ("data", "metrics", "plots")}
        assert in_code == data

    def test_results_outlive_a_refusal_and_small_ones_are_gits(self, name: str) -> None:
        for kind, cached in (("outs", True), ("metrics", False), ("plots", False)):
            for path, options in paths(STAGES[name], kind).items():
                assert options["persist"] is True, path
                assert options.get("cache", True) is cached, path


def test_every_section_belongs_to_a_stage() -> None:
    assert set(Params.model_fields) <= set(NAMES)


def test_every_plot_is_defined_once() -> None:
    document = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert set(document) == {"stages"}  # no top-level plots: beside the stages' own
    defined = [path for stage in STAGES.values() for path in paths(stage, "plots")]
    assert len(defined) == len(set(defined))


def test_the_mathematics_knows_nothing_of_the_pipeline() -> None:
    for file in (ROOT / "l1svc").rglob("*.py"):
        assert not [path for path in imports(file) if ROOT / "stages" in path.parents], file
