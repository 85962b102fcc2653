"""In CI no test may skip."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS=1 (as .ci/run sets it) a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # one of pytest-xdist's workers: the one that reports has them all
        return
    if os.environ.get("NO_SKIPS") == "1" and reporter.stats.get("skipped"):
        reporter.write_line("NO_SKIPS=1: a test was skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
