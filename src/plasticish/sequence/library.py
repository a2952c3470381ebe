"""The library: patterns that recur anywhere become concepts, built of smaller concepts.

The tree abstracts what sequences have in common from the start; the library what they have in
common anywhere. It is a grammar that is learned as sequences arrive (:mod:`.grammar_kernels`): a
pair that was met in ``threshold`` places becomes a concept, and those places are rewritten with
it. Each *distinct* sequence is held once, so a count says in how many places of the stored set a
pattern stands, and not how popular one sequence is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, State

from . import grammar_kernels as kernels
from .alphabet import Encoded
from .arrays import power_of_two, with_room
from .grammar_kernels import CELL, CELLS, CONCEPTS, PAIR, PAIRS, Grammar
from .soundness import ANY_SYMBOL, check_grammar

__all__ = ["Concept", "ConceptLibrary"]

Codes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Concept:
    """A pattern that recurs.

    Attributes
    ----------
    id : int
        Its number, in the order of discovery.
    level : int
        1 if it is built of two symbols, else one more than the higher of its parts.
    count : int
        Places in the stored sequences where it stands, inside larger concepts too.
    expansion : int32 array
        The codes that it stands for.
    parts : (int, int)
        What it is built of: a code > 0, or -1 - the number of a concept.
    """

    id: int
    level: int
    count: int
    expansion: Codes
    parts: tuple[int, int]


class ConceptLibrary:
    """A grammar over sequences of codes that grows with each of them.

    Parameters
    ----------
    threshold : int
        Places where a pair has to stand before it becomes a concept, at least 2.

    Examples
    --------
    >>> from plasticish.sequence import Alphabet
    >>> alphabet, library = Alphabet(), ConceptLibrary()
    >>> batch = alphabet.encode(["anna", "hanna", "joanna"])
    >>> alphabet.grow(batch)
    >>> library.add(batch, rows=np.arange(3))
    >>> best = max(library.concepts(), key=lambda c: c.level)
    >>> alphabet.decode(best.expansion), best.level, best.count
    ('anna', 3, 3)
    >>> alphabet.decode(library.read(1))
    'hanna'
    """

    def __init__(self, threshold: int = 2) -> None:
        if isinstance(threshold, bool) or not isinstance(threshold, int) or threshold < 2:
            raise ConfigError(
                "threshold is out of range", got=repr(threshold), expected="an integer >= 2"
            )
        self.threshold = threshold
        self._grammar = Grammar(
            np.zeros(64, CELL), np.zeros(128, PAIR), np.zeros(64, np.int32),
            np.zeros(64, np.int32), np.array([0, -1, 0, 0], np.int64),
        )  # fmt: skip
        self._first: dict[int, int] = {}
        self._most = 0  # concepts and symbols stored, at most

    def __len__(self) -> int:
        """Number of concepts ever formed."""
        return int(self._grammar.head[CONCEPTS])

    @property
    def nbytes(self) -> int:
        """Bytes held by its arrays, and about those of the table of its sequences."""
        return sum(int(array.nbytes) for array in self._grammar) + 104 * len(self._first)

    def add(self, batch: Encoded, rows: Ints, wanted: npt.NDArray[np.bool_] | None = None) -> None:
        """Store sequences, and abstract what recurs.

        Parameters
        ----------
        batch : Encoded
            The sequences.
        rows : int array [sequences]
            A number for each, by which it can be read again.
        wanted : bool array [sequences], optional
            Which of them to store; by default all.
        """
        wanted = np.ones(len(batch), np.bool_) if wanted is None else wanted
        firsts = np.full(len(batch), -1, np.int32)
        for begin in range(0, len(batch), 4096):
            span = slice(begin, begin + 4096)
            starts = batch.starts[begin : begin + 4097]
            self._reserve(int(starts[-1] - starts[0]))
            kernels.add(
                self._grammar, batch.codes, starts, wanted[span], self.threshold, firsts[span]
            )
        self._first.update(zip(rows[wanted].tolist(), firsts[wanted].tolist(), strict=True))

    def remove(self, row: int) -> None:
        """Forget the sequence of this number; concepts that it helped to form stay."""
        kernels.remove(self._grammar, self._first.pop(row))

    def stored(self, row: int) -> Codes:
        """Return the parse of a stored sequence: codes, and concepts as -1 - their number."""
        cells, cell, found = self._grammar.cells, self._first[row], []
        while cell >= 0:
            found.append(int(cells[cell]["symbol"]))
            cell = int(cells[cell]["next"])
        return np.array(found, np.int32)

    def read(self, row: int) -> Codes:
        """Return a stored sequence as it was learned, without its end."""
        return self.expand(self.stored(row))

    def parse(self, codes: Codes) -> Codes:
        """Return any sequence in terms of the concepts there are."""
        found: Codes = kernels.parse(self._grammar, codes)
        return found

    def expand(self, symbols: Codes) -> Codes:
        """Return the codes that symbols and concepts stand for."""
        left, right = self._grammar.left, self._grammar.right
        found, stack = [], symbols[::-1].tolist()
        while stack:
            symbol = stack.pop()
            if symbol >= 0:
                found.append(symbol)
            else:
                stack += [int(right[-1 - symbol]), int(left[-1 - symbol])]
        return np.array(found, np.int32)

    def parts(self, concept: int) -> tuple[int, int]:
        """Return what a concept is built of."""
        return int(self._grammar.left[concept]), int(self._grammar.right[concept])

    def levels(self) -> Ints:
        """Return the level of every concept."""
        levels = np.zeros(len(self), np.int64)
        for i in range(len(self)):  # parts are always older
            parts = [int(levels[-1 - part]) for part in self.parts(i) if part < 0]
            levels[i] = 1 + max(parts, default=0)
        return levels

    def counts(self) -> Ints:
        """Return in how many places of the stored sequences every concept stands."""
        used = self._grammar.cells["symbol"][: int(self._grammar.head[CELLS])]
        counts = np.bincount(-1 - used[used < 0], minlength=len(self)).astype(np.int64)
        for i in range(len(self) - 1, -1, -1):
            for part in self.parts(i):
                if part < 0:
                    counts[-1 - part] += counts[i]
        return counts

    def concepts(self, level: int | None = None) -> list[Concept]:
        """Return the concepts in use, of one level or of all, the most frequent first."""
        levels, counts = self.levels(), self.counts()
        chosen = (counts > 0) & ((levels == level) if level is not None else True)
        return [
            Concept(
                i,
                int(levels[i]),
                int(counts[i]),
                self.expand(np.array([-1 - i], np.int32)),
                self.parts(i),
            )
            for i in sorted(np.flatnonzero(chosen).tolist(), key=lambda i: (-counts[i], i))
        ]

    def symbols_stored(self) -> int:
        """Return how many symbols and concepts all parses have together."""
        used = self._grammar.cells["symbol"][: int(self._grammar.head[CELLS])]
        return int((used != 0).sum())

    def _reserve(self, symbols: int) -> None:
        g = self._grammar
        cells = with_room(g.cells, int(g.head[CELLS]) + symbols)
        # A symbol makes at most one pair when it comes, and a rewriting at most two.
        wanted = 2 * (int(g.head[PAIRS]) + 3 * symbols)
        pairs = g.pairs
        if wanted > len(pairs):
            pairs = np.zeros(power_of_two(wanted), PAIR)
            kernels.enter_pairs(g.pairs, pairs)
        # A concept is made by rewriting, and each rewriting takes a cell away.
        self._most += symbols
        if self._most > len(g.left):  # seldom: to count what is stored takes as long as it is long
            self._most = len(self) + self.symbols_stored() + symbols
            g = g._replace(
                left=with_room(g.left, 2 * self._most), right=with_room(g.right, 2 * self._most)
            )
        self._grammar = g._replace(cells=cells, pairs=pairs)

    def export_state(self) -> State:
        """Return the grammar as it stands."""
        g = self._grammar
        pairs = np.sort(g.pairs[g.pairs["key"] != 0], order="key")
        arrays = {f"cell.{k}": g.cells[k][: int(g.head[CELLS])] for k in CELL.names or ()}
        arrays |= {f"pair.{k}": pairs[k] for k in PAIR.names or ()}
        arrays["pair.key"] = pairs["key"].view(np.int64)
        arrays |= {"left": g.left[: len(self)], "right": g.right[: len(self)]}
        arrays["row"] = np.array(list(self._first), np.int64)
        arrays["first"] = np.array(list(self._first.values()), np.int64)
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return State({"head": g.head.tolist()}, tensors)

    def import_state(self, state: State, symbols: int = ANY_SYMBOL) -> None:
        """Put back what :meth:`export_state` returned, of an alphabet of ``symbols``.

        Raises
        ------
        DataError
            If it is no grammar.
        """
        arrays = {name: tensor.numpy() for name, tensor in state.tensors.items()}
        cells = np.zeros(len(arrays["cell.symbol"]), CELL)
        for name in CELL.names or ():
            cells[name] = arrays[f"cell.{name}"]
        entries = np.zeros(len(arrays["pair.count"]), PAIR)
        for name in PAIR.names or ():
            entries[name] = arrays[f"pair.{name}"].view(entries[name].dtype)
        head = np.array(state.values["head"], np.int64)
        parts = arrays["left"], arrays["right"]
        check_grammar(cells, entries, parts, head, arrays["first"], symbols)
        pairs = np.zeros(power_of_two(max(2 * len(entries), 128)), PAIR)
        kernels.enter_pairs(entries, pairs)
        self._grammar = Grammar(cells, pairs, arrays["left"].copy(), arrays["right"].copy(), head)
        self._first = dict(zip(arrays["row"].tolist(), arrays["first"].tolist(), strict=True))
        self._most = len(self) + self.symbols_stored()
