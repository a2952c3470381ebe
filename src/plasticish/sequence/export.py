"""Tree and library for other programs: the two CSV files of graph viewers, and networkx."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticish.core import make_folder, write_atomically

if TYPE_CHECKING:
    from .library_layout import LibraryGraph
    from .looking import Looking

__all__ = ["library_to_networkx", "to_csv", "to_networkx"]

FIRED, QUIET = "blue", "grey"


def to_csv(memory: Looking, folder: str | Path) -> tuple[Path, Path]:
    """Write ``edges.csv`` (source, target, color) and ``nodes.csv`` (id, count, r_level).

    An id is what a node stands for, read from the root, with ``•`` at the end of a stored sequence;
    the root is ``•root``. The edges of the path that was learned last are blue, others grey.
    """
    folder = Path(folder)
    make_folder(folder, "the folder for the tables")
    names = _names(memory)
    fired = set(memory.fired)
    nodes: list[tuple[str, ...]] = [("id", "count", "r_level")]
    edges: list[tuple[str, ...]] = [("source", "target", "color")]
    for node in memory.nodes():
        nodes.append((names[node.id], f"{node.count:g}", str(node.r_level)))
        if node.parent is not None:
            colour = FIRED if node.id in fired else QUIET
            edges.append((names[node.parent], names[node.id], colour))
    return _write(folder / "edges.csv", edges), _write(folder / "nodes.csv", nodes)


def to_networkx(memory: Looking) -> Any:
    """Return the tree as a ``networkx.DiGraph``; nodes carry count, r_level and text."""
    import networkx  # half a second that only this function needs

    graph = networkx.DiGraph()
    for node in memory.nodes():
        text = memory.text(node.path)
        graph.add_node(node.id, count=node.count, r_level=node.r_level, text=text)
        if node.parent is not None:
            graph.add_edge(node.parent, node.id)
    return graph


def library_to_networkx(memory: Looking, library: LibraryGraph) -> Any:
    """Return the library as a ``networkx.DiGraph``; edges lead from a concept to its parts.

    A symbol is named by its code, since a word may be called like a concept.
    """
    import networkx

    def name(part: int) -> str | int:
        return part if part > 0 else f"C{-1 - part}"

    graph = networkx.DiGraph()
    for part in library.used():
        text = memory.text(memory.library.expand(np.array([part], np.int32)))
        graph.add_node(
            name(part), count=library.counts[part], level=library.levels[part], text=text
        )
        parts = library.parts.get(part, ())
        graph.add_edges_from((name(part), name(one), {"times": parts.count(one)}) for one in parts)
    return graph


def _names(memory: Looking) -> dict[int, str]:
    """Return a name for every node; symbols may look alike, names never are."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for node in memory.nodes():
        name = memory.text(node.path) if node.parent is not None else "•root"
        while name in taken:
            name += f"#{node.id}"
        taken.add(name)
        names[node.id] = name
    return names


def _write(path: Path, rows: list[tuple[str, ...]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8", "surrogatepass"))
    return path
