"""What a user of the installed package reads: examples that run, annotations, the version."""

import doctest
import inspect
import re
from importlib.resources import files

import pytest

import l1svc

RESULTS = [l1svc.ExactPath, l1svc.ExactSearch, l1svc.Fits]  # shown where they are made
PUBLIC = [getattr(l1svc, name) for name in l1svc.__all__]


def failures(test):
    said = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.attempted
    return "".join(said)


@pytest.mark.parametrize("thing", [x for x in PUBLIC if x not in RESULTS])
def test_the_example_of_each_public_name_is_so(thing):
    (test,) = doctest.DocTestFinder(recurse=False).find(thing, thing.__name__)
    assert failures(test) == ""


def test_the_readmes_examples_are_so():
    readme = (files("l1svc") / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL))
    assert failures(doctest.DocTestParser().get_doctest(code, {}, "README", None, 0)) == ""


def test_the_changelog_begins_with_this_version():
    changes = (files("l1svc") / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"(?m)^## (\S+)", changes).group(1) == l1svc.__version__


def written_here(thing):
    """A function, or the functions of a class that this package defines."""
    if not inspect.isclass(thing):
        return [thing]
    members = [thing.__dict__[name] for name in dir(thing) if name in thing.__dict__]
    return [
        f
        for f in members
        if inspect.isfunction(f) and (f.__name__ == "__init__" or f.__name__[0] != "_")
    ]


@pytest.mark.parametrize("thing", PUBLIC)
def test_all_that_is_public_is_annotated(thing):
    for function in written_here(thing):
        signature = inspect.signature(function)
        given = [p for p in signature.parameters.values() if p.name != "self"]
        assert [p.name for p in given if p.annotation is p.empty] == [], function
        assert signature.return_annotation is not signature.empty, function
