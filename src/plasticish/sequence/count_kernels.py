"""Exact counts of what followed each context: hashed slots over one pool of synapses.

A slot is a context; its synapses, one a symbol that followed it, lie together in the pool, in a
stretch that doubles when it is full. Nothing is precomputed: both tables grow as symbols come.
"""

from __future__ import annotations

from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled

__all__ = [
    "ALIVE",
    "CONTEXTS",
    "FADES",
    "NOVEL",
    "ONCE",
    "REPORTED",
    "SEEN",
    "SLOT",
    "SYNAPSE",
    "USED",
    "Counts",
    "change",
    "fade",
    "find_slot",
    "move",
]

SLOT = np.dtype(
    [
        ("key", np.uint64),
        ("first", np.int64),
        ("total", np.float64),
        ("size", np.int32),
        ("room", np.int32),
    ]
)
SYNAPSE = np.dtype([("symbol", np.int32), ("count", np.float32)])

Counts = namedtuple("Counts", "slots synapses seen head")
"""Contexts, synapses, how often each symbol was seen, and the figures below."""

# head: contexts, places of the pool in use, synapses alive, codes known (the first unknown code),
# symbols seen in all, symbols seen once, and how often counts have faded.
CONTEXTS, USED, ALIVE, NOVEL, SEEN, ONCE, FADES = 0, 1, 2, 3, 4, 5, 6

REPORTED = 2048
"""Synapses of one context that are read at most: the cost of a symbol must not grow with the
alphabet."""


@compiled
@no_type_check
def find_slot(slots, key):
    """Return the slot of a context, or the empty one where it would go."""
    mask = np.uint64(len(slots) - 1)
    i = key & mask
    while slots[i].key != 0 and slots[i].key != key:
        i = (i + np.uint64(1)) & mask
    return np.int64(i)


@compiled
@no_type_check
def change(counts, i, key, symbol, amount):
    """Add ``amount`` to the synapse from the context in slot ``i`` to ``symbol``."""
    slots, synapses, head = counts.slots, counts.synapses, counts.head
    if slots[i].key != key:
        # It was empty when it was looked up, and another expert of the same step may be in it now.
        i = find_slot(slots, key)
    if slots[i].key == 0:
        if amount < 0:
            return
        slots[i].key = key
        slots[i].first = np.int64(head[USED])
        slots[i].total = 0.0
        slots[i].size = 0
        slots[i].room = 1
        head[CONTEXTS] += 1
        head[USED] += 1
    first, size = slots[i].first, slots[i].size
    for j in range(first, first + size):
        if synapses[j].symbol == symbol:
            amount = max(amount, -np.float64(synapses[j].count))
            synapses[j].count += np.float32(amount)
            slots[i].total += amount
            ahead = first + (j - first) // 2
            if size > REPORTED and synapses[ahead].count < synapses[j].count:
                # The strongest have to be among the first (Rivest 1976: self-organising lists).
                symbol, count = synapses[ahead].symbol, synapses[ahead].count
                synapses[ahead].symbol, synapses[ahead].count = (
                    synapses[j].symbol,
                    synapses[j].count,
                )
                synapses[j].symbol, synapses[j].count = symbol, count
                return
            if synapses[j].count < 1e-4:
                synapses[j] = synapses[first + size - 1]
                slots[i].size = size - 1
                head[ALIVE] -= 1
            return
    if amount < 0:
        return
    if size == slots[i].room:
        fresh = np.int64(head[USED])
        for j in range(size):
            synapses[fresh + j] = synapses[first + j]
        slots[i].first, slots[i].room = fresh, 2 * size
        head[USED] += 2 * size
        first = fresh
    synapses[first + size].symbol = symbol
    synapses[first + size].count = amount
    slots[i].size = size + 1
    slots[i].total += amount
    head[ALIVE] += 1


@compiled
@no_type_check
def move(counts, larger):
    """Copy what is alive into empty tables: contexts with synapses, and no gaps in the pool."""
    head = larger.head
    for i in range(len(counts.slots)):
        size, first = counts.slots[i].size, counts.slots[i].first
        if counts.slots[i].key == 0 or size == 0:
            continue
        at = find_slot(larger.slots, counts.slots[i].key)
        larger.slots[at] = counts.slots[i]
        used = np.int64(head[USED])
        larger.slots[at].first = used
        larger.slots[at].room = size
        for j in range(size):
            larger.synapses[used + j] = counts.synapses[first + j]
        head[USED] += size
        head[ALIVE] += size
        head[CONTEXTS] += 1


@compiled
@no_type_check
def fade(counts, share, worth, weakest, ties):
    """Let go of contexts worth less than ``weakest``, and multiply all other counts by ``share``.

    A context is worth how often it was seen, times ``worth`` of its expert. Of the contexts worth
    just as much the share ``ties`` goes, chosen by their keys: where a context happens to lie in
    the table must not matter.
    """
    slots, synapses, head = counts.slots, counts.synapses, counts.head
    for i in range(len(slots)):
        if slots[i].size == 0:
            continue
        value = slots[i].total * worth[np.int64(slots[i].key >> np.uint64(56))]
        goes = value < weakest
        if value == weakest:
            mixed = slots[i].key * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(31)
            goes = np.float64(mixed >> np.uint64(11)) < ties * 2.0**53
        if goes:
            head[ALIVE] -= slots[i].size
            slots[i].size = 0
            continue
        slots[i].total = 0.0
        for j in range(slots[i].first, slots[i].first + slots[i].size):
            synapses[j].count *= share
            slots[i].total += synapses[j].count
