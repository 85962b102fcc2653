"""What the report is made of, and how each part looks in Markdown and in HTML.

A text may hold `code` and **strong** words; all else in it is plain, whatever signs it has.
"""

import base64
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

SPANS = re.compile(r"(`[^`]*`|\*\*(?:[^*`]|`[^`]*`)+\*\*)")
WIDTH = 360  # pixels of a picture in Markdown: two stand side by side on a forge's page


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Text:
    text: str
    lead: bool = False  # the first sentence


@dataclass(frozen=True)
class Table:
    """rows of texts; the columns in `right` hold numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A PNG. address: of the committed file on a forge; place: its path, if it has one."""

    caption: str
    alt: str
    png: bytes
    address: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, of one size."""

    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Card:
    """One test image: small pictures with what they are, and words below."""

    tiles: Sequence[tuple[str, bytes]]
    lines: Sequence[str]


@dataclass(frozen=True)
class Cards:
    """Images as pictures; in Markdown, which cannot hold them, their words alone."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Details:
    """What is folded until one asks for it; in HTML open from the start if `shown`."""

    summary: str
    blocks: "Sequence[Block]"
    shown: bool = False


Block = Heading | Text | Table | Pictures | Cards | Details


def code(value: object) -> str:
    """Any text as a span of code."""
    return "`" + " ".join(str(value).replace("`", "'").split()) + "`"


def plain(value: object) -> str:
    """Any text as words that are neither code nor strong."""
    return " ".join(str(value).replace("`", "'").replace("**", "* *").split())


@dataclass(frozen=True)
class Marks:
    """How plain words, code and strong words look."""

    plain: Callable[[str], str]
    code: Callable[[str], str]
    strong: Callable[[str], str]

    def __call__(self, text: str) -> str:
        parts = []
        for k, part in enumerate(SPANS.split(text)):
            if k % 2 == 0:
                parts.append(self.plain(part))
            elif part.startswith("`"):
                parts.append(self.code(part[1:-1]))
            else:
                parts.append(self.strong(self(part[2:-2])))
        return "".join(parts)


# Markdown, as GitHub and GitLab read it.


def markdown(blocks: Sequence[Block], title: str) -> str:
    """The whole report."""
    return f"# {_md(title)}\n\n" + "\n\n".join(map(_md_block, blocks)) + "\n"


def _md_code(text: str) -> str:
    return f"`{text}`" if text.strip() else text


_md = Marks(
    lambda text: re.sub(r"([\\`*_<>\[\]|~#@&])", r"\\\1", text),
    _md_code,
    lambda text: f"**{text}**",
)
# In a table's cell a | ends it, in code too.
_md_cell = Marks(_md.plain, lambda text: _md_code(text.replace("|", r"\|")), _md.strong)


def _md_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_md(text)}"
        case Text(text):
            return _md(text)
        case Table(header, rows, right):
            rule = ["---:" if k in right else "---" for k in range(len(header))]
            lines = [[_md_cell(cell) for cell in row] for row in (header, *rows)]
            lines.insert(1, rule)
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
        case Pictures(pictures):
            return _md_pictures(pictures)
        case Cards(cards):
            return _md_block(
                Table(["test image", "before and now"], [_card_row(card) for card in cards])
            )
        case Details(summary, blocks):
            inner = "\n\n".join(map(_md_block, blocks))
            return f"<details><summary>{_html(summary)}</summary>\n\n{inner}\n\n</details>"


def _card_row(card: Card) -> list[str]:
    return [card.lines[0], "; ".join(card.lines[1:])]


def _md_pictures(pictures: Sequence[Picture]) -> str:
    linked = [picture for picture in pictures if picture.address]
    said = [
        f"{picture.caption}: "
        + (f"`{picture.place}`, " if picture.place else "")
        + "in report.html"
        for picture in pictures
        if not picture.address
    ]
    lines = []
    if linked:
        lines.append("| " + " | ".join(_md_cell(picture.caption) for picture in linked) + " |")
        lines.append("|" + " --- |" * len(linked))
        images = (
            f'<img src="{html.escape(picture.address or "")}" width="{WIDTH}"'
            f' alt="{html.escape(picture.alt)}">'
            for picture in linked
        )
        lines.append("| " + " | ".join(images) + " |")
        lines.append("")
    if said:
        lines.append(_md("; ".join(said) + "."))
    return "\n".join(lines).strip()


# HTML, one file with everything inside.

STYLE = """
:root {
  --page: #ffffff; --panel: #f5f6f7; --line: #c4c7cb; --text: #202124; --muted: #53575c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16181b; --panel: #202327; --line: #43484e; --text: #e8eaed; --muted: #b3b8be;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 76rem; margin: 0 auto; padding: 0 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1.5rem 0 0.75rem; overflow-wrap: anywhere; }
h2 {
  font-size: 1.25rem; line-height: 1.3; margin: 2rem 0 0.75rem; padding-top: 1.25rem;
  border-top: 1px solid var(--line);
}
p { margin: 0 0 0.75rem; max-width: 52rem; text-wrap: pretty; overflow-wrap: anywhere; }
p.lead {
  font-size: 1.1875rem; padding: 0.875rem 1.125rem; background: var(--panel);
  border: 1px solid var(--line); border-radius: 0.5rem; max-width: none;
}
code {
  font: 0.875em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere;
  background: var(--panel); padding: 0.0625rem 0.25rem; border-radius: 0.25rem;
}
.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td code { white-space: nowrap; }
td wbr { display: none; }
th, td {
  text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0;
  border-bottom: 1px solid var(--line);
}
th { color: var(--muted); font-size: 0.875rem; font-weight: 600; }
.right { text-align: right; white-space: nowrap; }
@media (max-width: 45rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr {
    display: grid; gap: 0 0.75rem; padding: 0.375rem 0; border-bottom: 1px solid var(--line);
    grid-template-columns: repeat(auto-fit, minmax(4.25rem, 1fr));
  }
  td { border: 0; padding: 0; overflow-wrap: anywhere; }
  td:first-child { grid-column: 1 / -1; }
  td:empty { display: none; }
  td:not(:first-child)::before {
    content: attr(data-label); display: block; color: var(--muted); font-size: 0.75rem;
  }
  td code { white-space: normal; }
  td wbr { display: inline; }
  .right { text-align: left; white-space: normal; }
  .wide { grid-column: 1 / -1; }
}
.pictures {
  display: grid; gap: 1rem; margin: 0 0 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--least)), 1fr));
}
figure { margin: 0; min-width: 0; }
figcaption { font-size: 0.875rem; font-weight: 600; margin-bottom: 0.25rem; }
.pictures img {
  display: block; width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: 0.375rem;
}
.pictures > :only-child { max-width: 46rem; }
.cards {
  display: grid; gap: 1rem; margin: 0 0 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17.5rem), 1fr));
}
.card {
  background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.625rem;
}
.tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.375rem; }
.tiles img {
  display: block; width: 100%; image-rendering: pixelated; background: #ffffff;
  border: 1px solid var(--line);
}
.tiles span { font-size: 0.75rem; color: var(--muted); }
.card p { font-size: 0.875rem; margin: 0.375rem 0 0; }
.card p + p { color: var(--muted); margin: 0; }
details { margin: 0 0 0.75rem; }
summary { cursor: pointer; font-weight: 600; padding: 0.25rem 0; }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px; }
footer { color: var(--muted); font-size: 0.875rem; margin-top: 2rem; }
@media print { main { max-width: none; } .card, figure { break-inside: avoid; } }
"""
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
POLICY += "style-src 'unsafe-inline'"


def page(blocks: Sequence[Block], title: str) -> str:
    """The whole report; no script, nothing from elsewhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_html(title)}</h1>\n" + "\n".join(map(_html_block, blocks)) + "\n</main>\n"
        "</body>\n</html>\n"
    )


def _html_code(text: str) -> str:
    # long names may break where one would break them, on a phone
    return f"<code>{re.sub(r'(?<=[./_])(?=[a-z])', '<wbr>', html.escape(text))}</code>"


_html = Marks(html.escape, _html_code, lambda text: f"<strong>{text}</strong>")


def _html_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{_html(text)}</h2>"
        case Text(text, lead):
            return f"<p{' class=lead' * lead}>{_html(text)}</p>"
        case Table(header, rows, right):

            def row(tag: str, cells: Sequence[str]) -> str:
                return "".join(
                    f"<{tag} role={'columnheader' if tag == 'th' else 'cell'}"
                    f"{' class=right' * (k in right)}{' class=wide' * (len(cell) > 20)}"
                    f' data-label="{html.escape(header[k])}">{_html(cell)}</{tag}>'
                    for k, cell in enumerate(cells)
                )

            body = "\n".join(f"<tr role=row>{row('td', cells)}</tr>" for cells in rows)
            return (
                "<div class=scroll><table role=table>\n<thead role=rowgroup>"
                f"<tr role=row>{row('th', header)}</tr></thead>\n"
                f"<tbody role=rowgroup>\n{body}\n</tbody></table></div>"
            )
        case Pictures(pictures):
            figures = "\n".join(map(_html_picture, pictures))
            least = "22rem" if len(pictures) > 2 else "26rem"
            return f'<div class=pictures style="--least: {least}">\n{figures}\n</div>'
        case Cards(cards):
            return f"<div class=cards>\n{chr(10).join(map(_html_card, cards))}\n</div>"
        case Details(summary, blocks, shown):
            inner = "\n".join(map(_html_block, blocks))
            opened = " open" * shown
            return f"<details{opened}><summary>{_html(summary)}</summary>\n{inner}\n</details>"


def _html_picture(picture: Picture) -> str:
    kind, data, (width, height) = lossless(picture.png)
    return (
        f"<figure><figcaption>{_html(picture.caption)}</figcaption>"
        f'<img width={width} height={height} alt="{html.escape(picture.alt)}" '
        f'src="{_uri(kind, data)}"></figure>'
    )


def _html_card(card: Card) -> str:
    tiles = "".join(
        f'<div><img alt="{html.escape(what)}" src="{_uri("png", data)}"><span>{_html(what)}</span>'
        "</div>"
        for what, data in card.tiles
    )
    lines = "".join(f"<p>{_html(line)}</p>" for line in card.lines)
    return f"<div class=card><div class=tiles>{tiles}</div>{lines}</div>"


def lossless(png: bytes) -> tuple[str, bytes, tuple[int, int]]:
    """Kind, bytes and size of the same pixels as WebP: two fifths of matplotlib's PNG."""
    with Image.open(io.BytesIO(png)) as image:
        data = io.BytesIO()
        image.save(data, "WEBP", lossless=True, quality=20, method=3)
        return "webp", data.getvalue(), image.size


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
