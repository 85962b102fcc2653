"""The settings under which the bytes are compared; .ci/run compares them."""

import shutil
import sys
from pathlib import Path

import pytest

from tools.canonical_bytes import KERNELS, ROWS, SETTINGS, main


def test_the_first_row_differs_from_the_next_in_every_setting_and_all_kernels_occur() -> None:
    for row in ROWS[1:4]:  # the second that runs, whatever the processor lacks
        assert all(one != other for one, other in zip(ROWS[0], row, strict=True))
    columns = dict(zip(SETTINGS, zip(*ROWS, strict=True), strict=True))
    assert set(columns["kernel"]) == set(KERNELS)
    assert len(set(columns["locale"])) == 3


def test_a_checkout_without_results_is_told_so(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shutil.copy(root / "dvc.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["canonical_bytes"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "data/gridsearch.joblib: not there; run `make repro` first\n"
