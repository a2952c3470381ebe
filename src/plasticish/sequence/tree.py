"""The abstraction tree: sequences refactored into shared prefixes, each with an exact count.

A radix tree (Morrison 1968): an inner node is an *abstraction*, what two or more sequences have
in common from the start; a leaf is a stored sequence. Inserting a sequence splits at most one
edge, so the tree is the same whatever order the sequences came in. ``count`` of a node is the
number of stored sequences below it, repeated ones counted; ``r_level`` is how many abstractions
are stacked below it: 0 for a leaf, else one more than its highest child. Both travel from the
leaf to the root when a sequence is learned: each node needs to know its neighbours only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, NotReadyError, State

from . import node_kernels, path_kernels, spectrum_kernels, tree_kernels
from .alphabet import Encoded
from .arrays import power_of_two, with_room
from .node_kernels import EDGE, EDGES, END, LIVE, NODE, ROOT, ROWS, TEXT
from .soundness import ANY_SYMBOL, check_tree

__all__ = ["QUANTUM", "AbstractionTree", "Node", "check_amount"]

QUANTUM = 2.0**-20
"""Amounts are multiples of this: their sums are then exact, so that what is undone is undone."""

Codes = npt.NDArray[np.int32]

_CHUNK = 1 << 16  # sequences entered between two looks at the room that is left


class Stored(NamedTuple):
    """What became of each sequence of a batch.

    Attributes
    ----------
    leaves : int64 array [sequences]
        The number of its leaf.
    fresh : bool array [sequences]
        Whether it was not stored before.
    own : float64 array [sequences]
        How much of the count that it had before is due to a list that is being read again.
    """

    leaves: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.bool_]
    own: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """One node of the tree.

    Attributes
    ----------
    id : int
        Its number; it stays while the node lives.
    path : int32 array
        Codes from the root to here; the last is 0 (the end) at a leaf.
    count : float
        Stored sequences at or below it.
    r_level : int
        Abstractions stacked below it; 0 for a leaf.
    parent : int or None
        Number of its parent; None for the root.
    """

    id: int
    path: Codes
    count: float
    r_level: int
    parent: int | None

    @property
    def is_leaf(self) -> bool:
        """Whether it is a stored sequence."""
        return len(self.path) > 0 and int(self.path[-1]) == END


def check_amount(amount: Any) -> float:
    """Return ``amount`` as a multiple of :data:`QUANTUM`.

    Raises
    ------
    ConfigError
        If it is no finite number, is as good as zero, or is absurdly large.
    """
    sound = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if not sound or not QUANTUM <= abs(amount) <= 2.0**30:
        raise ConfigError(
            "the amount is out of range",
            got=repr(amount),
            expected="a number between 1e-6 and 1e9, or its negative",
        )
    return float(round(amount / QUANTUM) * QUANTUM)


class AbstractionTree:
    """A growing radix tree over sequences of codes, in flat arrays.

    Examples
    --------
    >>> from plasticish.sequence import Alphabet
    >>> alphabet, tree = Alphabet(), AbstractionTree()
    >>> tree.insert(alphabet.encode(["emma", "emily", "emma"])).fresh.tolist()
    [True, True, False]
    >>> [(node.path.tolist(), node.count, node.r_level) for node in tree.nodes()]
    [([], 3.0, 2), ([1, 2], 3.0, 1), ([1, 2, 2, 3, 0], 2.0, 0), ([1, 2, 4, 5, 6, 0], 1.0, 0)]
    """

    def __init__(self) -> None:
        self._nodes = np.zeros(64, NODE)
        self._edges = np.zeros(128, EDGE)
        self._text = np.zeros(256, np.int32)
        self._head = np.array([1, -1, 0, 0, 0], np.int64)
        self._nodes[ROOT] = (0.0, 0, 0, 0, 0, -1, -1, -1, -1)
        self._spectrum = np.zeros(64)  # how many sequences are stored 1, 2, … times
        self._again = np.zeros(1)  # share of what came lately that was stored already
        self._longest = 0

    def __len__(self) -> int:
        """Number of nodes, the root among them."""
        return int(self._head[EDGES]) + 1

    @property
    def count(self) -> float:
        """Number of stored sequences, repeated ones counted."""
        return float(self._nodes[ROOT]["count"])

    @property
    def nbytes(self) -> int:
        """Bytes held by its arrays."""
        return self._nodes.nbytes + self._edges.nbytes + self._text.nbytes

    def insert(self, batch: Encoded, amount: float = 1.0, epoch: int = 0) -> Stored:
        """Store every sequence of ``batch``, potentiating its path by ``amount`` > 0.

        ``epoch`` is a date, kept at the leaf: the larger the later.
        """
        count = len(batch)
        stored = Stored(np.zeros(count, np.int64), np.zeros(count, np.bool_), np.zeros(count))
        for first in range(0, len(batch), _CHUNK):
            starts = batch.starts[first : first + _CHUNK + 1]
            lengths = np.diff(starts)
            self._longest = max(self._longest, int(lengths.max()))
            self._reserve(len(lengths), int(lengths.sum()))
            span = slice(first, first + _CHUNK)
            tree_kernels.insert_all(
                self._nodes, self._edges, self._head, self._text, self._spectrum, self._again,
                batch.codes, starts, amount, epoch, *(part[span] for part in stored),
            )  # fmt: skip
        return stored

    @property
    def readings(self) -> int:
        """How often all that is stored seems to have been read: 1, or more if a list came again.

        Popular sequences do not count as read again; a list read twice is known by the lack of
        sequences that came once (:func:`.spectrum_kernels.readings`).
        """
        return int(spectrum_kernels.readings(self._spectrum))

    def weight(self, sequence: Codes) -> float:
        """Return the count of a sequence (codes with the end); 0 if it is not stored."""
        leaf = self.leaf(sequence)
        return 0.0 if leaf < 0 else float(self._nodes[leaf]["count"])

    def withdraw(self, sequence: Codes, amount: float) -> None:
        """Take ``amount`` > 0 off a stored sequence; where nothing is left the path is undone.

        Raises
        ------
        NotReadyError
            If the sequence was never learned, or not that often.
        """
        leaf = self.leaf(sequence)
        held = 0.0 if leaf < 0 else float(self._nodes[leaf]["count"])
        if held < amount:
            raise NotReadyError(
                "a sequence was not learned that often" if held else "this was never learned",
                got=f"{amount:g} to take back, {held:g} stored",
                cure="forget what was learned, and no more than was learned",
            )
        self._withdraw(leaf, amount)

    def _withdraw(self, leaf: int, amount: float) -> None:
        # Two labels may be merged into a new one.
        self._reserve(0, 2 * self._longest)
        tree_kernels.withdraw(
            self._nodes, self._edges, self._head, self._text, self._spectrum, leaf, amount
        )
        self._tidy()

    @property
    def symbols(self) -> int:
        """Number of symbols held, those of a shared beginning once."""
        return int(self._head[LIVE])

    def fade(self, symbols: int, share: float) -> None:
        """Forget the weakest sequences, until at most so many symbols are held.

        A sequence is as strong as its count, times ``share`` for every epoch since it was last
        learned; of those alike the one that came first goes first.
        """
        leaves = self.leaves()
        ages = self._nodes["epoch"][leaves].max() - self._nodes["epoch"][leaves]
        order = np.argsort(self._nodes["count"][leaves] * share**ages, kind="stable")
        freed = np.cumsum(self._nodes["length"][leaves[order]])
        going = int(np.searchsorted(freed, self.symbols - symbols)) + 1
        for leaf in leaves[order[:going]].tolist():
            self._withdraw(leaf, float(self._nodes[leaf]["count"]))

    def levels(self) -> dict[int, int]:
        """Return how many nodes there are at each ``r_level``."""
        alive = self._alive()
        level, count = np.unique(self._nodes["level"][alive], return_counts=True)
        return dict(zip(level.tolist(), count.tolist(), strict=True))

    def nodes(self) -> Iterator[Node]:
        """Yield every node, a parent before its children, children by their first symbol."""
        stack = [ROOT]
        while stack:
            row = stack.pop()
            yield self.node(row)
            stack.extend(reversed(self.children(row)))

    def node(self, row: int) -> Node:
        """Return the node of this number."""
        found = self._nodes[row]
        parent = int(found["parent"])
        return Node(
            row,
            path_kernels.path_to(self._nodes, self._text, row),
            float(found["count"]),
            int(found["level"]),
            parent if parent >= 0 else None,
        )

    def children(self, row: int) -> list[int]:
        """Return the numbers of a node's children, by the first symbol of their labels."""
        found, child = [], int(self._nodes[row]["first_child"])
        while child >= 0:
            found.append(child)
            child = int(self._nodes[child]["next"])
        return sorted(found, key=lambda one: int(self._text[self._nodes[one]["start"]]))

    def reach(self, prefix: Codes) -> int | None:
        """Return the node that is at or just below ``prefix``, or None if nothing begins so."""
        node, _, reached = path_kernels.descend(
            self._nodes, self._edges, self._text, prefix, 0, len(prefix)
        )
        return int(node) if reached == len(prefix) else None

    def trace(self, sequence: Codes) -> list[int]:
        """Return the numbers of the nodes that a sequence passes, the root first.

        The last may be entered only in part: where a prefix ends inside its label.
        """
        node, _, reached = path_kernels.descend(
            self._nodes, self._edges, self._text, sequence, 0, len(sequence)
        )
        if reached < len(sequence):
            # It left the tree here: the node it broke off in is not on its path.
            node = node if reached == len(self.node(node).path) else self._nodes[node]["parent"]
        rows = []
        while node >= 0:
            rows.append(int(node))
            node = self._nodes[node]["parent"]
        return rows[::-1]

    def sequences(self) -> Iterator[tuple[Codes, float]]:
        """Yield every distinct stored sequence (codes with the end) and its count."""
        for row in self.leaves():
            yield (
                path_kernels.path_to(self._nodes, self._text, row),
                float(self._nodes[row]["count"]),
            )

    def gathered(
        self, since: int = 0
    ) -> tuple[Codes, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return distinct stored sequences end to end, where each starts, and their counts.

        All of them, or those learned in the epoch ``since`` or later.
        """
        leaves = self.leaves()
        leaves = leaves[self._nodes["epoch"][leaves] >= since]
        return (
            *path_kernels.paths_to(self._nodes, self._text, leaves),
            self._nodes["count"][leaves],
        )

    def leaf(self, sequence: Codes) -> int:
        """Return the number of a sequence's leaf, or -1 if it is not stored."""
        return int(path_kernels.locate(self._nodes, self._edges, self._text, sequence))

    def _alive(self) -> npt.NDArray[np.int64]:
        used = self._nodes["length"][: int(self._head[ROWS])] > 0
        used[ROOT] = True
        return np.flatnonzero(used)

    def leaves(self) -> npt.NDArray[np.int64]:
        """Return the numbers of all leaves."""
        alive = self._alive()[1:]
        leaves: npt.NDArray[np.int64] = alive[self._nodes["first_child"][alive] < 0]
        return leaves

    def _reserve(self, sequences: int, symbols: int) -> None:
        """Make room for so many more sequences, of so many symbols together."""
        self._nodes = with_room(self._nodes, int(self._head[ROWS]) + 2 * sequences)
        self._text = with_room(self._text, int(self._head[TEXT]) + symbols)
        edges = 2 * (int(self._head[EDGES]) + 2 * sequences)
        if edges > len(self._edges):
            larger = np.zeros(power_of_two(edges), EDGE)
            node_kernels.rehash(self._edges, larger)
            self._edges = larger

    def _tidy(self) -> None:
        """Rewrite the text when forgetting has left more than half of it unused."""
        used, needed = int(self._head[TEXT]), int(self._head[LIVE])
        if used > 1024 and 2 * needed < used:
            text = np.zeros_like(self._text)
            rows = self._alive()
            self._head[TEXT] = node_kernels.compact(self._nodes, self._text, text, rows)
            self._text = text

    def export_state(self) -> State:
        """Return the arrays as they stand."""
        rows, text = int(self._head[ROWS]), int(self._head[TEXT])
        tensors = {
            name: torch.from_numpy(self._nodes[name][:rows].copy()) for name in NODE.names or ()
        }
        tensors["text"] = torch.from_numpy(self._text[:text].copy())
        values = {"head": self._head.tolist(), "longest": self._longest, "again": self._again[0]}
        return State(values, tensors)

    def import_state(self, state: State, symbols: int = ANY_SYMBOL) -> None:
        """Put back what :meth:`export_state` returned, of an alphabet of ``symbols``.

        Raises
        ------
        DataError
            If it is no tree.
        """
        stored, text = state.tensors, state.tensors["text"].numpy()
        nodes = np.zeros(len(stored["parent"]), NODE)
        for name in NODE.names or ():
            nodes[name] = stored[name].numpy().reshape(len(nodes))
        head = np.array(state.values["head"], np.int64)
        check_tree(nodes, text, head, symbols)
        self._head = head
        self._longest = int(state.values["longest"])
        self._again = np.array([state.values["again"]], np.float64)
        self._nodes = with_room(nodes, power_of_two(max(len(nodes), 64)))
        self._text = with_room(text.astype(np.int32), power_of_two(max(len(text), 256)))
        self._head[TEXT] = len(text)
        counts = np.minimum(self._nodes["count"][self.leaves()] + 0.5, 63).astype(np.int64)
        self._spectrum = np.bincount(counts, minlength=64).astype(np.float64)
        # The table of edges follows from the nodes.
        self._edges = np.zeros(power_of_two(max(2 * int(self._head[EDGES]), 128)), EDGE)
        node_kernels.enter_edges(self._nodes, self._edges, self._text, self._alive()[1:])
