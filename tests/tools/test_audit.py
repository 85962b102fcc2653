"""What pip-audit answers, and that what was not looked up is not called sound."""

import json

import pytest

from tools.audit import LOCKS, AuditError, found


def answer(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
WRONG = {"name": "jinja2", "version": "2.11.0", "vulns": [{"id": "PYSEC-2021-66"}]}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def test_vulnerabilities_are_named() -> None:
    known = found("a.txt", answer(SOUND, WRONG), "Found 1 known vulnerability")
    assert known == {"numpy 2.4.6": [], "jinja2 2.11.0": ["PYSEC-2021-66"]}


@pytest.mark.parametrize(
    ("given", "said", "line"),
    [
        ("", "a\nConnectionError: no route", "a.txt: not known, .* asked: ConnectionError: no ro"),
        ("", "", "pip-audit said nothing"),
        (answer(SOUND, SKIPPED), "No known vulnerabilities found", r"for 1 of 2 packages \(six, …"),
        (answer(), "No known vulnerabilities found", "for 0 of 0 packages"),
    ],
)
def test_what_is_not_known_is_refused(given: str, said: str, line: str) -> None:
    with pytest.raises(AuditError, match=line):
        found("a.txt", given, said)


def test_every_lock_is_asked_for(root) -> None:
    assert set(LOCKS) >= {"requirements.txt", "requirements/dev.txt", "requirements/setup.txt"}
