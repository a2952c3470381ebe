"""Where the concepts of a library go in a picture: symbols at the left, what they build beyond."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .diagram import ROW, Diagram, Link, Spot, Style, shortened
from .layout import columns
from .node_kernels import END

if TYPE_CHECKING:
    from .looking import Looking

__all__ = ["LibraryGraph", "library_diagram", "library_graph"]

_SWEEPS = 8
_WORDS = 8  # parts of a sequence that are told in the note


@dataclass(frozen=True)
class LibraryGraph:
    """The library as a graph.

    Attributes
    ----------
    counts : dict of int to int
        In how many places of the distinct stored sequences a part stands. A part is a code > 0 for
        a single symbol, or -1 - the number of a concept.
    levels : dict of int to int
        Of each part; 0 for a symbol.
    parts : dict of int to (int, int)
        What each concept is built of.
    """

    counts: dict[int, int]
    levels: dict[int, int]
    parts: dict[int, tuple[int, int]]

    def used(self) -> list[int]:
        """Return the symbols and concepts that stand in a stored sequence."""
        return [part for part, count in self.counts.items() if count]

    def below(self, wanted: Iterable[int]) -> list[int]:
        """Return these parts and all that they are built of, each once."""
        found: dict[int, None] = {}
        stack = list(wanted)
        while stack:
            part = stack.pop()
            if part not in found:
                found[part] = None
                stack += self.parts.get(part, ())
        return list(found)


def library_graph(memory: Looking) -> LibraryGraph:
    """Return all symbols and concepts, those that are not in use any more with a count of 0."""
    library = memory.library
    codes = memory.tree.gathered()[0]
    places = np.bincount(codes[codes > 0], minlength=len(memory.alphabet) + 1)
    counts = {code: int(count) for code, count in enumerate(places.tolist()) if code}
    levels = dict.fromkeys(counts, 0)
    parts = {-1 - i: library.parts(i) for i in range(len(library))}
    counts |= {-1 - i: count for i, count in enumerate(library.counts().tolist())}
    levels |= {-1 - i: level for i, level in enumerate(library.levels().tolist())}
    return LibraryGraph(counts, levels, parts)


def library_diagram(
    memory: Looking, style: Style, fired: Sequence[int], pool: Sequence[int] | None, limit: int
) -> Diagram:
    """Place concepts beside their parts.

    Parameters
    ----------
    memory : Looking
        Whose library it is.
    style : Style
        What is written at the concepts.
    fired : sequence of int
        The parse of the sequence that stands out; it is drawn whatever else is.
    pool : sequence of int, optional
        What to draw, with all that it is built of; by default everything. The most frequent are
        drawn first.
    limit : int
        Symbols and concepts drawn at most.
    """
    graph = library_graph(memory)
    wanted = graph.used() if pool is None else list(pool)
    path = set(graph.below(fired))
    # A part is at least as frequent as what is built of it, and comes first at a tie.
    ranked = sorted(wanted, key=lambda part: (-graph.counts[part], part < 0, abs(part)))
    chosen = _within(graph, [*fired, *ranked], limit)
    left_out = len(graph.below([*wanted, *fired])) - len(chosen)
    spots = {}
    for part in sorted(chosen, key=lambda part: (graph.levels[part], abs(part))):
        count, level = graph.counts[part], graph.levels[part]
        label = style.label(_written(memory, [part]), count, level)
        spots[part] = Spot(label, count, level, part in path)
    links = [
        Link(source, part, part in path)
        for part in spots
        for source in dict.fromkeys(graph.parts.get(part, ()))
    ]
    column = {part: spot.level for part, spot in spots.items()}
    built = [part for part in dict.fromkeys(fired) if part in chosen]
    if built:
        # The sequence itself stands beyond the highest of its parts, under the number of the end.
        highest = max(column[part] for part in built)
        spots[END] = Spot(shortened(_written(memory, fired)), 1, highest, True)
        column[END] = highest + 1
        links += [Link(part, END, True) for part in built]
    note = f"the {len(chosen):,} most frequent; {left_out:,} more are not drawn" if left_out else ""
    note = "   ".join(filter(None, (_sentence(memory, fired), note)))
    return Diagram(_title(graph), note, _placed(spots, links, column), tuple(links), left_out)


def _title(graph: LibraryGraph) -> str:
    levels = [graph.levels[part] for part in graph.used() if part < 0]
    heights = f" at levels 1 to {max(levels)}" if levels else ""
    return f"library: {len(levels):,} concept{'' if len(levels) == 1 else 's'}{heights}"


def _within(graph: LibraryGraph, ranked: Sequence[int], limit: int) -> set[int]:
    """Return as many as there is room for, none without what it is built of."""
    chosen: set[int] = set()
    for part in ranked:
        needed = set(graph.below([part])) - chosen
        if len(chosen) + len(needed) > limit:
            break
        chosen |= needed
    return chosen


def _written(memory: Looking, parse: Sequence[int]) -> str:
    return memory.text(memory.library.expand(np.array(parse, np.int32)))


def _sentence(memory: Looking, parse: Sequence[int]) -> str:
    """Say how the sequence that stands out is built."""
    words = [_written(memory, [part]) for part in parse[:_WORDS]]
    more = " + …" if len(parse) > _WORDS else ""
    return f"{shortened(_written(memory, parse))} = {' + '.join(words)}{more}" if words else ""


def _placed(
    spots: dict[int, Spot], links: Sequence[Link], column: Mapping[int, int]
) -> dict[int, Spot]:
    """Give each concept a place: what is linked is near each other, as far as there is room.

    The order within a column follows the mean place of what a spot is linked with, again and again
    (the barycentre heuristic of Sugiyama, Tagawa & Toda 1981).
    """
    near: dict[int, list[int]] = {part: [] for part in spots}
    for link in links:
        near[link.source].append(link.target)
        near[link.target].append(link.source)
    rows: dict[int, list[int]] = {}
    for part in spots:
        rows.setdefault(column[part], []).append(part)
    height = ROW * max(map(len, rows.values()), default=1)
    y: dict[int, float] = {}
    for parts in rows.values():
        _spread(parts, height, y)
    for _ in range(_SWEEPS):
        for parts in rows.values():
            parts.sort(key=lambda part: _mean(part, near[part], y))
            _spread(parts, height, y)
    x = columns(spots, column, height)
    return {part: replace(spot, x=x[column[part]], y=y[part]) for part, spot in spots.items()}


def _spread(parts: Sequence[int], height: float, y: dict[int, float]) -> None:
    for i, part in enumerate(parts):
        y[part] = (i + 0.5) * height / len(parts)


def _mean(part: int, near: Sequence[int], y: Mapping[int, float]) -> float:
    return sum(y[other] for other in near) / len(near) if near else y[part]
