"""On a terminal a stage shows how far it is, through `dvc repro` as well."""

from pathlib import Path

from tests.terminal import shown


def test_the_search_is_seen_to_its_end(project: Path, command_environment: dict[str, str]) -> None:
    screen = shown(
        *("dvc", "repro", "--force", "--single-item", "gridsearch"),
        folder=project,
        environment=command_environment,
    )
    bars = [line for line in screen.splitlines() if line.startswith("cross-validation: ")]
    assert "  0%" in bars[0]
    assert " 0/6 " in bars[0]
    assert "100%" in bars[-1]
    assert " 6/6 " in bars[-1]
    assert screen.index("Running stage 'gridsearch'") < screen.index(bars[0])
