"""Modified Kneser-Ney smoothing that learns as it reads: what a listener is held against."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
import numpy.typing as npt

from plasticish.core.compiled import compiled
from plasticish.sequence import Expert
from plasticish.sequence.arrays import power_of_two
from plasticish.sequence.context_kernels import TRAIL, context_keys
from plasticish.sequence.count_kernels import ALIVE, SLOT, SYNAPSE, Counts, change, find_slot
from plasticish.sequence.experts import expert_rows

__all__ = ["OnlineKneserNey"]

Codes = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]
COUNTED = 4  # counts of counts that the discounts need


class OnlineKneserNey:
    """Interpolated modified Kneser-Ney (Chen & Goodman 1999), online.

    p(s|h) = (c(hs) − D(c) + γ(h) p(s|h')) / c(h·), with three discounts an order from the counts of
    counts so far; below the highest order c counts in how many longer contexts a symbol followed.
    At the bottom is the uniform distribution over the alphabet, which it is told beforehand.

    Parameters
    ----------
    context : int
        How many symbols before the next are looked at, at most.
    alphabet : int
        Number of symbols, the end of a sequence among them.
    symbols : int
        How many will be read at most.
    """

    def __init__(self, context: int, alphabet: int, symbols: int) -> None:
        orders = [Expert(name=str(k), recent=tuple(range(1, k + 1))) for k in range(context + 1)]
        self._experts, self._alphabet = expert_rows(orders), alphabet
        self._counts = Counts(
            np.zeros(power_of_two((context + 1) * max(symbols, 64) // 2), SLOT),
            np.zeros((context + 1) * max(symbols, 64), SYNAPSE),
            np.zeros(0),
            np.zeros(8),
        )
        self._of = np.zeros((context + 1, COUNTED + 1))

    @property
    def counts(self) -> int:
        """Number of counts kept."""
        return int(self._counts.head[ALIVE])

    def read(self, codes: Codes, starts: Starts, *, learning: bool = True) -> float:
        """Return the surprise at sequences, in nats, and count them if ``learning``."""
        return float(
            _read(self._experts, self._counts, self._of, self._alphabet, codes, starts, learning)
        )


@compiled
@no_type_check
def _read(experts, counts, of, alphabet, codes, starts, learning):
    orders, nats = len(experts), 0.0
    keys, trail = np.zeros(orders, np.uint64), np.zeros(TRAIL, np.uint64)
    for q in range(len(starts) - 1):
        for here in range(starts[q], starts[q + 1]):
            context_keys(experts, codes, starts[q], here, trail, 0, keys)
            nats -= math.log(_probability(counts, of, alphabet, keys, codes[here]))
            if learning:
                _count(counts, of, keys, codes[here])
    return nats


@compiled
@no_type_check
def _probability(counts, of, alphabet, keys, answer):
    p = 1.0 / alphabet
    for k in range(len(keys)):
        slot = counts.slots[find_slot(counts.slots, keys[k])]
        if slot.key == 0:
            break
        d1, d2, d3 = _discounts(of[k])
        freed, own = 0.0, 0.0
        for j in range(slot.first, slot.first + slot.size):
            count = counts.synapses[j].count
            discount = d1 if count < 1.5 else d2 if count < 2.5 else d3
            freed += discount
            if counts.synapses[j].symbol == answer:
                own = count - discount
        p = (own + freed * p) / slot.total
    return p


@compiled
@no_type_check
def _discounts(of):
    n1, n2, n3, n4 = max(of[1], 1.0), max(of[2], 1.0), max(of[3], 1.0), max(of[4], 1.0)
    y = n1 / (n1 + 2.0 * n2)
    d1, d2, d3 = 1.0 - 2.0 * y * n2 / n1, 2.0 - 3.0 * y * n3 / n2, 3.0 - 4.0 * y * n4 / n3
    return min(max(d1, 0.05), 0.95), min(max(d2, 0.05), 1.95), min(max(d3, 0.05), 2.95)


@compiled
@no_type_check
def _count(counts, of, keys, answer):
    """Count the symbol from the longest context down, as far as it is new to each."""
    for k in range(len(keys) - 1, -1, -1):
        i = find_slot(counts.slots, keys[k])
        before = 0
        if counts.slots[i].key != 0:
            for j in range(counts.slots[i].first, counts.slots[i].first + counts.slots[i].size):
                if counts.synapses[j].symbol == answer:
                    before = int(counts.synapses[j].count)
        change(counts, i, keys[k], answer, 1.0)
        if 1 <= before < len(of[k]):
            of[k, before] -= 1
        if before + 1 < len(of[k]):
            of[k, before + 1] += 1
        if before > 0:
            break
