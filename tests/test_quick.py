"""The tests' quick params leave no costly search on."""

from pipeline.params import Params
from tests.quick import QUICK

# Their values cost no time, or the small data already keep them cheap.
CHEAP = {
    "gridsearch": {"scoring", "solver", "tol", "max_iter", "random_state"},
    "train": {"C", "choose", "solver", "tol", "max_iter", "random_state"},
    "interpret": {"border", "random_state"},
}
OF_THE_DATA = {"download", "filter_5_8"}


def test_every_key_of_the_schema_is_set_or_known_to_be_cheap() -> None:
    for section, field in Params.model_fields.items():
        if section not in OF_THE_DATA:
            known = set(QUICK.get(section, {})), CHEAP.get(section, set())
            assert set(field.annotation.model_fields) == set.union(*known), section
            assert not set.intersection(*known), section
