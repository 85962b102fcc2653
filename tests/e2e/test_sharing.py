"""docs/sharing.md, command by command: results travel, and nothing is computed twice."""

import hashlib
import json
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import pytest

from tests.e2e.conftest import Computed, Run, change, copy_of, metrics, runner, stages_run
from tests.graph import ROOT, STAGES, entries
from tests.quick import QUICK

PAGE = (ROOT / "docs/sharing.md").read_text(encoding="utf-8")
TABLE = PAGE.split("| --- | --- |\n")[1]
CACHED = {path for name in STAGES for path in entries(name, "outs")}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
# Another value, which runs the stages that take it and what follows.
OTHER: dict[str, dict[str, object]] = {
    "train": {"C": 0.03},
}
OTHERS_STAGES = ["train", "evaluate", "interpret"]
ALL_LINKS = "reflink,hardlink,symlink,copy"

Clone = Callable[..., tuple[Path, Run]]


def blocks(heading: str, kind: str = "console") -> list[str]:
    """The code blocks of one kind under a heading of the page."""
    section = re.search(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE).group(1)
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```$", section)


def recipe(heading: str, number: int = 0, **values: object) -> list[str]:
    """The commands of one of a heading's blocks, with values for what the reader has to fill in."""
    text = blocks(heading)[number]
    for name, value in values.items():
        place = {"store": "/srv/dvc-store", "cache": "/srv/dvc-cache"}.get(name, name)
        assert place in text
        text = text.replace(place, str(value))
    return re.findall(r"(?m)^\$ (.+)$", text)


def make_repro() -> list[str]:
    """The commands of `make repro`, without the set-up of its environment."""
    rule = re.search(r"(?m)^repro:.*\n((?:\t@.+\n)+)", (ROOT / "Makefile").read_text()).group(1)
    return re.findall(r"(?m)^\t@(.+)$", rule)


def play(run: Run, commands: list[str]) -> str:
    """Run the commands one after the other; what they said."""
    said = ""
    for command in commands:
        for line in make_repro() if command == "make repro" else [command]:
            said += run("sh", "-c", line).stdout
    return said


def told(done: subprocess.CompletedProcess, message: str) -> None:
    """The command failed with a message that the page's table has."""
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert f"`{message}`" in TABLE


def test_every_command_of_the_page_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    calls = re.findall(r'recipe\("([^"]+)"(?:, (\d))?', here)
    headings = re.findall(r"(?m)^## (.+)$", PAGE)
    on_the_page = {(heading, i) for heading in headings for i in range(len(blocks(heading)))}
    assert {(heading, int(number or 0)) for heading, number in calls} == on_the_page
    assert blocks("A folder as the remote")[0] in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_message_of_the_page_is_seen_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    seen = [row.split(" | ")[0] for row in TABLE.splitlines()]
    messages = re.findall("`([^`]+)`", "\n".join(seen))
    assert len(messages) > 5
    assert [message for message in messages if f'"{message}"' not in here] == []


def results(folder: Path) -> dict[str, str]:
    """The MD5 of every result of DVC's cache that is in a checkout."""
    files = {name: folder / name for name in CACHED if (folder / name).exists()}
    return {name: hashlib.md5(file.read_bytes()).hexdigest() for name, file in files.items()}


def objects(cache: Path) -> set[str]:
    """The names of a cache's objects; each is read-only, and has the MD5 that is its name."""
    found = set()
    for file in (cache / "files/md5").glob("*/*"):
        name = file.parent.name + file.name
        assert hashlib.md5(file.read_bytes()).hexdigest() == name
        assert stat.S_IMODE(file.stat().st_mode) == 0o444
        found.add(name)
    return found


@pytest.fixture(scope="module")
def environment(
    command_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of somebody who has a name, but no keys and no settings."""
    kept = {name: value for name, value in command_environment.items() if name[:4] != "AWS_"}
    return (
        kept
        | {"HOME": str(tmp_path_factory.mktemp("home"))}
        | {"DVC_NO_ANALYTICS": "1", "CI": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        | {"AWS_MAX_ATTEMPTS": "1"}  # loopback answers at once, or not at all
    )


@pytest.fixture
def clone(environment: dict[str, str], tmp_path: Path) -> Clone:
    """Clone a repository: the new folder, and how to run a command in it."""

    def make(url: Path, name: str = "clone", **more: str) -> tuple[Path, Run]:
        runner(tmp_path, environment)("git", "clone", "-q", str(url), name)
        return tmp_path / name, runner(tmp_path / name, environment | more)

    return make


@pytest.fixture(scope="class")
def project(small: Computed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, this class's own copy."""
    return copy_of(small[0], tmp_path_factory)


@pytest.fixture(scope="class")
def run(project: Path, environment: dict[str, str]) -> Run:
    return runner(project, environment)


@pytest.fixture(scope="class")
def empty_hub(project: Path, run: Run) -> Path:
    """A bare clone of the project, to which the project pushes."""
    bare = project.parent / "hub.git"
    run("git", "clone", "-q", "--bare", ".", str(bare))
    run("git", "remote", "add", "origin", str(bare))
    run("git", "push", "-qu", "origin", "HEAD")
    return bare


def assert_all_comes(folder: Path, run: Run, commands: list[str], wanted: dict[str, str]) -> None:
    """In a clone that has no results, the commands bring all of them and run no stage."""
    assert results(folder) == {}
    said = play(run, commands)
    assert "Running stage" not in said
    assert "Data and pipelines are up to date." in said
    assert results(folder) == wanted
    assert run("git", "status", "--porcelain").stdout == ""


WAYS = {"pull": recipe("In a fresh clone"), "repro --pull": recipe("In a fresh clone", 1)}


@pytest.fixture(scope="class")
def store(project: Path) -> Path:
    return project.parent / "store"


@pytest.fixture(scope="class")
def folder_hub(empty_hub: Path, run: Run, store: Path) -> Path:
    """The bare clone, once the page's lines on a folder have been followed."""
    said = play(run, recipe("A folder as the remote", store=store))
    assert f"{len(CACHED)} files pushed" in said
    assert run("git", "status", "--porcelain").stdout == ""
    return empty_hub


ONE_WAY = ["pull", pytest.param("repro --pull", marks=pytest.mark.long)]


class TestFolder:
    @pytest.mark.parametrize("way", ONE_WAY)
    def test_all_comes_to_a_fresh_clone(
        self, project: Path, folder_hub: Path, clone: Clone, way: str
    ) -> None:
        assert_all_comes(*clone(folder_hub), WAYS[way], results(project))

    def test_others_take_what_they_need(
        self, project: Path, folder_hub: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        outside = runner(tmp_path, environment)
        play(outside, recipe("What others take", URL=folder_hub))
        for name in ("data/model.joblib", "plots/explorer.html"):
            assert (tmp_path / Path(name).name).read_bytes() == (project / name).read_bytes()
        (code,) = blocks("What others take", "python")
        look = "import json\nprint(json.dumps([model.C, weights, params, accuracy]))\n"
        (tmp_path / "take.py").write_text(code.replace("URL", str(folder_hub)) + look)
        C, weights, params, accuracy = json.loads(outside("python", "take.py").stdout)
        assert metrics(project, "train")["C"] == C
        assert params["C"] == QUICK["gridsearch"]["C"]
        assert weights == (project / "plots/weights.csv").read_text()
        assert accuracy == metrics(project, "evaluate")["test"]["accuracy"]

    def test_a_state_travels_as_a_commit(
        self,
        project: Path,
        run: Run,
        folder_hub: Path,
        clone: Clone,
        environment: dict[str, str],
        tmp_path: Path,
    ) -> None:
        """Others pull it, and update what they imported. The run cache alone gives them nothing."""
        model = tmp_path / "importing/model.joblib"
        model.parent.mkdir()
        importing = runner(model.parent, environment)
        play(importing, ["git init -q", "dvc init -q"])
        first, update = recipe("What others take", 1, URL=folder_hub)
        play(importing, [first])
        assert model.read_bytes() == (project / "data/model.joblib").read_bytes()

        change(project / "params.yaml", **OTHER)
        assert stages_run(run("dvc", "repro")) == OTHERS_STAGES
        run("dvc", "push", "--run-cache")
        there, run_there = clone(folder_hub)
        shutil.copy2(project / "params.yaml", there)
        again = stages_run(run_there("dvc", "repro", "--pull"))
        assert again == OTHERS_STAGES

        play(run, recipe("Another state"))
        assert_all_comes(*clone(folder_hub, "another"), WAYS["pull"], results(project))
        play(importing, [update])
        assert model.read_bytes() == (project / "data/model.joblib").read_bytes()
        assert OTHER["train"]["C"] == joblib.load(model).C

    @pytest.mark.long
    def test_what_no_commit_uses_goes_from_the_remote(
        self, project: Path, run: Run, folder_hub: Path, store: Path, clone: Clone
    ) -> None:
        unused = store / "files/md5/ff" / ("f" * 30)
        unused.parent.mkdir(exist_ok=True)
        unused.write_text("unused")
        (command,) = recipe("Room", 3)
        run(*command.split(), "--force")
        assert not unused.exists()
        assert_all_comes(*clone(folder_hub), WAYS["pull"], results(project))

    @pytest.mark.long
    def test_room_in_the_cache(self, project: Path, run: Run, folder_hub: Path) -> None:
        before = results(project)
        (command,) = recipe("Room")
        run(*command.split(), "--force")
        assert "Running stage" not in play(run, recipe("Room", 1))
        assert objects(project / ".dvc/cache") >= set(before.values())
        for name in ("data/model.joblib", "metrics/train.json"):  # the run cache is whole again
            (project / name).unlink()
        assert stages_run(run("dvc", "repro")) == []
        assert results(project) == before
        assert run("git", "status", "--porcelain").stdout == ""

    def test_no_remote(self, small: Computed, clone: Clone) -> None:
        _, run = clone(small[0])
        told(run("dvc", "push", check=False), "no remote specified")

    def test_a_folder_that_is_not_there(
        self, project: Path, run: Run, folder_hub: Path, clone: Clone, tmp_path: Path
    ) -> None:
        away = ("dvc", "remote", "modify", "--local", "store", "url", str(tmp_path / "away"))
        back = ("dvc", "remote", "modify", "--local", "store", "--unset", "url")
        there, run_there = clone(folder_hub)
        run_there(*away)
        told(
            run_there("dvc", "pull", check=False),
            "Some of the cache files do not exist neither locally nor on remote",
        )
        run_there(*back)
        assert_all_comes(there, run_there, WAYS["pull"], results(project))
        run(*away)
        assert f"{len(CACHED)} files pushed" in run("dvc", "push").stdout
        run(*back)
        assert "Everything is up to date" in run("dvc", "push").stdout


@pytest.fixture(scope="class")
def endpoint() -> Iterator[str]:
    pytest.importorskip("dvc_s3", reason="dvc-s3 is missing: `make dev`")
    from tests.e2e.s3_server import s3_server

    with s3_server("results", *KEYS.values()) as url:
        yield url


@pytest.fixture(scope="class")
def s3_hub(project: Path, run: Run, empty_hub: Path, endpoint: str) -> Path:
    """The bare clone, once the page's lines on S3 have been followed."""
    *lines, push = recipe("S3 as the remote", BUCKET="results", ENDPOINT=endpoint)
    play(run, lines)
    told(run("dvc", "push", check=False), "Unable to locate credentials")
    key, secret = KEYS.values()
    play(run, recipe("Keys for S3", KEY=key, SECRET=secret))
    assert f"{len(CACHED)} files pushed" in play(run, [push])
    run("git", "push", "-q")
    assert run("git", "status", "--porcelain").stdout == ""
    assert "access_key" not in (project / ".dvc/config").read_text()
    return empty_hub


class TestS3:
    @pytest.mark.parametrize("way", ONE_WAY)
    def test_all_comes_to_a_fresh_clone(
        self, project: Path, s3_hub: Path, clone: Clone, way: str
    ) -> None:
        assert_all_comes(*clone(s3_hub, **KEYS), WAYS[way], results(project))

    @pytest.mark.long
    def test_others_take_what_they_need(
        self, project: Path, s3_hub: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        play(runner(tmp_path, environment | KEYS), recipe("What others take", URL=s3_hub))
        model = (tmp_path / "model.joblib").read_bytes()
        assert model == (project / "data/model.joblib").read_bytes()

    @pytest.mark.long
    def test_without_dvc_s3(self, run: Run, s3_hub: Path) -> None:
        code = "import sys; sys.modules['dvc_s3'] = None; from dvc.cli import main"
        done = run("python", "-c", f"{code}; sys.exit(main(['push']))", check=False)
        told(done, "requires 'dvc-s3' to be installed")

    @pytest.mark.long
    def test_half_a_key(self, s3_hub: Path, clone: Clone) -> None:
        _, run = clone(s3_hub)
        run("dvc", "remote", "modify", "--local", "store", "access_key_id", "key")
        told(run("dvc", "pull", check=False), "Partial credentials found")

    @pytest.mark.long
    @pytest.mark.parametrize(
        ("setting", "wrong", "on_push", "on_pull"),
        [
            ("access_key_id", "nobody", "InvalidAccessKeyId", "Forbidden"),
            ("secret_access_key", "wrong", "SignatureDoesNotMatch", "Forbidden"),
            ("url", "s3://nowhere/mnist", "NoSuchBucket", "NoSuchBucket"),
            ("endpointurl", "http://127.0.0.1:1", *2 * ["Could not connect to the endpoint URL"]),
        ],
        ids=["key", "secret", "bucket", "server"],
    )
    def test_a_failure_loses_nothing(
        self,
        project: Path,
        run: Run,
        s3_hub: Path,
        clone: Clone,
        setting: str,
        wrong: str,
        on_push: str,
        on_pull: str,
    ) -> None:
        modify = ("dvc", "remote", "modify", "--local", "store", setting, wrong)
        config = project / ".dvc/config.local"
        right, before, had = config.read_text(), results(project), objects(project / ".dvc/cache")
        run(*modify)
        told(run("dvc", "push", check=False), on_push)
        config.write_text(right)
        assert (results(project), objects(project / ".dvc/cache")) == (before, had)
        assert "Everything is up to date" in run("dvc", "push").stdout

        there, run_there = clone(s3_hub)
        shutil.copy2(config, there / ".dvc")
        run_there(*modify)
        told(run_there("dvc", "pull", check=False), on_pull)
        shutil.copy2(config, there / ".dvc")
        assert_all_comes(there, run_there, WAYS["pull"], before)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def checkouts(
    request: pytest.FixtureRequest, small: Computed, clone: Clone, environment, cache: Path
) -> tuple[Path, Run, Path, Run]:
    """One that has the results and one that had none, after the page's lines, with a type of
    link (the parameter): the second has all of them now, and ran no stage."""
    link = getattr(request, "param", ALL_LINKS)
    first = cache.parent / "first"
    shutil.copytree(small[0], first, symlinks=True)
    run = runner(first, environment)
    second, run_second = clone(small[0], "second")
    fill = recipe("One cache for many checkouts", cache=cache)
    use = recipe("One cache for many checkouts", 1, cache=cache)
    play(run, [command.replace(ALL_LINKS, link) for command in fill])
    said = play(run_second, [command.replace(ALL_LINKS, link) for command in use])
    assert "Running stage" not in said
    assert "best C " in said
    for folder in (first, second):
        assert results(folder) == results(small[0])
    assert run_second("git", "status", "--porcelain").stdout == ""
    return first, run, second, run_second


class TestSharedCache:
    @pytest.mark.parametrize(
        "checkouts",
        ["hardlink", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("copy", "symlink"))],
        indirect=True,
    )
    def test_no_object_ever_changes(self, checkouts, cache: Path, request) -> None:
        first, run, second, run_second = checkouts
        link = request.node.callspec.params["checkouts"]
        for name in CACHED:
            assert (second / name).is_symlink() == (link == "symlink")
            assert ((second / name).stat().st_nlink > 1) == (link == "hardlink")
        before, had = results(second), objects(cache)
        assert had >= set(before.values())

        change(second / "params.yaml", **OTHER)
        for stage in ("train", "evaluate"):  # without DVC, onto the links
            run_second("python", "-m", f"stages.{stage}")
        assert objects(cache) == had
        assert results(second) != before
        assert stages_run(run_second("dvc", "repro")) == OTHERS_STAGES
        assert objects(cache) > had

        shutil.copy2(second / "params.yaml", first)
        assert stages_run(run("dvc", "repro")) == []  # the other checkout has computed it
        assert results(first) == results(second) != before
        for folder, command in ((first, run), (second, run_second)):
            command("git", "checkout", "-q", "params.yaml")
            assert stages_run(command("dvc", "repro")) == []
            assert results(folder) == before
            assert command("git", "status", "--porcelain").stdout == ""

        play(run_second, recipe("One cache for many checkouts", 2))
        with (second / "data/model.joblib").open("ab") as model:
            model.write(b"by hand")
        assert objects(cache) > had

    @pytest.mark.long
    def test_room(self, checkouts, cache: Path) -> None:
        folders = [path for path in cache.rglob("*") if path.is_dir()]
        assert len(folders) > 10
        for folder in folders:  # the group may write
            assert stat.S_IMODE(folder.stat().st_mode) & 0o770 == 0o770
        first, run, second, run_second = checkouts
        change(second / "params.yaml", train={"C": 0.04})
        run_second("dvc", "repro")
        mine, others = set(results(first).values()), set(results(second).values())
        (command,) = recipe("Room", 2)
        run(*command.split(), "--force")
        assert objects(cache) >= mine | others
        (command,) = recipe("Room")
        run(*command.split(), "--force")
        assert objects(cache) >= mine
        assert not objects(cache) >= others
