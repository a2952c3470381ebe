"""Paths of the abstraction tree: a sequence followed from the root, or read off the labels."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled

from .node_kernels import NONE, ROOT, find_child

__all__ = ["descend", "locate", "path_to", "paths_to"]


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
def locate(nodes, edges, text, sequence):
    """Return the leaf of ``sequence``, which ends in END, or -1 if it is not stored."""
    node, agree, i = descend(nodes, edges, text, sequence, 0, len(sequence))
    return node if i == len(sequence) and agree == nodes[node].length else NONE


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
