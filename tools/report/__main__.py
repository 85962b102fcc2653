"""The report on a change: `python -m tools.report [BASE]` writes report.md and report.html.

The work tree against BASE, by default the commit where it left the main branch. The base's values
and pictures come out of git; nothing is run and nothing fetched.
"""

import argparse
from pathlib import Path

from pipeline.artifacts import save_text
from pipeline.errors import one_line, run
from tools.report.comparison import compare
from tools.report.content import content, title
from tools.report.limits import FILE, judge, load_limits
from tools.report.markdown import markdown
from tools.report.page import page
from tools.report.revision import ReportError, base_revision, head_revision
from tools.report.sentence import sentence

MARKDOWN, HTML = Path("report.md"), Path("report.html")
LIMIT = 2**20  # bytes: what a job's summary holds, and what one likes to open


def report(base: str | None) -> None:
    """Write both files, and print the first sentence."""
    found = compare(base_revision(base), head_revision())
    judged = judge(load_limits(), found) if FILE.exists() else []
    parts = list(content(found, judged))
    for file, written in ((MARKDOWN, f"{markdown(parts)}\n"), (HTML, page(parts, title(found)))):
        size = len(written.encode())
        if size > LIMIT:
            raise ReportError(f"{file}: would be {size:,} bytes; allowed: {LIMIT:,}")
        save_text(file, written)
    print(one_line(sentence(found)))
    print(f"report: {MARKDOWN}, {HTML}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="report", description=__doc__.splitlines()[0])
    parser.add_argument("base", nargs="?", help="the revision to compare with")
    options = parser.parse_args()
    run(lambda: report(options.base))


if __name__ == "__main__":
    main()
