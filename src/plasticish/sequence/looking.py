"""Looking into a memory: its levels, concepts and pictures, and the files for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import DataError

from . import export
from .alphabet import Symbols
from .drawing import Picture, Style, draw_tree
from .layout import MAX_DRAWN
from .parts import Parts
from .prediction import NamedConcept
from .tree import Node

__all__ = ["Looking"]


class Looking(Parts):
    """The views of a memory; none of them changes it."""

    def levels(self) -> dict[int, int]:
        """Return how many nodes of the tree there are at each ``r_level``, 0 being the leaves."""
        return self.tree.levels()

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes of the tree, a parent before its children."""
        return self.tree.nodes()

    def concepts(self, level: int | None = None) -> list[NamedConcept]:
        """Return the patterns that recur anywhere, of one level or of all, most frequent first."""
        return [
            NamedConcept(
                f"C{found.id}",
                found.level,
                found.count,
                self.alphabet.decode(found.expansion),
                tuple(self._name_of(part) for part in found.parts),
            )
            for found in self.library.concepts(level)
        ]

    def parse(self, sequence: Symbols) -> list[NamedConcept]:
        """Show how a sequence, stored or not, is built from concepts and single symbols.

        Raises
        ------
        DataError
            If a symbol of it was never seen.
        """
        batch = self._encode([sequence])
        if batch.new:
            raise DataError("a symbol was never seen", got=repr(batch.new[0]))
        leaf = self.tree.leaf(batch.codes)
        found = self.library.parse(batch.codes[:-1]) if leaf < 0 else self.library.stored(leaf)
        known = {concept.id: concept for concept in self.library.concepts()}
        parts = []
        for symbol in found.tolist():
            expansion = self.alphabet.decode(self.library.expand(np.array([symbol], np.int32)))
            concept = known.get(-1 - symbol)
            level, count = (concept.level, concept.count) if concept else (0, 0)
            inside = tuple(map(self._name_of, concept.parts)) if concept else ()
            parts.append(NamedConcept(self._name_of(symbol), level, count, expansion, inside))
        return parts

    def sequences(self) -> Iterator[tuple[Symbols, float]]:
        """Yield every distinct stored sequence, read from the library, and its count."""
        for row in self.tree.leaves().tolist():
            yield self.alphabet.decode(self.library.read(row)), self.tree.node(row).count

    def _name_of(self, symbol: int) -> str:
        return f"C{-1 - symbol}" if symbol < 0 else str(self.alphabet.symbols[symbol - 1])

    def draw(
        self,
        *,
        counts: bool = False,
        levels: bool = False,
        fired: Symbols | None = None,
        limit: int = MAX_DRAWN,
    ) -> Picture:
        """Draw the tree: count as thickness, level as colour, the path that fired highlighted.

        Parameters
        ----------
        counts, levels : bool
            Whether to write them at the nodes.
        fired : sequence, optional
            The path to highlight; by default that of the sequence learned last.
        limit : int
            Nodes drawn at most; the strongest are, and the picture says how many are not.
        """
        return draw_tree(self, Style(counts, levels, self._path(fired)), limit)

    def visualize(self, with_counts: bool = False, with_r_levels: bool = False) -> Picture:
        """Draw the tree, as :meth:`draw` does."""
        return self.draw(counts=with_counts, levels=with_r_levels)

    def visualize_activation(
        self,
        sequence: Symbols | None = None,
        with_counts: bool = True,
        with_r_levels: bool = True,
        limit: int = MAX_DRAWN,
    ) -> Picture:
        """Draw what travels from the leaf to the root when a sequence is learned.

        Blue arrows are counts, green ones levels, along the path of ``sequence``, by default that
        of the sequence learned last.
        """
        style = Style(with_counts, with_r_levels, self._path(sequence), signals=True)
        return draw_tree(self, style, limit)

    def _path(self, sequence: Symbols | None) -> list[int]:
        return self.fired if sequence is None else self.tree.trace(self._encode([sequence]).codes)

    def export(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``edges.csv`` (source, target, color) and ``nodes.csv`` (id, count, r_level).

        Graph viewers such as Cosmograph read them; the edges of the last path are blue.
        """
        return export.to_csv(self, folder)

    def to_networkx(self) -> Any:
        """Return the tree as a ``networkx.DiGraph``; nodes carry count, r_level and text."""
        return export.to_networkx(self)

    def text(self, codes: npt.NDArray[np.int32]) -> str:
        """Return codes as people read them; ``•`` is an end, ``?`` a symbol never seen."""
        separator = "" if self.alphabet.kind in (None, "text") else " "
        shown = ["•" if c == 0 else "?" if c < 0 else _printable(str(self.alphabet.symbols[c - 1]))
                 for c in codes.tolist()]  # fmt: skip
        return separator.join(shown)


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
