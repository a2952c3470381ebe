"""Where the nodes of a tree go in a picture: leaves one below the other, parents to their left."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .diagram import GAP, ROW, Diagram, Link, Spot, Style
from .tree import AbstractionTree, Node

if TYPE_CHECKING:
    from .looking import Looking

__all__ = ["columns", "tree_diagram"]

_WIDEST = 1.6
_LABEL = 40  # symbols of a path that are read for a label; more would be cut off anyway


def tree_diagram(memory: Looking, style: Style, fired: Sequence[int], limit: int) -> Diagram:
    """Place the strongest ``limit`` nodes of a memory's tree: those with the highest counts.

    A node is never stronger than its parent, so what is chosen hangs together.

    Parameters
    ----------
    memory : Looking
        Whose tree it is.
    style : Style
        What is written at the nodes.
    fired : sequence of int
        Numbers of the nodes on the path that stands out.
    limit : int
        Nodes drawn at most.
    """
    tree, path = memory.tree, set(fired)
    chosen = _strongest(tree, limit)
    spots = {}
    for row, node in chosen.items():
        begun = 0 if node.parent is None else len(chosen[node.parent].path)
        text = memory.text(node.path[begun : begun + _LABEL]) if row else "root"
        label = style.label(text, node.count, node.r_level)
        spots[row] = Spot(label, node.count, node.r_level, row in path)
    parents = {row: node.parent for row, node in chosen.items() if node.parent is not None}
    links = tuple(Link(parent, row, row in path) for row, parent in parents.items())
    left_out = len(tree) - len(chosen)
    note = f"the {len(chosen):,} strongest nodes; {left_out:,} more are not drawn"
    return Diagram(
        f"abstraction tree: {tree.count:,g} sequences, {len(tree):,} nodes",
        note if left_out else "",
        _placed(spots, parents),
        links,
        left_out,
        "r_level",
    )


def _placed(spots: dict[int, Spot], parents: Mapping[int, int]) -> dict[int, Spot]:
    """Give every node of a tree its place; ``spots`` has a parent before its children."""
    children: dict[int, list[int]] = {row: [] for row in spots}
    depth = dict.fromkeys(spots, 0)
    for row, parent in parents.items():
        children[parent].append(row)
        depth[row] = depth[parent] + 1
    y: dict[int, float] = {}
    leaves = 0
    for row in spots:  # children follow their parent at once, so leaves come from top to bottom
        if not children[row]:
            y[row] = leaves * ROW
            leaves += 1
    for row in reversed(spots):
        if children[row]:
            y[row] = (y[children[row][0]] + y[children[row][-1]]) / 2
    x = columns(spots, depth, leaves * ROW)
    return {row: replace(spot, x=x[depth[row]], y=y[row]) for row, spot in spots.items()}


def columns(
    spots: Mapping[int, Spot], column: Mapping[int, int], height: float
) -> dict[int, float]:
    """Return x of each column, so that the words of the next one do not reach into it."""
    gap = max(GAP, min(0.05 * height, _WIDEST))  # links that climb high need width to be told apart
    rooms: dict[int, float] = {}
    for row, spot in spots.items():
        rooms[column[row]] = max(rooms.get(column[row], 0.0), spot.room)
    x: dict[int, float] = {}
    at = 0.0
    for number in sorted(rooms):
        at += rooms[number] + (gap if x else 0.0)
        x[number] = at
    return x


def _strongest(tree: AbstractionTree, limit: int) -> dict[int, Node]:
    """Return nodes, taking the highest count first."""
    chosen: dict[int, Node] = {}
    waiting = [(-tree.count, 0)]
    while waiting and len(chosen) < limit:
        _, row = heapq.heappop(waiting)
        chosen[row] = tree.node(row)
        for child in tree.children(row):
            heapq.heappush(waiting, (-tree.node(child).count, child))
    # In the order of the tree, a parent before its children and siblings by their first symbols.
    ranked = sorted(chosen, key=lambda row: chosen[row].path.tolist())
    return {row: chosen[row] for row in ranked}
