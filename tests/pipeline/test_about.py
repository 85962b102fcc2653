"""What is known of a data set, as it is passed on."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.about import About, load_about, save_about
from pipeline.artifacts import ArtifactError


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    names = {-3: "3", 11: "Ankle böot", 2**40: "</script>"}
    for ink_side in (None, 20):
        about = About("A", "by B", 20, 16, ink_side, names)
        save_about(tmp_path / "about.json", about)
        assert load_about(tmp_path / "about.json", 320, np.array([11, -3])) == about
    assert about.shape == (20, 16)
    assert about.named(np.array([11, -3, 11])).tolist() == ["Ankle böot", "3", "Ankle böot"]


@pytest.mark.parametrize("text", ["", '{"title": "A"}'])
def test_a_damaged_one_gets_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"about\.json: damaged"):
        load_about(tmp_path / "about.json", 320, np.array([11, -3]))


@pytest.mark.parametrize(("pixels", "classes"), [(784, [1, 2]), (320, [1, 3])])
def test_one_of_other_data_gets_its_line(tmp_path: Path, pixels: int, classes: list) -> None:
    about = About("A", "by B", 20, 16, None, {1: "one", 2: "two"})
    save_about(tmp_path / "about.json", about)
    with pytest.raises(
        ArtifactError, match=r"about\.json: of other data: 20×16 pixels, labels 1, 2"
    ):
        load_about(tmp_path / "about.json", pixels, np.array(classes))


@pytest.mark.parametrize(
    "wrong", [{"height": 0}, {"width": "16"}, {"names": {"x": "x"}}, {"more": 1}]
)
def test_a_value_that_is_none_of_ours_gets_its_line(tmp_path: Path, wrong: dict) -> None:
    file = tmp_path / "about.json"
    save_about(file, About("A", "by B", 20, 16, None, {1: "one", 2: "two"}))
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(ArtifactError, match=r"about\.json: damaged \(ValidationError"):
        load_about(file, 320, np.array([1, 2]))
