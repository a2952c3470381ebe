"""Exact counts of what followed each context: hashed slots over one pool of synapses.

A slot is a context; its synapses, one a symbol that followed it, lie together in the pool, in a
stretch that doubles when it is full. Nothing is precomputed: both tables grow as symbols come.
"""

from __future__ import annotations

from collections import namedtuple
from typing import no_type_check

import numpy as np

from .compiled import compiled

__all__ = [
    "ALIVE",
    "CONTEXTS",
    "NOVEL",
    "ONCE",
    "SEEN",
    "SLOT",
    "SYNAPSE",
    "USED",
    "Counts",
    "change",
    "find_slot",
    "move",
    "weaken",
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
# symbols seen in all, and symbols seen once.
CONTEXTS, USED, ALIVE, NOVEL, SEEN, ONCE = 0, 1, 2, 3, 4, 5


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
def weaken(counts, share, floor):
    """Multiply every count by ``share`` and let go of synapses that fall below ``floor``."""
    slots, synapses, head = counts.slots, counts.synapses, counts.head
    for i in range(len(slots)):
        if slots[i].key == 0:
            continue
        first, kept = slots[i].first, 0
        slots[i].total = 0.0
        for j in range(first, first + slots[i].size):
            count = synapses[j].count * share
            if count >= floor:
                synapses[first + kept].symbol = synapses[j].symbol
                synapses[first + kept].count = count
                slots[i].total += count
                kept += 1
        head[ALIVE] -= slots[i].size - kept
        slots[i].size = kept
