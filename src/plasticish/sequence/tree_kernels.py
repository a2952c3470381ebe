"""The loops of the abstraction tree over flat arrays: insert, remove, climb; none recurses.

A node is a row of ``NODE``; its label is a stretch of one shared text. The child of a node by
first symbol is found in an open-addressing table, so that a node with a hundred thousand
children costs what one with two does. Every sequence ends in the symbol ``END``, so that every
stored sequence is a leaf and no sequence ends inside an edge.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

__all__ = [
    "EDGE",
    "EDGES",
    "END",
    "LIVE",
    "NODE",
    "ROOT",
    "ROWS",
    "TEXT",
    "compact",
    "descend",
    "enter_edges",
    "insert_all",
    "locate",
    "path_to",
    "paths_to",
    "readings",
    "rehash",
    "withdraw",
]

END = 0
ROOT = 0
NONE = -1

CLEAR, SURE = 4.0, 5.0  # how far a peak has to stand out, and how large it has to be
LATELY = 64

NODE = np.dtype(
    [
        ("count", np.float64),
        ("start", np.int64),
        ("length", np.int32),
        ("level", np.int32),
        ("epoch", np.int32),  # when it was last learned, at a leaf
        ("parent", np.int32),
        ("first_child", np.int32),
        ("next", np.int32),
        ("previous", np.int32),
    ]
)
EDGE = np.dtype([("key", np.uint64), ("child", np.int64)])
# head: rows of nodes in use, first free row, symbols of text in use, edges, and the symbols of text
# that some label still needs (forgetting leaves gaps).
ROWS, FREE, TEXT, EDGES, LIVE = 0, 1, 2, 3, 4


@inlined
@no_type_check
def edge_key(parent, symbol):
    # +1: key 0 marks an empty place.
    return (np.uint64(parent) << np.uint64(32)) | np.uint64(np.uint32(symbol + 1))


@inlined
@no_type_check
def home(key, mask):
    # Fibonacci hashing; the high bits are the good ones.
    return ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)) & mask


@compiled
@no_type_check
def place_of(edges, key):
    """Return the place of ``key``, or the empty place where it would go."""
    mask = np.uint64(len(edges) - 1)
    i = home(key, mask)
    while edges[i].key != 0 and edges[i].key != key:
        i = (i + np.uint64(1)) & mask
    return np.int64(i)


@compiled
@no_type_check
def find_child(edges, parent, symbol):
    """Return the child of ``parent`` whose label begins with ``symbol``, or -1."""
    i = place_of(edges, edge_key(parent, symbol))
    return edges[i].child if edges[i].key != 0 else NONE


@compiled
@no_type_check
def link(nodes, edges, head, text, child, parent):
    """Hang ``child`` under ``parent``, as its first child."""
    first = nodes[parent].first_child
    nodes[child].parent = parent
    nodes[child].previous = NONE
    nodes[child].next = first
    if first != NONE:
        nodes[first].previous = child
    nodes[parent].first_child = child
    key = edge_key(parent, text[nodes[child].start])
    i = place_of(edges, key)
    edges[i].key = key
    edges[i].child = child
    head[EDGES] += 1


@compiled
@no_type_check
def unlink(nodes, edges, head, text, child):
    """Take ``child`` off its parent."""
    parent, before, after = nodes[child].parent, nodes[child].previous, nodes[child].next
    if before == NONE:
        nodes[parent].first_child = after
    else:
        nodes[before].next = after
    if after != NONE:
        nodes[after].previous = before
    # Close the gap, so that no tombstones gather: whoever was pushed past it moves back.
    mask = np.uint64(len(edges) - 1)
    gap = np.uint64(place_of(edges, edge_key(parent, text[nodes[child].start])))
    i = gap
    while True:
        i = (i + np.uint64(1)) & mask
        if edges[i].key == 0:
            break
        wanted = home(edges[i].key, mask)
        if ((i - wanted) & mask) >= ((i - gap) & mask):
            edges[gap] = edges[i]
            gap = i
    edges[gap].key = 0
    head[EDGES] -= 1


@compiled
@no_type_check
def new_node(nodes, head, start, length):
    """Return a row for a node with this label and nothing else."""
    row = head[FREE]
    if row != NONE:
        head[FREE] = nodes[row].next
    else:
        row = head[ROWS]
        head[ROWS] += 1
    nodes[row].count = 0.0
    nodes[row].start = start
    nodes[row].length = length
    nodes[row].level = 0
    nodes[row].first_child = NONE
    return row


@compiled
@no_type_check
def release(nodes, head, row):
    """Give the row of a node back."""
    nodes[row].length = 0
    nodes[row].next = head[FREE]
    head[FREE] = row


@compiled
@no_type_check
def split(nodes, edges, head, text, child, length):
    """Cut the edge of ``child`` after ``length`` symbols; return the abstraction in between."""
    parent = nodes[child].parent
    unlink(nodes, edges, head, text, child)
    middle = new_node(nodes, head, nodes[child].start, length)
    nodes[middle].count = nodes[child].count
    nodes[middle].level = nodes[child].level + 1
    link(nodes, edges, head, text, middle, parent)
    nodes[child].start += length
    nodes[child].length -= length
    link(nodes, edges, head, text, child, middle)
    return middle


@compiled
@no_type_check
def descend(nodes, edges, text, sequence, begin, end):
    """Follow ``sequence[begin:end]`` from the root as far as it is known.

    Returns the last node entered, how many symbols of its label agree, and the position reached.
    """
    node, agree, i = ROOT, 0, begin
    while i < end:
        child = find_child(edges, node, sequence[i])
        if child == NONE:
            break
        node, start, length, agree = child, nodes[child].start, nodes[child].length, 1
        i += 1
        while agree < length and i < end and text[start + agree] == sequence[i]:
            agree += 1
            i += 1
        if agree < length:
            break
    return node, agree, i


@compiled
@no_type_check
def leaf_of(nodes, edges, head, text, sequence, begin, end):
    """Return the leaf of ``sequence[begin:end]``, made by refactoring the tree if it is new."""
    node, agree, i = descend(nodes, edges, text, sequence, begin, end)
    if i == end:
        return node
    if agree < nodes[node].length:
        node = split(nodes, edges, head, text, node, agree)
    start = head[TEXT]
    text[start : start + end - i] = sequence[i:end]
    head[TEXT] += end - i
    head[LIVE] += end - i
    leaf = new_node(nodes, head, start, end - i)
    link(nodes, edges, head, text, leaf, node)
    return leaf


@inlined
@no_type_check
def recount(spectrum, before, after):
    """Note that a sequence stored ``before`` times is now stored ``after`` times."""
    last = len(spectrum) - 1
    spectrum[min(int(before + 0.5), last)] -= 1
    spectrum[min(int(after + 0.5), last)] += 1


@compiled
@no_type_check
def readings(spectrum):
    """Return how often all that is stored seems to have been read, 1 or more.

    Of what comes by chance, however uneven, (k + 1) N(k + 1) / N(k) never falls with k, N(k) being
    how many sequences came k times (Good 1953: it is the rate of those that came k times). A peak
    of N at some k > 1 that breaks this, with a quarter of all sequences in it, was made by reading
    a list k times.
    """
    least = 0.25 * spectrum[1:].sum()
    for k in range(2, len(spectrum) - 1):
        below, above = spectrum[k - 1] + SURE, spectrum[k + 1] + SURE
        if spectrum[k] > least and k * spectrum[k] * spectrum[k] > CLEAR * (k + 1) * below * above:
            return k
    return 1


@compiled
@no_type_check
def insert_all(
    nodes, edges, head, text, spectrum, again, sequences, starts, amount, epoch, leaves, fresh, own
):
    """Store sequences: potentiate each path, and let levels rise along it.

    ``leaves`` becomes the leaf of each sequence, ``fresh`` whether it was not stored before, and
    ``own`` how much of its count is due to a list being read again, as it is while most of what
    comes, a mean over some ``LATELY`` sequences, is stored already.
    """
    for q in range(len(starts) - 1):
        leaf = leaf_of(nodes, edges, head, text, sequences, starts[q], starts[q + 1])
        before = nodes[leaf].count
        leaves[q], fresh[q] = leaf, before == 0
        own[q] = min(before, readings(spectrum)) if again[0] > 0.5 else 0.0
        again[0] += ((before > 0) - again[0]) / LATELY
        recount(spectrum, before, before + amount)
        nodes[leaf].epoch = epoch
        node = leaf
        while node != NONE:
            nodes[node].count += amount
            parent = nodes[node].parent
            if parent != NONE and nodes[parent].level <= nodes[node].level:
                nodes[parent].level = nodes[node].level + 1
            node = parent


@compiled
@no_type_check
def locate(nodes, edges, text, sequence):
    """Return the leaf of ``sequence``, which ends in END, or -1 if it is not stored."""
    node, agree, i = descend(nodes, edges, text, sequence, 0, len(sequence))
    return node if i == len(sequence) and agree == nodes[node].length else NONE


@compiled
@no_type_check
def withdraw(nodes, edges, head, text, spectrum, leaf, amount):
    """Take ``amount`` off the path of ``leaf``; a path that carries nothing more is undone."""
    recount(spectrum, nodes[leaf].count, nodes[leaf].count - amount)
    node = leaf
    while node != NONE:
        nodes[node].count -= amount
        node = nodes[node].parent
    if nodes[leaf].count > 0:
        return
    node = nodes[leaf].parent
    unlink(nodes, edges, head, text, leaf)
    head[LIVE] -= nodes[leaf].length
    release(nodes, head, leaf)
    only = nodes[node].first_child
    if node != ROOT and nodes[only].next == NONE:
        node = merge(nodes, edges, head, text, node, only)
    settle(nodes, node)


@compiled
@no_type_check
def merge(nodes, edges, head, text, node, only):
    """Undo an abstraction with one child left: the child takes its place; return their parent."""
    parent = nodes[node].parent
    upper, lower, start = nodes[node].length, nodes[only].length, head[TEXT]
    text[start : start + upper] = text[nodes[node].start : nodes[node].start + upper]
    text[start + upper : start + upper + lower] = text[
        nodes[only].start : nodes[only].start + lower
    ]
    head[TEXT] += upper + lower
    unlink(nodes, edges, head, text, only)
    unlink(nodes, edges, head, text, node)
    release(nodes, head, node)
    nodes[only].start = start
    nodes[only].length = upper + lower
    link(nodes, edges, head, text, only, parent)
    return parent


@compiled
@no_type_check
def settle(nodes, node):
    """Recompute levels from ``node`` upwards, until one stays as it was."""
    while node != NONE:
        level, child = 0, nodes[node].first_child
        while child != NONE:
            level = max(level, nodes[child].level + 1)
            child = nodes[child].next
        if level == nodes[node].level:
            return
        nodes[node].level = level
        node = nodes[node].parent


@compiled
@no_type_check
def path_to(nodes, text, node):
    """Return the symbols from the root to the end of ``node``'s label."""
    length, i = 0, node
    while i != NONE:
        length += nodes[i].length
        i = nodes[i].parent
    path = np.empty(length, np.int32)
    i = node
    while i != NONE:
        size, start = nodes[i].length, nodes[i].start
        length -= size
        path[length : length + size] = text[start : start + size]
        i = nodes[i].parent
    return path


@compiled
@no_type_check
def rehash(edges, larger):
    """Enter every edge into a larger, empty table."""
    for i in range(len(edges)):
        if edges[i].key != 0:
            larger[place_of(larger, edges[i].key)] = edges[i]


@compiled
@no_type_check
def paths_to(nodes, text, rows):
    """Return the paths to several nodes end to end, and where each starts."""
    starts = np.zeros(len(rows) + 1, np.int64)
    for k in range(len(rows)):
        i, length = rows[k], 0
        while i != NONE:
            length += nodes[i].length
            i = nodes[i].parent
        starts[k + 1] = starts[k] + length
    paths = np.empty(starts[-1], np.int32)
    for k in range(len(rows)):
        i, end = rows[k], starts[k + 1]
        while i != NONE:
            size, start = nodes[i].length, nodes[i].start
            for j in range(size):
                paths[end - size + j] = text[start + j]
            end -= size
            i = nodes[i].parent
    return paths, starts


@compiled
@no_type_check
def compact(nodes, text, fresh, rows):
    """Write the labels of the nodes ``rows`` into ``fresh``, without gaps; return their length."""
    used = 0
    for row in rows:
        start, length = nodes[row].start, nodes[row].length
        fresh[used : used + length] = text[start : start + length]
        nodes[row].start = used
        used += length
    return used


@compiled
@no_type_check
def enter_edges(nodes, edges, text, rows):
    """Enter the edges above the nodes ``rows`` into an empty table."""
    for row in rows:
        key = edge_key(nodes[row].parent, text[nodes[row].start])
        i = place_of(edges, key)
        edges[i].key = key
        edges[i].child = row
