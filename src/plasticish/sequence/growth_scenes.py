"""The scenes of a growing tree: it after each sequence, every node where it will stay.

The final tree is laid out once. What a tree has is never moved by what comes later: an abstraction
appears between two nodes, and a leaf beyond one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .alphabet import Symbols
from .diagram import Spot, Style, shortened
from .layout import tree_diagram
from .memory import PlasticMemory

__all__ = ["Key", "Scene", "final_places", "scenes"]

Key = tuple[int, ...]
"""A node by its path, which stays while numbers of nodes do not."""


@dataclass(frozen=True)
class Scene:
    """The tree after one more sequence.

    Attributes
    ----------
    caption : str
        Which sequence it learned.
    spots : dict of tuple to Spot
        Its nodes by their path; counts and levels are those after the sequence.
    parents : dict of tuple to tuple
        The parent of each but the root.
    fired : list of tuple
        The path of the sequence, the leaf first.
    before : dict of tuple to (float, int)
        Count and level of each node on the path before the signals come; those of a new node are
        what it has without the new sequence.
    fresh : set of tuple
        Nodes that the sequence made.
    """

    caption: str
    spots: dict[Key, Spot]
    parents: dict[Key, Key]
    fired: list[Key]
    before: dict[Key, tuple[float, int]]
    fresh: set[Key]

    def at(self, counted: float, levelled: float) -> dict[Key, Spot]:
        """Return the nodes when the signals have come so many links far from the leaf."""
        spots = dict(self.spots)
        for i, key in enumerate(self.fired):
            count, level = self.before[key]
            spots[key] = replace(
                spots[key],
                count=spots[key].count if counted >= i else count,
                level=spots[key].level if levelled >= i else level,
            )
        return spots


def scenes(sequences: Sequence[Symbols]) -> Iterator[Scene]:
    """Yield the tree after each sequence; a node has the same place in all of them."""
    places = final_places(sequences)
    memory = PlasticMemory("plain")
    known: dict[Key, Spot] = {}
    for i, sequence in enumerate(sequences, 1):
        memory.learn([sequence])
        spots: dict[Key, Spot] = {}
        parents: dict[Key, Key] = {}
        keys: dict[int, Key] = {}
        for node in memory.nodes():
            key = keys[node.id] = tuple(node.path.tolist())
            above = () if node.parent is None else keys[node.parent]
            text = memory.text(node.path[len(above) :]) if key else "root"
            place = places[key]
            spots[key] = Spot(shortened(text), node.count, node.r_level, False, place.x, place.y)
            if key:
                parents[key] = above
        fired = [keys[row] for row in reversed(memory.fired)]
        before = {key: _before(key, spots, known) for key in fired}
        name = shortened(memory.text(memory.tree.node(memory.fired[-1]).path[:-1]))
        caption = f"{i} of {len(sequences)}:  {name}"
        yield Scene(caption, spots, parents, fired, before, set(spots) - set(known))
        known = spots


def _before(key: Key, spots: dict[Key, Spot], known: dict[Key, Spot]) -> tuple[float, int]:
    if key in known:
        return known[key].count, known[key].level
    spot = spots[key]
    # A leaf is born with its sequence; an abstraction with what is below it already.
    return (spot.count, spot.level) if spot.level == 0 else (spot.count - 1, spot.level)


def final_places(sequences: Sequence[Symbols]) -> dict[Key, Spot]:
    """Return the nodes of the tree after all sequences, each in its place."""
    memory = PlasticMemory("plain")
    memory.learn(sequences)
    diagram = tree_diagram(memory, Style(counts=True), [], len(memory.tree))
    return {tuple(memory.tree.node(row).path.tolist()): s for row, s in diagram.spots.items()}
