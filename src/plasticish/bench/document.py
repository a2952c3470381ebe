"""A document as a list of blocks, and the two ways to write it: Markdown, and HTML in one file.

Whatever stands in a block is text: both writers escape all of it. The HTML needs no other file,
no network and no script.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Heading",
    "Inline",
    "Link",
    "Mark",
    "Paragraph",
    "Picture",
    "Table",
    "to_html",
    "to_markdown",
]

Tone = Literal["bad", "good", "quiet", "strong"]


@dataclass(frozen=True)
class Link:
    """Text that leads to a heading of the same document."""

    text: str
    anchor: str


@dataclass(frozen=True)
class Mark:
    """Text that is to be noticed, or to be passed over."""

    text: str
    tone: Tone


Inline = str | Link | Mark


@dataclass(frozen=True)
class Heading:
    """A heading; ``anchor`` is what links name."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    parts: tuple[Inline, ...]

    @classmethod
    def of(cls, *parts: Inline) -> Paragraph:
        """Return a paragraph of these parts."""
        return cls(parts)


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Inline, ...]


@dataclass(frozen=True)
class Code:
    """Lines as a terminal has them."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; the columns after the first ``texts`` hold numbers and stand to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]
    texts: int = 1


@dataclass(frozen=True)
class Picture:
    """A PNG file, and what it shows in words."""

    path: Path
    shows: str


Block = Heading | Paragraph | Bullets | Code | Table | Picture

# Of Markdown's special characters those that mean something within a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")


def to_markdown(blocks: Iterable[Block], folder: Path) -> str:
    """Return the document as Markdown that lies in ``folder``.

    Examples
    --------
    >>> print(to_markdown([Paragraph.of("a*b is ", Mark("bad", "bad"))], Path()), end="")
    a\\*b is **bad**
    """
    return "\n\n".join(_markdown(block, folder) for block in blocks) + "\n"


def _markdown(block: Block, folder: Path) -> str:
    match block:
        case Heading(level, text, anchor):
            return f'<a id="{html.escape(anchor)}"></a>\n\n{"#" * level} {_escaped(text)}'
        case Paragraph(parts):
            return "".join(map(_markdown_inline, parts))
        case Bullets(items):
            return "\n".join(f"- {_markdown_inline(item)}" for item in items)
        case Code(text):
            return "\n".join(f"    {line}" for line in text.splitlines())
        case Table(headings, rows, texts):
            rule = ["---" if column < texts else "---:" for column in range(len(headings))]
            lines = [map(_escaped, headings), rule, *(map(_markdown_inline, row) for row in rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
        case Picture(path, shows):
            return f"![{_escaped(shows)}]({path.relative_to(folder).as_posix()})"


def _markdown_inline(part: Inline) -> str:
    match part:
        case Link(text, anchor):
            return f"[{_escaped(text)}](#{anchor})"
        case Mark(text, "bad" | "strong"):
            return f"**{_escaped(text)}**"
        case Mark(text, _):
            return _escaped(text)
    return _escaped(part)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()) if "\n" in text else text)


_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.1rem 4rem; max-width: 62rem; color: #222; background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.3rem; margin-top: 3rem; padding-top: .8rem; border-top: 2px solid #0072b2; }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem; }
a { color: #005a8e; }
.wide { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem .28rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e3e6e8; }
th { color: #555; font-weight: 600; border-bottom-color: #8c8c8c; }
.n { text-align: right; white-space: nowrap; }
td:not(.n) { min-width: 5.5rem; }
pre { padding: .5rem .8rem; background: #f3f5f6; overflow-x: auto; font-size: .88rem; }
img { max-width: 100%; height: auto; }
.bad { color: #a63603; font-weight: 700; }
.good { color: #00694e; }
.quiet { color: #666; }
.strong { font-weight: 700; }
"""


def to_html(blocks: Sequence[Block], title: str) -> str:
    """Return the document as one HTML file that holds its pictures.

    Examples
    --------
    >>> page = to_html([Paragraph.of("1 < 2")], "a & b")
    >>> "<title>a &amp; b</title>" in page, "<p>1 &lt; 2</p>" in page
    (True, True)
    """
    body = "\n".join(map(_html, blocks))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may be loaded, should anything ever slip past the escaping.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(level, text, anchor):
            return f'<h{level} id="{html.escape(anchor)}">{html.escape(text)}</h{level}>'
        case Paragraph(parts):
            return f"<p>{''.join(map(_html_inline, parts))}</p>"
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{_html_inline(item)}</li>' for item in items)}</ul>"
        case Code(text):
            return f"<pre>{html.escape(text)}</pre>"
        case Table():
            return _html_table(block)
        case Picture(path, shows):
            data = base64.b64encode(path.read_bytes()).decode("ascii")
            return f'<img alt="{html.escape(shows)}" src="data:image/png;base64,{data}">'


def _html_table(table: Table) -> str:
    def cells(tag: str, contents: Iterable[str]) -> str:
        return "".join(
            f"<{tag}>{content}</{tag}>"
            if column < table.texts
            else f'<{tag} class="n">{content}</{tag}>'
            for column, content in enumerate(contents)
        )

    head = cells("th", map(html.escape, table.headings))
    rows = "".join(f"<tr>{cells('td', map(_html_inline, row))}</tr>" for row in table.rows)
    # A region with a name and a place in the tab order: wide tables scroll by keyboard too.
    return (
        '<div class="wide" role="region" aria-label="table" tabindex="0"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _html_inline(part: Inline) -> str:
    match part:
        case Link(text, anchor):
            return f'<a href="#{html.escape(anchor)}">{html.escape(text)}</a>'
        case Mark(text, tone):
            return f'<span class="{tone}">{html.escape(text)}</span>'
    return html.escape(part)
