"""A memory that is not told which list it reads, and finds out by its own surprise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from plasticish.sequence import PlasticMemory

from ._common import memory_nats

__all__ = ["HUNDRED", "RecognisingMemory", "nats_after_mark"]

HUNDRED = 100
SURPRISE = 0.3
"""Nats a symbol above the usual from which on a list is taken for a new one: about five standard
deviations of the mean of a hundred names."""

ADAPTATION = 0.2
_FIRST_MARK = 0xE000  # of Unicode's private use: in no text


class RecognisingMemory:
    """A memory that puts a mark before all that it reads, one for each list it has met.

    Every hundred sequences are read under the mark under which they surprise least. Where even that
    surprises by much more than this list did lately, it is a new list, with a new mark: context
    inference by surprise, as with the latent causes of Gershman, Blei & Niv (2010), made hard.

    Parameters
    ----------
    memory : PlasticMemory
        What learns the marked sequences; empty, and for text.
    """

    def __init__(self, memory: PlasticMemory) -> None:
        self.memory = memory
        self.usual: dict[str, float] = {}

    def learn(self, names: Sequence[str]) -> None:
        """Read the names once, each hundred under its mark."""
        for first in range(0, len(names), HUNDRED):
            part = names[first : first + HUNDRED]
            mark, surprise = self.recognise(part)
            new = not mark or surprise > self.usual[mark] + SURPRISE
            if new:
                mark = chr(_FIRST_MARK + len(self.usual))
            report = self.memory.learn([mark + name for name in part])
            if new:  # known only as it was learned: what it surprised by then is usual at first
                surprise = self.usual[mark] = report["nats"]
            self.usual[mark] += ADAPTATION * (surprise - self.usual[mark])

    def recognise(self, names: Sequence[str]) -> tuple[str, float]:
        """Return the mark under which the names surprise least, and by how much, in nats."""
        surprises = {mark: self.nats(names, mark) for mark in self.usual}
        mark = min(surprises, key=surprises.__getitem__, default="")
        return mark, surprises.get(mark, math.inf)

    def nats(self, names: Sequence[str], mark: str) -> float:
        """Return the surprise at names under a mark, in nats a token."""
        return nats_after_mark(self.memory, [mark + name for name in names])


def nats_after_mark(memory: PlasticMemory, names: Sequence[str]) -> float:
    """Return the surprise at what follows the first symbol, which all share, in nats a token."""
    tokens = sum(map(len, names)) + len(names)
    mark = -math.log(memory.predict("")[names[0][0]])
    return (memory_nats(memory, names) * tokens - mark * len(names)) / (tokens - len(names))
