"""Where the nodes of a tree go in a picture: leaves side by side, parents above their children."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from .tree import AbstractionTree, Node

__all__ = ["MAX_DRAWN", "Layout", "Placed", "lay_out"]

MAX_DRAWN = 300
"""Nodes drawn at most: beyond that nobody can read them."""


@dataclass(frozen=True)
class Placed:
    """A node and its place: x in leaves from the left, y in nodes from the root."""

    node: Node
    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """The part of a tree that is drawn.

    Attributes
    ----------
    nodes : dict of int to Placed
        By the number of the node, a parent before its children.
    left_out : int
        How many nodes are not drawn.
    width, depth : float
        Largest x and y, at least 1.
    """

    nodes: dict[int, Placed]
    left_out: int
    width: float
    depth: float


def lay_out(tree: AbstractionTree, limit: int = MAX_DRAWN) -> Layout:
    """Place the strongest ``limit`` nodes of a tree: those with the highest counts.

    A node is never stronger than its parent, so what is chosen hangs together.
    """
    chosen = _strongest(tree, limit)
    children: dict[int, list[int]] = {row: [] for row in chosen}
    for row in chosen:
        if row != 0:
            children[chosen[row][1]].append(row)
    x, y, leaves = {}, {0: 0}, 0
    order, stack = [], [0]
    while stack:
        row = stack.pop()
        order.append(row)
        for child in children[row]:
            y[child] = y[row] + 1
        stack.extend(reversed(children[row]))
        if not children[row]:
            x[row] = float(leaves)
            leaves += 1
    for row in reversed(order):  # children before parents
        if children[row]:
            x[row] = (x[children[row][0]] + x[children[row][-1]]) / 2
    placed = {row: Placed(chosen[row][0], x[row], float(y[row])) for row in order}
    return Layout(
        placed, len(tree) - len(placed), max(leaves - 1.0, 1.0), max(1.0, *map(float, y.values()))
    )


def _strongest(tree: AbstractionTree, limit: int) -> dict[int, tuple[Node, int]]:
    """Return nodes with the number of their parent, taking the highest count first."""
    chosen: dict[int, tuple[Node, int]] = {}
    waiting = [(-tree.count, 0, 0)]
    while waiting and len(chosen) < limit:
        _, row, parent = heapq.heappop(waiting)
        chosen[row] = (tree.node(row), parent)
        for child in tree.children(row):
            heapq.heappush(waiting, (-tree.node(child).count, child, row))
    # By the order of the tree, so that siblings stand by their first symbols.
    ranked = sorted(chosen, key=lambda row: chosen[row][0].path.tolist())
    return {row: chosen[row] for row in ranked}
