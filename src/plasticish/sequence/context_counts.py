"""The counts of all contexts: their tables grow, fade where they are bounded, and are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import power_of_two
from .count_kernels import ALIVE, FADES, NOVEL, ONCE, SEEN, SLOT, SYNAPSE, Counts, fade, move

__all__ = ["FADING", "ContextCounts"]

FADING = 0.95
"""What is left of a count when room is made."""

_HEAD = 7
_KEPT = 0.85  # share of the room that stays in use when room is made
_RECURRENCE = 3  # power of the share of an expert's contexts that came again, in their worth


class ContextCounts:
    """What followed each context of each expert, in tables that have room.

    Attributes
    ----------
    tables : Counts
        As the kernels take them (:mod:`.count_kernels`); they are others once room was made.

    Examples
    --------
    >>> counts = ContextCounts()
    >>> counts.make_room(experts=12, symbols=27, limit=None)
    >>> counts.contexts, counts.known, len(counts.tables.synapses)
    (0, 1, 1296)
    """

    def __init__(self) -> None:
        self.tables = Counts(
            np.zeros(64, SLOT), np.zeros(64, SYNAPSE), np.zeros(8), np.zeros(_HEAD)
        )
        self.tables.head[NOVEL] = 1  # the end is known from the start

    @property
    def synapses(self) -> int:
        """Number of counts kept."""
        return int(self.tables.head[ALIVE])

    @property
    def contexts(self) -> int:
        """Number of contexts known."""
        return int((self.tables.slots["size"] > 0).sum())

    @property
    def known(self) -> int:
        """Number of codes it knows, the end among them."""
        return int(self.tables.head[NOVEL])

    @property
    def fades(self) -> int:
        """How often counts have faded because there were too many of them."""
        return int(self.tables.head[FADES])

    def know(self, symbols: int) -> None:
        """Have a place for the count of every code below ``symbols``."""
        seen = self.tables.seen
        if symbols > len(seen):
            larger = np.zeros(2 * symbols)
            larger[: len(seen)] = seen
            self.tables = self.tables._replace(seen=larger)

    def make_room(self, experts: int, symbols: int, limit: int | None) -> None:
        """Let counts fade if there are more than ``limit``, and make the tables large enough."""
        head = self.tables.head
        # Only what is known decides, never how large a table happens to be: a learner that was
        # saved and loaded has to fade in the same places.
        if limit is not None and head[ALIVE] > limit:
            self._fade(head[ALIVE] - _KEPT * limit)
        alive = self.synapses
        self._move_to(
            power_of_two(4 * (self.contexts + experts)), alive + alive // 2 + 4 * experts * symbols
        )

    def _fade(self, excess: float) -> None:
        """Let the contexts go that are worth least, with ``excess`` synapses or a few more."""
        slots = self.tables.slots[self.tables.slots["size"] > 0]
        owner = (slots["key"] >> np.uint64(56)).astype(np.int64)
        known = np.bincount(owner, minlength=256)
        again = np.bincount(owner[slots["total"] > 1], minlength=256)
        worth = ((again + 1) / (known + 2)) ** _RECURRENCE
        value = slots["total"] * worth[owner]
        values = np.unique(value)  # few: asking it for the inverse too would sort ten times longer
        lost = np.cumsum(np.bincount(np.searchsorted(values, value), weights=slots["size"]))
        last = int(np.searchsorted(lost, excess))
        below = float(lost[last - 1]) if last else 0.0
        ties = (excess - below) / (float(lost[last]) - below)
        before = self.tables.head[ALIVE]
        fade(self.tables, np.float32(FADING), worth, values[last], ties)
        if self.tables.head[ALIVE] == before:  # of a few large contexts the share may choose none
            fade(self.tables, np.float32(1.0), worth, values[last], 1.0)
        self.tables.head[FADES] += 1

    def _move_to(self, slots: int, synapses: int) -> None:
        fresh = Counts(
            np.zeros(slots, SLOT), np.zeros(synapses, SYNAPSE), self.tables.seen, np.zeros(_HEAD)
        )
        fresh.head[NOVEL:] = self.tables.head[NOVEL:]
        move(self.tables, fresh)
        self.tables = fresh

    def export_state(self) -> tuple[dict[str, float], dict[str, npt.NDArray[Any]]]:
        """Return the figures and the arrays, contexts in the order of their keys."""
        self._move_to(power_of_two(2 * (self.contexts + 1)), self.synapses)
        slots = self.tables.slots[self.tables.slots["key"] != 0]
        slots = slots[np.argsort(slots["key"])]
        picked = _spans(slots["first"], slots["size"])
        arrays = {
            "key": slots["key"].view(np.int64),
            "total": slots["total"],
            "size": slots["size"],
            "symbol": self.tables.synapses["symbol"][picked],
            "count": self.tables.synapses["count"][picked],
            "seen": self.tables.seen[: self.known],
        }
        head = self.tables.head
        figures = {"known": self.known, "seen": head[SEEN], "once": head[ONCE], "fades": self.fades}
        return figures, arrays

    @classmethod
    def from_state(
        cls, figures: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> ContextCounts:
        """Return what :meth:`export_state` told; nothing of it is checked here."""
        size = arrays["size"].astype(np.int64)
        slots, synapses = np.zeros(len(size), SLOT), np.zeros(len(arrays["symbol"]), SYNAPSE)
        slots["key"], slots["total"] = arrays["key"].view(np.uint64), arrays["total"]
        slots["size"], slots["first"] = size, np.cumsum(size) - size
        synapses["symbol"], synapses["count"] = arrays["symbol"], arrays["count"]
        head = np.zeros(_HEAD)
        head[NOVEL], head[SEEN] = figures["known"], figures["seen"]
        head[ONCE], head[FADES] = figures["once"], figures["fades"]
        counts = cls()
        counts.tables = Counts(slots, synapses, arrays["seen"].copy(), head)
        counts._move_to(power_of_two(2 * (len(size) + 1)), len(synapses))
        return counts


def _spans(first: npt.NDArray[np.int64], size: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the places ``first[i] … first[i] + size[i] - 1`` of all i, one behind the other."""
    ends = np.cumsum(size.astype(np.int64))
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + size, size)
