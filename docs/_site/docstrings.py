"""Docstrings as they are written (numpydoc, with reStructuredText inside) read as Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc|obj):`(?P<short>[~.]*)(?P<name>[\w.]+)`")
_MATH = re.compile(r":math:`(?P<tex>[^`]+)`")
_BLOCK = re.compile(r"^(?P<indent> *)\.\. math::[ \t]*(?P<rest>.*)$")


class MarkdownDocstrings(griffe.Extension):
    """Turn roles into code and links, and ``math`` directives into formulas."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object that was loaded."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Return a docstring with its roles and directives as Markdown.

    Examples
    --------
    >>> print(markdown("The trace :math:`x_i` of :class:`~a.Rule`:\\n\\n.. math:: x = 1"))
    The trace $x_i$ of <autoref identifier="a.Rule" optional><code>Rule</code></autoref>:
    <BLANKLINE>
    $$
    x = 1
    $$
    <BLANKLINE>
    """
    lines = text.split("\n")
    done: list[str] = []
    while lines:
        line = lines.pop(0)
        match = _BLOCK.match(line)
        done += [line] if match is None else _formula(match, lines)
    inline = _MATH.sub(lambda found: f"${found['tex']}$", "\n".join(done))
    return _ROLE.sub(_reference, inline)


def _formula(match: re.Match[str], lines: list[str]) -> list[str]:
    """Take the body of a ``math`` directive off ``lines``, and return it as a block."""
    indent, body = match["indent"], [match["rest"].strip()]
    while lines and (not lines[0].strip() or lines[0].startswith(f"{indent} ")):
        body.append(lines.pop(0).strip())
    while body and not body[-1]:
        body.pop()
    return ["", f"{indent}$$", *(indent + line for line in body if line), f"{indent}$$", ""]


def _reference(match: re.Match[str]) -> str:
    name = match["name"]
    shown = name.rpartition(".")[2] if match["short"] else name
    return f'<autoref identifier="{name}" optional><code>{shown}</code></autoref>'
