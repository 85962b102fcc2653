"""The report on a change: `python -m tools.report [BASE]` writes report.md and report.html.

The work tree against BASE, by default the commit where it left the main branch. The base's values
and pictures come out of git; nothing is run and nothing fetched.
"""

import argparse
from pathlib import Path

from pipeline.artifacts import save_text
from pipeline.errors import run
from tools.report.blocks import markdown, page, plain
from tools.report.comparison import compare
from tools.report.content import blocks
from tools.report.limits import FILE, load_limits
from tools.report.revision import ReportError, base_revision, head_revision

MARKDOWN, HTML = Path("report.md"), Path("report.html")
LIMIT = 2**20  # bytes: what a job's summary holds, and what one likes to open


def report(base: str | None) -> None:
    """Write both files, and print the first sentence."""
    limits = load_limits() if FILE.exists() else None
    found = compare(base_revision(base), head_revision(), limits)
    title = plain(f"From {found.base.name} to {found.head.name}")
    content = blocks(found)
    for file, text in ((MARKDOWN, markdown(content, title)), (HTML, page(content, title))):
        size = len(text.encode())
        if size > LIMIT:
            raise ReportError(f"{file}: would be {size:,} bytes; allowed: {LIMIT:,}")
        save_text(file, text)
    print(getattr(content[0], "text", ""))
    print(f"report: {MARKDOWN}, {HTML}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="report", description=__doc__.splitlines()[0])
    parser.add_argument("base", nargs="?", help="the revision to compare with")
    options = parser.parse_args()
    run(lambda: report(options.base))


if __name__ == "__main__":
    main()
