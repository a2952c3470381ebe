"""The loops of the library: a grammar that grows as sequences arrive.

Every stored sequence is a chain of cells, each a symbol or a concept. All places where the same
two symbols stand side by side form a ring; when a pair has been met ``threshold`` times it becomes
a concept, and every place where it stands is rewritten at once, wherever that is. This is Sequitur
(Nevill-Manning & Witten 1997) without its requirement that a pair be abstracted at the second
meeting, or Re-Pair (Larsson & Moffat 1999) that does not wait for the last sequence. Each rewriting
shortens a chain by one, so the work is linear in what is stored.
"""

from __future__ import annotations

from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

__all__ = ["CELL", "PAIR", "Grammar", "add", "enter_pairs", "parse", "remove"]

NONE = -1

CELL = np.dtype(
    [
        ("symbol", np.int32),  # a code > 0, or a concept: -1 - its number; 0 is a free cell
        ("next", np.int32),
        ("previous", np.int32),
        ("after", np.int32),  # the other places of the same pair
        ("before", np.int32),
        ("met", np.int32),  # whether this cell and the next are among them
    ]
)
PAIR = np.dtype(
    [("key", np.uint64), ("count", np.int32), ("first", np.int32), ("concept", np.int64)]
)

Grammar = namedtuple("Grammar", "cells pairs left right head")
"""Cells, the table of pairs, the two parts of every concept, and the figures below."""

# head: cells in use, first free cell, pairs in the table, concepts.
CELLS, FREE, PAIRS, CONCEPTS = 0, 1, 2, 3


@inlined
@no_type_check
def key_of(left, right):
    return (np.uint64(np.uint32(left)) << np.uint64(32)) | np.uint64(np.uint32(right))


@compiled
@no_type_check
def find_pair(pairs, key):
    """Return the place of a pair, or the empty one where it would go."""
    mask = np.uint64(len(pairs) - 1)
    i = ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
    while pairs[i].key != 0 and pairs[i].key != key:
        i = (i + np.uint64(1)) & mask
    return np.int64(i)


@inlined
@no_type_check
def pair_at(g, cell):
    return find_pair(g.pairs, key_of(g.cells[cell].symbol, g.cells[g.cells[cell].next].symbol))


@compiled
@no_type_check
def leave(g, cell):
    """Take a cell out of the ring of its pair."""
    if cell == NONE or g.cells[cell].met == 0:
        return
    i = pair_at(g, cell)
    after, before = g.cells[cell].after, g.cells[cell].before
    if before == NONE:
        g.pairs[i].first = after
    else:
        g.cells[before].after = after
    if after != NONE:
        g.cells[after].before = before
    g.pairs[i].count -= 1
    g.cells[cell].met = 0


@compiled
@no_type_check
def replace(g, cell, concept):
    """Put a concept where it stands in full: at ``cell`` and the next."""
    second = g.cells[cell].next
    previous, following = g.cells[cell].previous, g.cells[second].next
    leave(g, previous)
    leave(g, cell)
    leave(g, second)
    g.cells[cell].symbol = -1 - concept
    g.cells[cell].next = following
    if following != NONE:
        g.cells[following].previous = cell
    release(g, second)
    return previous


@compiled
@no_type_check
def release(g, cell):
    """Give a cell back."""
    g.cells[cell].symbol = 0
    g.cells[cell].next = g.head[FREE]
    g.head[FREE] = cell


@compiled
@no_type_check
def meet(g, cell, threshold):
    """Enter a cell into the ring of its pair; return the pair's concept, made if it is time."""
    i = pair_at(g, cell)
    if g.pairs[i].key == 0:
        g.pairs[i].key = key_of(g.cells[cell].symbol, g.cells[g.cells[cell].next].symbol)
        g.pairs[i].count = 0
        g.pairs[i].first = NONE
        g.pairs[i].concept = NONE
        g.head[PAIRS] += 1
    if g.pairs[i].concept != NONE:
        return g.pairs[i].concept
    first = g.pairs[i].first
    g.cells[cell].after, g.cells[cell].before, g.cells[cell].met = first, NONE, 1
    if first != NONE:
        g.cells[first].before = cell
    g.pairs[i].first = cell
    g.pairs[i].count += 1
    if g.pairs[i].count < threshold:
        return NONE
    concept = g.head[CONCEPTS]
    g.left[concept] = g.cells[cell].symbol
    g.right[concept] = g.cells[g.cells[cell].next].symbol
    g.pairs[i].concept = concept
    g.head[CONCEPTS] += 1
    return concept


@compiled
@no_type_check
def settle(g, first, threshold):
    """Abstract what recurs, starting from the chain at ``first``, until nothing is left to do."""
    count, cell = 0, first
    while cell != NONE:
        count += 1
        cell = g.cells[cell].next
    stack = np.empty(2 * count + 64, np.int32)
    top, cell = count, first
    while cell != NONE:  # the first cell on top
        count -= 1
        stack[count] = cell
        cell = g.cells[cell].next
    while top > 0:
        top -= 1
        cell = stack[top]
        done = g.cells[cell].symbol == 0 or g.cells[cell].next == NONE or g.cells[cell].met == 1
        if done:
            continue
        concept = meet(g, cell, threshold)
        if concept == NONE:
            continue
        place = pair_at(g, cell)
        while True:
            if top + 2 > len(stack):
                larger = np.empty(2 * len(stack), np.int32)
                larger[:top] = stack[:top]
                stack = larger
            previous = replace(g, cell, concept)
            stack[top] = cell
            top += 1
            if previous != NONE:
                stack[top] = previous
                top += 1
            cell = g.pairs[place].first
            if cell == NONE:
                break


@compiled
@no_type_check
def add(g, codes, starts, wanted, threshold, firsts):
    """Store the sequences that are ``wanted``; ``firsts`` becomes the first cell of each.

    Codes below 0 (marks) are left out: they are no part of any concept.
    """
    for q in range(len(starts) - 1):
        if not wanted[q]:
            continue
        previous = NONE
        for i in range(starts[q], starts[q + 1] - 1):  # without its end
            if codes[i] < 0:
                continue
            cell = np.int32(g.head[FREE])
            if cell != NONE:
                g.head[FREE] = g.cells[cell].next
            else:
                cell = np.int32(g.head[CELLS])
                g.head[CELLS] += 1
            g.cells[cell].symbol = codes[i]
            g.cells[cell].previous = previous
            g.cells[cell].next = NONE
            g.cells[cell].met = 0
            if previous == NONE:
                firsts[q] = cell
            else:
                g.cells[previous].next = cell
            previous = cell
        settle(g, firsts[q], threshold)


@compiled
@no_type_check
def remove(g, first):
    """Forget the chain that begins at ``first``; concepts stay."""
    cell = first
    while cell != NONE:
        following = g.cells[cell].next
        leave(g, cell)
        # The cell before is gone, and with it the pair that they made.
        release(g, cell)
        cell = following


@compiled
@no_type_check
def parse(g, codes):
    """Return ``codes`` in terms of the concepts there are, from left to right."""
    found = np.empty(len(codes), np.int32)
    top = 0
    for code in codes:
        found[top] = code
        top += 1
        while top > 1:
            i = find_pair(g.pairs, key_of(found[top - 2], found[top - 1]))
            if g.pairs[i].key == 0 or g.pairs[i].concept == NONE:
                break
            found[top - 2] = -1 - g.pairs[i].concept
            top -= 1
    return found[:top]


@compiled
@no_type_check
def enter_pairs(entries, pairs):
    """Enter pairs into an empty table."""
    for k in range(len(entries)):
        if entries[k].key != 0:
            pairs[find_pair(pairs, entries[k].key)] = entries[k]
