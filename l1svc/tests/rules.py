"""What holds in every run of these tests, of l1svc installed alone as well."""

import os

import pytest
from hypothesis import HealthCheck, settings

# No test fails for being slow on a busy machine.
patient = settings(database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples each time, as many as a test asks for.
settings.register_profile("fixed", patient, derandomize=True)
# Others each time, by a seed, and ten times as many: `make test-all`.
settings.register_profile("random", patient, max_examples=1000)
settings.load_profile("fixed")


def examples(number: int) -> settings:
    """Draw so many examples; under the profile "random" ten times as many."""
    return settings(max_examples=number * settings().max_examples // 100)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS=1 (as .ci/run sets it) a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # one of pytest-xdist's workers: the one that reports has them all
        return
    passed = session.exitstatus == pytest.ExitCode.OK
    if passed and os.environ.get("NO_SKIPS") == "1" and reporter.stats.get("skipped"):
        reporter.write_line("NO_SKIPS=1: a test was skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
