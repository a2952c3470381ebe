"""The loop behind a cue: runs of characters and whole words, hashed to cells and counted."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

__all__ = ["converge", "shared", "tally"]


@inlined
@no_type_check
def mixed(state):
    """Mix 64 bits: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled
@no_type_check
def tally(characters, lengths, folded, words, seed):
    """Return the parts of a text, each once and ascending, and how often each occurs.

    ``characters`` and ``folded`` are code points; ``lengths`` are those of the runs, ``words`` the
    first and the last place of every word in ``folded``.
    """
    most = len(lengths) * len(characters) + len(words) + 1
    parts = np.empty(most, np.int64)
    found = 0
    for length in lengths:
        for first in range(len(characters) - length + 1):
            parts[found] = name_of(characters[first : first + length], seed + np.uint64(length))
            found += 1
    for word in range(len(words)):
        parts[found] = name_of(folded[words[word, 0] : words[word, 1]], seed)
        found += 1
    parts[found] = name_of(characters, seed + np.uint64(1) + np.uint64(1 << 32))
    parts = np.sort(parts[: found + 1])
    times = np.empty(len(parts), np.int64)
    kept = 0
    for i in range(len(parts)):
        if i > 0 and parts[i] == parts[kept - 1]:
            times[kept - 1] += 1
        else:
            parts[kept], times[kept] = parts[i], 1
            kept += 1
    return parts[:kept], times[:kept]


@compiled
@no_type_check
def name_of(characters, seed):
    """Return a number for a run of characters."""
    state = seed
    for character in characters:
        state = mixed(state + np.uint64(character) + np.uint64(0x9E3779B97F4A7C15))
    return np.int64(state >> np.uint64(1))


@compiled
@no_type_check
def converge(parts, weights, cells):
    """Return the cells that the parts drive, ascending, and how strongly: as the strongest does."""
    drive = np.zeros(cells, np.float32)
    for i in range(len(parts)):
        cell = parts[i] % cells
        drive[cell] = max(drive[cell], np.float32(weights[i]))
    active = np.flatnonzero(drive)
    return active, drive[active]


@compiled
@no_type_check
def shared(parts, times, others, other_times):
    """Return how many occurrences of parts two texts have in common."""
    i, j, total = 0, 0, 0
    while i < len(parts) and j < len(others):
        if parts[i] == others[j]:
            total += min(times[i], other_times[j])
            i, j = i + 1, j + 1
        elif parts[i] < others[j]:
            i += 1
        else:
            j += 1
    return total
