"""The report as one HTML file with everything inside: its Markdown, and the pictures."""

import base64
import html
import io
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from PIL import Image

from tools.report.markdown import MD, Card, Details, Part, Picture, inline

STYLE = Path(__file__).with_name("page.css")
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
POLICY += "style-src 'unsafe-inline'"
# The style lays tables out anew, for which browsers take what they are away from them.
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row"}
ROLES |= {"th": "columnheader", "td": "cell"}
LONG = 20  # characters of a cell that on a phone takes a line of its own


def page(parts: Iterable[Part], title: str) -> str:
    """The whole report; no script, nothing from elsewhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}"
        f"</style>\n</head>\n<body>\n<main>\n{_all(parts)}\n</main>\n</body>\n</html>\n"
    )


def _all(parts: Iterable[Part]) -> str:
    return "\n".join(map(_html, parts))


def _html(part: Part) -> str:
    match part:
        case Details(summary, parts, shown):
            head = f"<details{' open' * shown}><summary>{inline(summary)}</summary>"
            return f"{head}\n{_all(parts)}\n</details>"
        case [Card(), *_]:
            return f"<div class=cards>\n{''.join(map(_card, part))}</div>"
        case [Picture(), *_]:
            least = "22rem" if len(part) > 2 else "26rem"
            figures = "".join(map(_picture, part))
            return f'<div class=pictures style="--least: {least}">\n{figures}</div>'
        case _:
            return _text(part)


def _text(markdown: str) -> str:
    """Markdown as HTML; each cell of a table has its column's name, which a phone shows."""
    tokens, names, column = MD.parse(markdown), [""], 0
    for token, inside in pairwise(tokens):
        if token.nesting == 1 and token.tag in ROLES:
            token.attrSet("role", ROLES[token.tag])
        if token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            names.append(inside.content)
        elif token.type == "td_open":
            column += 1
            token.attrSet("data-label", names[column])
            token.attrSet("class", "wide" if len(inside.content) > LONG else "")
    return str(MD.renderer.render(tokens, MD.options, {}))


def _picture(picture: Picture) -> str:
    kind, data, (width, height) = lossless(picture.png)
    return (
        f"<figure><figcaption>{inline(picture.caption)}</figcaption>"
        f'<img width={width} height={height} alt="{html.escape(picture.alt)}" '
        f'src="{_uri(kind, data)}"></figure>\n'
    )


def _card(card: Card) -> str:
    tiles = "".join(
        f'<div><img alt="{what}" src="{_uri("png", data)}"><span>{what}</span></div>'
        for what, data in card.tiles
    )
    lines = "".join(map(_text, card.lines))
    return f"<div class=card><div class=tiles>{tiles}</div>{lines}</div>\n"


def lossless(png: bytes) -> tuple[str, bytes, tuple[int, int]]:
    """Kind, bytes and size of the same pixels as WebP: two fifths of matplotlib's PNG."""
    with Image.open(io.BytesIO(png)) as image:
        data = io.BytesIO()
        image.save(data, "WEBP", lossless=True, quality=20, method=3)
        return "webp", data.getvalue(), image.size


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
