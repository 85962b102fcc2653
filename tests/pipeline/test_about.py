"""What is known of a data set, as it is passed on."""

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
        assert load_about(tmp_path / "about.json") == about
    assert about.shape == (20, 16)
    assert about.named(np.array([11, -3, 11])).tolist() == ["Ankle böot", "3", "Ankle böot"]


@pytest.mark.parametrize("text", ["", "[]", '{"title": "A"}', '{"names": {"x": "y"}}'])
def test_a_damaged_one_gets_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"about\.json: damaged"):
        load_about(tmp_path / "about.json")
