"""The loops that grow and prune the abstraction tree: insert, withdraw, climb; none recurses.

Nodes and edges are those of :mod:`.node_kernels`.
"""

from __future__ import annotations

from typing import no_type_check

from plasticish.core.compiled import compiled

from .node_kernels import LIVE, NONE, ROOT, TEXT, link, new_node, release, unlink
from .path_kernels import descend
from .spectrum_kernels import readings, recount

__all__ = ["insert_all", "withdraw"]

LATELY = 64


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
