"""The tree for other programs: the two CSV files that graph viewers read, and networkx."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plasticish.core import write_atomically

if TYPE_CHECKING:
    from .looking import Looking

__all__ = ["to_csv", "to_networkx"]

FIRED, QUIET = "blue", "grey"


def to_csv(memory: Looking, folder: str | Path) -> tuple[Path, Path]:
    """Write ``edges.csv`` (source, target, color) and ``nodes.csv`` (id, count, r_level).

    An id is what a node stands for, read from the root, with ``•`` at the end of a stored sequence;
    the root is ``•root``. The edges of the path that was learned last are blue, others grey.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
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
