"""Looking into a memory: its levels, concepts and pictures, and the files for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import ConfigError, DataError

from . import export
from .alphabet import Symbols
from .context_kernels import MARK
from .diagram import MAX_DRAWN, Style
from .drawing import Picture, paint
from .layout import tree_diagram
from .library_layout import library_diagram, library_graph
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
        found = self._parsed(sequence)
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

    def _parsed(self, sequence: Symbols) -> npt.NDArray[np.int32]:
        batch = self._encode([sequence])
        if batch.new:
            raise DataError("a symbol was never seen", got=repr(batch.new[0]))
        return self._parse_of(batch.codes)

    def _parse_of(self, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        leaf = self.tree.leaf(codes)
        return self.library.parse(codes[:-1]) if leaf < 0 else self.library.stored(leaf)

    def draw(
        self,
        what: str = "tree",
        *,
        counts: bool = False,
        levels: bool = False,
        fired: Symbols | None = None,
        limit: int = MAX_DRAWN,
        layout: str = "auto",
    ) -> Picture:
        """Draw the tree or the library: count as thickness, level as colour.

        Parameters
        ----------
        what : {"tree", "library"}
            The tree with the path that fired highlighted, or the library with the concepts that the
            sequence is built from (:meth:`draw_library` can draw a part of it).
        counts, levels : bool
            Whether to write them at the nodes.
        fired : sequence, optional
            What to highlight; by default the sequence learned last.
        limit : int
            Nodes drawn at most; the strongest are, and the picture says how many are not.
        layout : {"auto", "own", "dot"}
            Who places the nodes. ``auto`` asks Graphviz if its program ``dot`` is there and
            succeeds within 20 s; ``own`` never does, and is the same on every machine.

        Raises
        ------
        ConfigError
            If ``what`` or the layout is unknown, the limit is no positive integer, or ``dot`` was
            asked for and cannot be had.
        """
        if what == "library":
            return self.draw_library(
                counts=counts, levels=levels, fired=fired, limit=limit, layout=layout
            )
        _check_what(what)
        return self._draw_tree(Style(counts, levels, layout=layout), fired, limit)

    def draw_library(
        self,
        *,
        counts: bool = False,
        levels: bool = False,
        fired: Symbols | None = None,
        level: int | None = None,
        concept: str | None = None,
        limit: int = MAX_DRAWN,
        layout: str = "auto",
    ) -> Picture:
        """Draw concepts and what they are built of, symbols at the left and each level beyond.

        Parameters
        ----------
        fired : sequence, optional
            What to highlight the concepts of, by default the sequence learned last; an unknown
            sequence is parsed, as :meth:`parse` does.
        level : int, optional
            Draw the concepts of this level and what they are built of, instead of all.
        concept : str, optional
            Draw this one (``"C12"``, as :meth:`concepts` names it) and what it is built of.
        counts, levels, limit, layout
            As for :meth:`draw`.

        Raises
        ------
        DataError
            If a symbol was never seen, or no concept has this name or level.
        ConfigError
            As :meth:`draw`.
        """
        style = Style(counts, levels, layout=layout)
        used: list[int] = []
        if fired is not None:
            used = self._parsed(fired).tolist()
        elif self.fired and level is None and concept is None:
            used = self._parse_of(self._last).tolist()
        pool = self._pool(level, concept)
        return paint(library_diagram(self, style, used, pool, _checked(limit)), style)

    def _pool(self, level: int | None, concept: str | None) -> list[int] | None:
        if level is None and concept is None:
            return None
        found = [
            one for one in self.library.concepts(level) if concept in (None, f"C{one.id}")
        ]  # fmt: skip
        if not found:
            named = "" if concept is None else f" named {concept!r}"
            where = "" if level is None else f" at level {level}"
            raise DataError(
                f"there is no concept{named}{where}", cure="concepts() lists those there are"
            )
        return [-1 - one.id for one in found]

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
        return self._draw_tree(Style(with_counts, with_r_levels, signals=True), sequence, limit)

    def _draw_tree(self, style: Style, fired: Symbols | None, limit: int) -> Picture:
        path = self.fired if fired is None else self.tree.trace(self._place(fired).codes)
        return paint(tree_diagram(self, style, path, _checked(limit)), style)

    def export(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``edges.csv`` (source, target, color) and ``nodes.csv`` (id, count, r_level).

        Graph viewers such as Cosmograph read them; the edges of the last path are blue.
        """
        return export.to_csv(self, folder)

    def to_networkx(self, what: str = "tree") -> Any:
        """Return the tree or the library as a ``networkx.DiGraph``.

        Nodes of the tree carry ``count``, ``r_level`` and ``text``, and edges lead to children.
        Nodes of the library are named as :meth:`concepts` names them and carry ``count``, ``level``
        and ``text``; edges lead from a concept to its parts, ``times`` as often as it has them.

        Raises
        ------
        ConfigError
            If ``what`` is neither ``"tree"`` nor ``"library"``.
        """
        if what == "library":
            return export.library_to_networkx(self, library_graph(self))
        _check_what(what)
        return export.to_networkx(self)

    def text(self, codes: npt.NDArray[np.int32]) -> str:
        """Return codes as people read them: ``•`` an end, ``?`` never seen, ``‹0›`` context 0."""
        separator = "" if self.alphabet.kind in (None, "text") else " "
        return separator.join(self._written(code) for code in codes.tolist())

    def _written(self, code: int) -> str:
        if code > 0:
            return _printable(str(self.alphabet.symbols[code - 1]))
        return "•" if code == 0 else f"‹{MARK - code}›" if code <= MARK else "?"


def _check_what(what: str) -> None:
    if what != "tree":
        raise ConfigError("this cannot be shown", got=repr(what), expected="'tree' or 'library'")


def _checked(limit: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigError("limit is out of range", got=repr(limit), expected="an integer > 0")
    return limit


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
