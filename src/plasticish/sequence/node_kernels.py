"""Nodes and edges of the abstraction tree in flat arrays: find, link, unlink, and tidy up.

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
    "NONE",
    "ROOT",
    "ROWS",
    "TEXT",
    "compact",
    "enter_edges",
    "find_child",
    "link",
    "new_node",
    "rehash",
    "release",
    "unlink",
]

END = 0
ROOT = 0
NONE = -1

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
def rehash(edges, larger):
    """Enter every edge into a larger, empty table."""
    for i in range(len(edges)):
        if edges[i].key != 0:
            larger[place_of(larger, edges[i].key)] = edges[i]


@compiled
@no_type_check
def enter_edges(nodes, edges, text, rows):
    """Enter the edges above the nodes ``rows`` into an empty table."""
    for row in rows:
        key = edge_key(nodes[row].parent, text[nodes[row].start])
        i = place_of(edges, key)
        edges[i].key = key
        edges[i].child = row


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
