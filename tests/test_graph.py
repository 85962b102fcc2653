"""dvc.yaml against the code, and the arrows between the rooms."""

import ast
from functools import cache
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml

from pipeline.params import Params
from tests.graph import ROOT, STAGES, entries, names, tree_of

# The order of this list is pinned here and nowhere else.
NAMES = ["download", "filter_5_8", "preprocess", "gridsearch", "train", "evaluate", "interpret"]
# Each room may import from itself and from those to its right.
ROOMS = ["stages", "figures", "analysis", "pipeline", "l1svc"]
SOLVERS = [ROOT / "l1svc/tests", ROOT / "l1svc/benchmarks"]
# These let a value pass or end the stage: they cannot change a result, so no stage depends on them.
PASS_OR_END = {
    f"pipeline/{name}.py"
    for name in (
        *("params", "errors", "convergence", "progress", "cluster", "schemas", "stage", "unpickle"),
        *("alone", "readers"),
    )
}


@cache
def imports(file: Path) -> set[Path]:
    """The project's modules that `file` imports."""
    paths = [ROOT / name.replace(".", "/") for name in names(file) if name.split(".")[0] in ROOMS]
    found = {file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")}
    return {file for file in found if file.exists()}


def all_imports(file: Path) -> set[Path]:
    """`file`, what it imports, and what those import in turn; nothing of PASS_OR_END."""
    found, todo = set(), {file}
    while todo:
        module = todo.pop()
        if module.relative_to(ROOT).as_posix() not in PASS_OR_END:
            found.add(module)
            todo |= imports(module) - found
    return found


def modules(room: str) -> list[Path]:
    """All of a room, but for the solver's own tests and benchmarks, which no stage sees."""
    found = sorted((ROOT / room).rglob("*.py"))
    return [file for file in found if file.parent not in SOLVERS]


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_one_way(room: str) -> None:
    assert modules(room)
    to_the_right = ROOMS[ROOMS.index(room) :]
    for file in modules(room):
        for imported in imports(file):
            other = imported.relative_to(ROOT).parts[0]
            assert other in to_the_right, f"{file} imports {imported}"
            assert room != "stages" or other != "stages", f"{file}: no stage imports a stage"


@pytest.mark.parametrize("room", [*ROOMS, "tools", "benchmarks"])
def test_matplotlib_is_imported_under_figures_alone(room: str) -> None:
    """But for the article's script, which is timed as one would write it."""
    for file in set(modules(room)) - {ROOT / "benchmarks/plain.py"}:
        assert room == "figures" or "matplotlib" not in {n.split(".")[0] for n in names(file)}, file


def test_stages_holds_the_graphs_stages_and_nothing_else() -> None:
    assert list(STAGES) == NAMES
    assert set(Params.model_fields) <= set(NAMES)  # every section is a stage's
    held = {path.name for path in (ROOT / "stages").iterdir() if path.name != "__pycache__"}
    assert held == {"__init__.py", *(f"{name}.py" for name in NAMES)}


@pytest.mark.parametrize("room", [*ROOMS, "tools", "benchmarks"])
def test_a_room_is_a_package(room: str) -> None:
    """Or any package of its name, elsewhere on the caller's path, would come before it.

    No stage depends on this file: it holds no code, but for what Ctrl-C does (l1svc is watched as
    a whole)."""
    tree = tree_of(ROOT / room / "__init__.py")
    assert ast.get_docstring(tree)
    assert room in ("l1svc", "pipeline", "stages") or len(tree.body) == 1


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
        watched = {
            path.relative_to(ROOT).as_posix()
            for dep in entries(name, "deps")
            for path in ([ROOT / dep, *modules(dep)])
            if path.suffix == ".py"
        }
        if name == "download":  # whose arrays are held by their SHA-256
            needed -= {"pipeline/artifacts.py"}
        assert watched == needed

    def test_it_watches_the_lock_unless_the_data_are_checked(self, name: str) -> None:
        assert ("requirements.txt" in entries(name, "deps")) == (name != "download")

    def test_it_reads_and_watches_its_own_section_only(self, name: str) -> None:
        tree = tree_of(ROOT / f"stages/{name}.py")
        read = {
            argument.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_stage"
            for argument in node.args
            if isinstance(argument, ast.Constant)
        }
        assert sorted(read) == STAGES[name].get("params", [])
        assert read <= {name}
        used = {getattr(node, "id", "") for node in ast.walk(tree)}
        assert "load_params" not in used  # not past run_stage, which looks at the end again

    def test_files_in_the_code_are_files_in_the_graph(self, name: str) -> None:
        tree = tree_of(ROOT / f"stages/{name}.py")
        in_code = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Path" and node.args
            if isinstance(node.args[0], ast.Constant)
        }
        in_graph = entries(name, "deps", "outs", "metrics", "plots")
        data = {path for path in in_graph if path.split("/")[0] in ("data", "metrics", "plots")}
        assert in_code == data

    def test_small_results_are_gits_and_the_run_cache_has_the_rest(self, name: str) -> None:
        assert entries(name, "outs")  # a stage without a cached output is not in the run cache
        for kind, cached in (("outs", True), ("metrics", False), ("plots", False)):
            for path, options in entries(name, kind).items():
                assert "persist" not in options, path  # it too would keep the stage out
                assert options.get("cache", True) is cached, path


def test_files_that_dvc_rewrites_are_laid_out_as_dvc_does_it(tmp_path: Path) -> None:
    """`dvc freeze` and `dvc exp run -S` then change the lines that they are about, no other."""
    graph, params = tmp_path / "dvc.yaml", tmp_path / "params.yaml"
    for file in (graph, params):
        file.write_text((ROOT / file.name).read_text(encoding="utf-8"), encoding="utf-8")
    with modify_yaml(graph):
        pass
    apply_overrides(params, ["train.C=null", "filter_5_8.classes=[5,8]"])
    for file in (graph, params):
        assert file.read_text(encoding="utf-8") == (ROOT / file.name).read_text(encoding="utf-8")


def test_every_plot_is_defined_once() -> None:
    defined = [path for name in STAGES for path in entries(name, "plots")]
    assert len(defined) == len(set(defined))


def test_whoever_fits_a_model_is_watched_by_what_it_solves_with() -> None:
    """A stage that uses a solver depends on l1svc as a whole, files that are no code too."""
    for name in NAMES:
        used = {path.parent.name for path in all_imports(ROOT / f"stages/{name}.py")}
        assert ("l1svc" in used) == ("l1svc" in entries(name, "deps"))


@pytest.mark.parametrize("room", [*ROOMS, "tools", "benchmarks"])
def test_nothing_but_tests_imports_tests(room: str) -> None:
    for file in modules(room):
        assert not {name for name in names(file) if "tests" in name.split(".")}, file


def test_the_solver_stands_by_itself() -> None:
    """With its tests and benchmarks: `git subtree split -P l1svc` is a repository that works."""
    for file in (ROOT / "l1svc").rglob("*.py"):
        ours = {name.split(".")[0] for name in names(file)} & {
            *ROOMS,
            "tools",
            "benchmarks",
            "tests",
        }
        assert ours <= {"l1svc"}, file
