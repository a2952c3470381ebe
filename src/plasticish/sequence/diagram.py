"""What a picture shows and where: spots with their words, and the links between them.

The tree and the library are both drawn as such a diagram, which grows to the right so that there
is room for words. Places are in inches, from the upper left.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

__all__ = ["GAP", "MAX_DRAWN", "ROW", "Diagram", "Link", "Spot", "Style", "curve", "shortened"]

MAX_DRAWN = 300
"""Spots drawn at most: beyond that nobody can read them."""

ROW, GAP = 0.17, 0.45
"""Inches between two rows, and between the end of one column and the words of the next."""

_LETTER, _LONGEST = 0.066, 28


@dataclass(frozen=True)
class Style:
    """What a picture shows beside the shape.

    Attributes
    ----------
    counts, levels : bool
        Whether they are written at the spots.
    signals : bool
        Whether the path that fired shows counts and levels travelling.
    layout : {"auto", "own", "dot"}
        Who places the spots: Graphviz if it is there, this package, or Graphviz for certain.
    """

    counts: bool = False
    levels: bool = False
    signals: bool = False
    layout: str = "auto"

    def label(self, text: str, count: float, level: int) -> str:
        """Return what is written at a spot."""
        parts = [shortened(text)]
        if self.counts:
            parts.append(f"{count:g}")
        if self.levels:
            parts.append(f"r{level}")
        return "  ".join(parts)


@dataclass(frozen=True)
class Spot:
    """A node and its place.

    Attributes
    ----------
    label : str
        What is written to the left of it, on the line that leads to it.
    count : float
        Decides how thick it is.
    level : int
        Decides its colour.
    fired : bool
        Whether it stands out.
    x, y : float
        Its place, in inches.
    """

    label: str
    count: float
    level: int
    fired: bool = False
    x: float = 0.0
    y: float = 0.0

    @property
    def room(self) -> float:
        """Inches that the label takes."""
        wide = sum(unicodedata.east_asian_width(c) in "WF" for c in self.label)
        return 0.12 + _LETTER * (len(self.label) + wide)


@dataclass(frozen=True)
class Link:
    """A line between two spots, as thick as the count of the one it leads to."""

    source: int
    target: int
    fired: bool = False


@dataclass(frozen=True)
class Diagram:
    """A picture before it is painted.

    Attributes
    ----------
    title, note : str
        Written above it; the note says what is left out.
    spots : dict of int to Spot
        What is drawn, by number.
    links : tuple of Link
        Between spots of it.
    left_out : int
        How many nodes are not drawn.
    word : str
        What a level is called in the legend.
    """

    title: str
    note: str
    spots: dict[int, Spot]
    links: tuple[Link, ...]
    left_out: int = 0
    word: str = "level"


def curve(source: Spot, target: Spot) -> list[tuple[float, float]]:
    """Return the four Bézier points of a link, and a fifth: from the fourth it goes on straight.

    The straight end lies under the label of the target.
    """
    bend = max(target.x - target.room, source.x + 0.05)
    middle = (source.x + bend) / 2
    return [(source.x, source.y), (middle, source.y), (middle, target.y), (bend, target.y),
            (target.x, target.y)]  # fmt: skip


def shortened(text: str) -> str:
    """Return ``text``, cut where no picture has room for more."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
