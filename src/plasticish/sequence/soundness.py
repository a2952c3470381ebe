"""What stored arrays have to be like before a compiled loop may follow their pointers.

The loops check nothing while they run. A pointer beyond its array would read or write foreign
memory, and one that leads back would be followed for ever; both are refused here, when a checkpoint
is read.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import DataError

from .alphabet import Alphabet

__all__ = ["ANY_SYMBOL", "check_alphabet", "check_counts", "check_grammar", "check_tree", "within"]

Ints = npt.NDArray[Any]

ANY_SYMBOL = (1 << 31) - 2
"""Size of an alphabet that is not known."""


def within(name: str, values: Ints, low: int, high: int) -> None:
    """Refuse values outside ``low … high - 1``.

    Raises
    ------
    DataError
        If there are any.

    Examples
    --------
    >>> within("pointers", np.array([-1, 3]), -1, 3)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: the stored pointers are unsound: got 3, expected -1 to 2
    """
    bad = values[(values < low) | (values >= high)]
    if len(bad):
        raise _unsound(name, repr(bad[0].item()), f"{low} to {high - 1}")


def _unsound(name: str, got: str, expected: str) -> DataError:
    return DataError(f"the stored {name} are unsound", got=got, expected=expected)


def _require(name: str, holds: bool | np.bool_, expected: str) -> None:
    if not holds:
        raise _unsound(name, "others", expected)


def _finite(name: str, values: npt.NDArray[Any]) -> None:
    _require(name, np.isfinite(values).all(), "finite numbers")


def _ends(name: str, pointers: Ints) -> None:
    """Refuse chains that lead back; -1 is an end. Pointers are doubled, so it takes log n steps."""
    count = len(pointers)
    reached = np.append(np.where(pointers < 0, count, pointers), count)
    for _ in range(count.bit_length() + 1):
        reached = reached[reached]
    _require(name, (reached == count).all(), "chains that end")


def _paired(name: str, ahead: Ints, back: Ints, used: npt.NDArray[np.bool_]) -> None:
    """Refuse a list of which one direction says another thing than the other."""
    for one, other in ((ahead, back), (back, ahead)):
        here = np.flatnonzero(used & (one >= 0))
        there = one[here]
        _require(name, (other[there] == here).all() and used[there].all(), "both ways alike")


def check_alphabet(kind: Any, symbols: Any) -> Alphabet:
    """Return the alphabet that was stored.

    Raises
    ------
    DataError
        If a symbol comes twice, or is not of the kind.
    """
    fits = {
        None: lambda _: False,
        "text": lambda one: isinstance(one, str) and len(one) == 1,
        "bytes": lambda one: type(one) is int and 0 <= one < 256,
        "integers": lambda one: type(one) is int,
        "words": lambda one: isinstance(one, str),
    }
    known = isinstance(kind, str | None) and kind in fits and isinstance(symbols, list)
    _require("symbols", known and all(map(fits[kind], symbols)), "a list of symbols of one kind")
    _require("symbols", len(set(symbols)) == len(symbols), "each symbol once")
    return Alphabet(kind, symbols)


def check_tree(nodes: npt.NDArray[Any], text: Ints, head: Ints, symbols: int) -> None:
    """Refuse nodes that are no tree over the text.

    Parameters
    ----------
    nodes : array of ``NODE`` [rows]
        As they are stored.
    text : int32 array [symbols of text]
        What labels are cut from.
    head : int64 array [5]
        Rows, first free row, symbols of text, edges, and symbols that are needed.
    symbols : int
        Size of the alphabet.

    Raises
    ------
    DataError
        If they are none.
    """
    count = len(nodes)
    _require("figures of the tree", head.shape == (5,) and head[0] == count >= 1, "its rows")
    within("labels", text, -(1 << 31) + 1, symbols + 1)
    within("lengths of labels", nodes["length"], 0, len(text) + 1)
    alive = nodes["length"] > 0
    labelled = nodes[alive]  # a row that was given back keeps a label of a text that was longer
    within("starts of labels", labelled["start"], 0, len(text) + 1)
    within("ends of labels", labelled["start"] + labelled["length"], 0, len(text) + 1)
    for name in ("parent", "first_child", "next", "previous"):
        within(f"pointers {name!r}", nodes[name], -1, count)
    within("levels", nodes["level"], 0, 1 << 24)
    _require("counts", (nodes["count"] >= 0).all() and np.isfinite(nodes["count"]).all(), ">= 0")
    _require("root", nodes["length"][0] == 0 and nodes["parent"][0] == -1, "row 0")
    _require("root", nodes["next"][0] == nodes["previous"][0] == -1, "alone")
    inside = np.flatnonzero(alive)
    parents = nodes["parent"][inside]
    _require("parents", ((parents == 0) | ((parents > 0) & alive[parents])).all(), "nodes")
    _require("edges", head[3] == len(inside), f"{len(inside)} of them")
    _paired("siblings", nodes["next"], nodes["previous"], alive)
    ahead = nodes["next"][inside]
    same = nodes["parent"][ahead] == parents
    _require("siblings", (same | (ahead < 0)).all(), "children of one parent")
    eldest = inside[nodes["previous"][inside] < 0]
    _require("children", (nodes["first_child"][nodes["parent"][eldest]] == eldest).all(), "listed")
    holders = np.flatnonzero((alive | (np.arange(count) == 0)) & (nodes["first_child"] >= 0))
    first = nodes["first_child"][holders]
    _require(
        "children", alive[first].all() and (nodes["parent"][first] == holders).all(), "its own"
    )
    _ends("parents", np.where(alive, nodes["parent"], -1))
    _free("rows", nodes["next"], ~alive & (np.arange(count) > 0), int(head[1]))
    _ends("siblings", nodes["next"])


def _free(name: str, ahead: Ints, free: npt.NDArray[np.bool_], first: int) -> None:
    """Refuse a list of free places that holds one in use."""
    within(f"free {name}", np.array([first]), -1, len(ahead))
    following = ahead[free]
    _require(f"free {name}", first < 0 or free[first], "free")
    _require(f"free {name}", free[following[following >= 0]].all(), "free")


def check_grammar(
    cells: npt.NDArray[Any], pairs: npt.NDArray[Any], parts: tuple[Ints, Ints], head: Ints,
    heads: Ints, symbols: int,
) -> None:  # fmt: skip
    """Refuse cells that are no chains, and concepts that are made of themselves.

    Parameters
    ----------
    cells, pairs : arrays of ``CELL`` and ``PAIR``
        As they are stored.
    parts : two int32 arrays [concepts]
        Left and right part of every concept.
    head : int64 array [4]
        Cells, first free cell, pairs, and concepts.
    heads : int array [sequences]
        Where each stored sequence begins.
    symbols : int
        Size of the alphabet.

    Raises
    ------
    DataError
        If they are.
    """
    count, concepts = len(cells), len(parts[0])
    sizes = [count, len(pairs), concepts]
    told = [int(one) for one in head[[0, 2, 3]]] if head.shape == (4,) else []
    _require("figures of the library", told == sizes and len(parts[1]) == concepts, "its sizes")
    number = np.arange(concepts)
    for part in parts:
        within("parts of concepts", part, -concepts, symbols + 1)
        _require("parts of concepts", ((part != 0) & (-1 - part < number)).all(), "earlier ones")
    within("symbols of cells", cells["symbol"], -concepts, symbols + 1)
    for name in ("next", "previous", "after", "before"):
        within(f"pointers {name!r}", cells[name], -1, count)
    used, met = cells["symbol"] != 0, cells["met"] != 0
    _paired("cells", cells["next"], cells["previous"], used)
    _ends("cells", cells["next"])
    _require("places of pairs", (used & (cells["next"] >= 0))[met].all(), "pairs")
    _paired("places of pairs", cells["after"], cells["before"], met)
    _ends("places of pairs", np.where(met, cells["after"], -1))
    within("first places", pairs["first"], -1, count)
    within("concepts of pairs", pairs["concept"], -1, concepts)
    first = pairs["first"][pairs["first"] >= 0]
    _require("first places", (met[first] & (cells["before"][first] < 0)).all(), "beginnings")
    _require("keys of pairs", (pairs["key"] != 0).all(), "no empty one")
    _require("keys of pairs", len(np.unique(pairs["key"])) == len(pairs), "each once")
    within("beginnings", heads, 0, count)
    _require("beginnings", (used[heads] & (cells["previous"][heads] < 0)).all(), "beginnings")
    _free("cells", cells["next"], ~used, int(head[1]))


def check_counts(arrays: dict[str, npt.NDArray[Any]], figures: dict[str, Any], known: int) -> None:
    """Refuse counts that belong to no context or to no symbol.

    Parameters
    ----------
    arrays : dict of str to array
        What :meth:`Predictor.export_state` returned.
    figures : dict of str to number
        Its values.
    known : int
        Codes that are known, the end among them.

    Raises
    ------
    DataError
        If there are any.
    """
    size, key = arrays["size"], arrays["key"]
    _require("contexts", size.shape == key.shape == arrays["total"].shape == (len(key),), "alike")
    within("sizes of contexts", size, 1, known + 1)
    _require("keys of contexts", (key != 0).all() and len(np.unique(key)) == len(key), "each once")
    total = int(size.astype(np.int64).sum())
    together = arrays["symbol"].shape == arrays["count"].shape == (total,)
    _require("synapses", together, f"{total} of them")
    within("symbols of synapses", arrays["symbol"], 0, known)
    for name, values in arrays.items():
        if values.dtype.kind == "f":
            _finite(f"numbers {name!r}", values)
    _require("counts of symbols", arrays["seen"].shape == (known,), f"one for each of {known}")
    for name, value in figures.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(f"figures {name!r}", number and math.isfinite(value) and value >= 0, ">= 0")
    _require("known symbols", figures["known"] == known, str(known))
