"""The combinations: each pair of values of two settings occurs, or is counted."""

import itertools
import random
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules import examples
from tools.canonical_bytes import FEW, design, few, main, pairs

FACTORS = {"a": list("vwxyz"), "b": list("12"), "c": list("123"), "d": list("12")}


def all_pairs(factors: dict[str, list[str]]) -> set[frozenset[tuple[str, str]]]:
    settings = itertools.product(*([(name, v) for v in factors[name]] for name in factors))
    return set().union(*(pairs(dict(setting)) for setting in settings))


@examples(10)
@given(st.integers(0, 2**32))
def test_each_pair_occurs_in_enough_settings(seed: int) -> None:
    settings, left = design(FACTORS, 40, random.Random(seed))
    assert (len(settings), left) == (40, 0)
    assert set().union(*map(pairs, settings)) == all_pairs(FACTORS)


def test_what_is_impossible_does_not_occur_and_what_is_left_is_counted() -> None:
    impossible = {frozenset([("a", "v"), ("c", c)]) for c in "12"}
    settings, left = design(FACTORS, 40, random.Random(0), impossible)
    assert left == 0
    assert set().union(*map(pairs, settings)) == all_pairs(FACTORS) - impossible
    settings, left = design(FACTORS, 3, random.Random(0), impossible)
    found = set().union(*map(pairs, settings))
    assert left == len(all_pairs(FACTORS) - impossible - found) > 0


def test_in_a_few_each_value_occurs() -> None:
    settings = few(FACTORS)
    assert len(settings) == FEW
    for name, values in FACTORS.items():
        assert {setting[name] for setting in settings} == set(values)


def test_a_checkout_without_results_is_told_so(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shutil.copy(root / "dvc.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["canonical_bytes", "--few"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "data/gridsearch.joblib: not there; run `make repro` first\n"
