"""Why a memory expects what it expects: the experts that said so, and the stored paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from plasticish.core import DataError

from .node_kernels import END
from .prediction import Reason, Why
from .tree import AbstractionTree

if TYPE_CHECKING:
    from .asking import Asking

__all__ = ["reasons_for"]

Codes = npt.NDArray[np.int32]


def reasons_for(memory: Asking, prefix: Codes, symbol: Any, paths: int) -> Why:
    """Return why ``symbol`` (None: the most probable) is expected after a prefix of codes.

    Raises
    ------
    DataError
        If the symbol was never seen: no expert can speak for it.
    """
    p, _ = memory.distribution(prefix)
    code = int(np.argmax(p)) if symbol is None else memory.alphabet.code(symbol)
    if code is None:
        raise DataError(
            "this symbol was never seen",
            got=repr(symbol),
            cure="predict(prefix).new is the probability of any such symbol",
        )
    reasons = [
        Reason(said.expert, said.seen, said.counts.get(code, 0.0), said.push.get(code, 0.0))
        for said in memory.predictor.testimonies(memory.led(prefix), memory.classes)
    ]
    reasons.sort(key=lambda reason: -abs(reason.push))
    continued = np.append(memory.led(prefix), np.int32(code))
    found = [
        (memory.alphabet.decode(codes), count)
        for codes, count in strongest(memory.tree, continued, paths)
    ]
    shown = None if code == END else memory.alphabet.symbols[code - 1]
    return Why(shown, float(p[code]), tuple(reasons), tuple(found))


def strongest(tree: AbstractionTree, prefix: Codes, limit: int) -> list[tuple[Codes, float]]:
    """Return the stored sequences below ``prefix``, the most frequent first, and their counts."""
    row = tree.reach(prefix)
    if row is None:
        return []
    leaves, queue = [], [row]
    while queue:
        row = queue.pop()
        below = tree.children(row)
        queue.extend(below)
        if not below:
            leaves.append(tree.node(row))
    leaves.sort(key=lambda leaf: -leaf.count)
    return [(leaf.path, leaf.count) for leaf in leaves[:limit]]
