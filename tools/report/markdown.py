"""The parts of the report, and the Markdown that they make: for forges as it is, for page.py too.

A part is Markdown, or what Markdown cannot hold. What comes from the project, such as a file's
name, goes through `text`, `escape` or `code`: it stays text, whatever signs it has.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt

from pipeline.errors import one_line

MD = MarkdownIt("commonmark", {"html": False}).enable("table")
MD.add_render_rule(  # a long name may break where one would break it, on a phone
    "code_inline",
    lambda self, tokens, k, *_: (
        f"<code>{re.sub(r'(?<=[./_])(?=[a-z])', '<wbr>', html.escape(tokens[k].content))}</code>"
    ),
)
SIGNS = re.compile(r"[\\`*_<>\[\]|~#@&]")
MOST = 3  # names, before "and n more"
WIDTH = 360  # pixels of a picture: two stand side by side on a forge's page


@dataclass(frozen=True)
class Picture:
    """A PNG. address: of the committed file on a forge; place: its path, if it has one."""

    caption: str
    alt: str
    png: bytes
    address: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Card:
    """One test image: small pictures with what they are, and lines of Markdown below."""

    tiles: Sequence[tuple[str, bytes]]
    lines: Sequence[str]


@dataclass(frozen=True)
class Details:
    """What is folded until one asks for it; in HTML open from the start if `shown`."""

    summary: str
    parts: "Sequence[Part]"
    shown: bool = False


Part = str | list[Picture] | list[Card] | Details  # pictures and cards stand side by side


def code(value: object) -> str:
    """Any value as a span of code."""
    return f"`{one_line(str(value)).replace('`', chr(39))}`"


def some(names: Sequence[str]) -> str:
    """The first names as code, and how many more there are."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(map(code, names[:MOST])) + more


def escape(value: str) -> str:
    """Any value as words."""
    return SIGNS.sub(r"\\\g<0>", one_line(value))


def text(line: str) -> str:
    """A line in which `code` and **strong** mean that, and no other sign means anything."""
    parts = re.split(r"(`[^`]+`|\*\*)", one_line(line))
    return "".join(
        part if k % 2 and "|" not in part else SIGNS.sub(r"\\\g<0>", part)  # | ends a cell
        for k, part in enumerate(parts)
    )


def inline(line: str) -> str:
    """The same as HTML."""
    return str(MD.renderInline(text(line)))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Lines such as `text` takes; the columns in `right` hold numbers."""
    rule = ["---:" if k in right else "---" for k in range(len(header))]
    return _rows([map(text, header), rule, *(map(text, row) for row in rows)])


def _rows(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def markdown(parts: Iterable[Part]) -> str:
    """The report for a forge: pictures are links, and of cards the words alone."""
    return "\n\n".join(map(_markdown, parts))


def _markdown(part: Part) -> str:
    match part:
        case Details(summary, parts):
            head = f"<details><summary>{inline(summary)}</summary>"
            return f"{head}\n\n{markdown(parts)}\n\n</details>"
        case [Card(), *_]:
            lines = ([card.lines[0], "; ".join(card.lines[1:])] for card in part)
            return _rows([["test image", "before and now"], ["---"] * 2, *lines])
        case [Picture(), *_]:
            return _linked(part)
        case _:
            return part


def _linked(pictures: list[Picture]) -> str:
    """A table of those that have an address, and a line about the others."""
    linked = [picture for picture in pictures if picture.address]
    images = (
        f'<img src="{html.escape(p.address or "")}" width="{WIDTH}" alt="{html.escape(p.alt)}">'
        for p in linked
    )
    captions = (text(picture.caption) for picture in linked)
    said = (
        f"{p.caption}: " + (f"{code(p.place)}, " if p.place else "") + "in report.html"
        for p in pictures
        if not p.address
    )
    rows = _rows([captions, ["---"] * len(linked), images]) if linked else ""
    line = text("; ".join(said))
    return "\n\n".join(filter(None, [rows, line and f"{line}."]))
