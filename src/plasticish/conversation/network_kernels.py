"""The loops of the engrams: deliver what active cells say, let the best win, grow and weaken.

A cell's row of ``rows`` holds its outgoing synapses, each 32 bits: the number of a dendritic
segment (24 bits) and a weight (8 bits). Those onto engrams stand at the left end, those onto
speech at the right, and the room between them is what the cell may still grow; ``ends[cell]`` is
how many stand at either side. Only rows of active cells are ever read.

An engram has four cells, and cell k of engram e the segment 4e + k. The four is a constant of the
compiled code, where it makes the summing over an engram 2.5 times as fast.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

__all__ = [
    "ENGRAM_CELLS",
    "MOST_CUES",
    "MOST_SEGMENTS",
    "NO_TOKEN",
    "choose_cells",
    "deliver",
    "grow_cue",
    "mixed",
    "moved",
    "pack",
    "rank_engrams",
    "strengthen_cue",
    "sweep",
    "unpack",
]

ENGRAM_CELLS = 4
MOST_SEGMENTS = 1 << 24
NO_TOKEN = 0xFFFF  # of a segment of speech that is taken away
MOST_CUES, SPARE_CUES = 0.75, 0.2  # shares of a row that engrams may take, and may take freely


@inlined
@no_type_check
def mixed(state):
    """Mix 64 bits: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@inlined
@no_type_check
def moved(weight, amount, noise):
    """Return a weight moved by the share ``amount`` of the way to its bound, in whole quanta."""
    way = amount * (255 - weight) if amount > 0 else amount * weight
    whole = np.floor(way)
    step = np.int64(whole) + (1 if noise < way - whole else 0)
    return np.uint32(min(max(np.int64(weight) + step, 0), 255))


@compiled
@no_type_check
def deliver(rows, ends, cells, drive, match):
    """Add drive times weight to every segment that an active cell reaches."""
    for i in range(len(cells)):
        cell = cells[i]
        for j in range(ends[cell, 0]):
            synapse = rows[cell, j]
            match[synapse >> 8] += drive[i] * np.float32(synapse & np.uint32(255))


@compiled
@no_type_check
def rank_engrams(match, scales, best, scores):
    """Fill in the engrams that match best, best first, and clear ``match``; return how many.

    A cell fires as its segment is driven, and the engram whose cells fire most wins; of equals,
    the one with the higher number. ``scales`` are gain over norm, and 0 for what was forgotten.
    """
    found, least = 0, np.float32(0)
    for engram in range(len(scales)):
        total = np.float32(0)
        for k in range(ENGRAM_CELLS * engram, ENGRAM_CELLS * engram + ENGRAM_CELLS):
            total += match[k]
        score = total * scales[engram]
        if score < least or score == 0:
            continue
        place = found if found < len(best) else found - 1
        found = max(found, place + 1)
        while place > 0 and scores[place - 1] <= score:
            scores[place], best[place] = scores[place - 1], best[place - 1]
            place -= 1
        scores[place], best[place] = score, engram
        if found == len(best):
            least = scores[found - 1]
    match[:] = 0
    return found


@compiled
@no_type_check
def choose_cells(used, seed, chosen):
    """Take the least used cells, any of those that are used as little, and count them as used."""
    found = 0
    keys = np.empty(len(chosen), np.uint64)
    for cell in range(len(used)):
        chance = mixed(seed + np.uint64(cell) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)
        key = (np.uint64(used[cell]) << np.uint64(40)) | chance
        if found == len(chosen) and key >= keys[found - 1]:
            continue
        place = found if found < len(chosen) else found - 1
        found = max(found, place + 1)
        while place > 0 and keys[place - 1] > key:
            keys[place], chosen[place] = keys[place - 1], chosen[place - 1]
            place -= 1
        keys[place], chosen[place] = key, cell
    for k in range(found):
        used[chosen[k]] += 1


@compiled
@no_type_check
def grow_cue(rows, ends, cells, weights, first, most):
    """Grow synapses from the first cells that have room, dealt out to the engram's segments.

    ``cells`` come most surprising first. Up to ``most`` synapses grow from any cell, three times as
    many from those that have room to spare. Return how many grew and the norm of their weights.
    """
    grown = 0
    square = 0.0
    width = rows.shape[1]
    for i in range(len(cells)):
        if grown == 4 * most:
            break
        limit = MOST_CUES * width if grown < most else SPARE_CUES * width
        cell = cells[i]
        if ends[cell, 0] >= limit or ends[cell, 0] + ends[cell, 1] >= width:
            continue
        segment = first + grown % ENGRAM_CELLS
        rows[cell, ends[cell, 0]] = (np.uint32(segment) << np.uint32(8)) | np.uint32(weights[i])
        ends[cell, 0] += 1
        grown += 1
        square += np.float64(weights[i]) ** 2
    return grown, np.sqrt(square)


@compiled
@no_type_check
def strengthen_cue(rows, ends, cells, first, rate, seed):
    """Move the weights from active cells onto one engram up; return how many, and the change of
    the square of their norm."""
    count, change = 0, 0.0
    for cell in cells:
        before, after = 0.0, 0.0  # what the contacts of this cell weigh together
        for j in range(ends[cell, 0]):
            segment = np.int64(rows[cell, j] >> np.uint32(8))
            if first <= segment < first + ENGRAM_CELLS:
                noise = np.float64(mixed(seed + np.uint64(cell)) >> np.uint64(11)) / 2.0**53
                old = np.int64(rows[cell, j] & np.uint32(255))
                new = moved(old, rate, noise)
                rows[cell, j] = (np.uint32(segment) << np.uint32(8)) | new
                before, after = before + np.float64(old), after + np.float64(new)
                count += 1
        change += after**2 - before**2
    return count, change


@compiled
@no_type_check
def sweep(rows, ends, scales, tokens):
    """Take away every synapse onto a dead segment; return how many."""
    gone, width = 0, rows.shape[1]
    for cell in range(len(rows)):
        kept = 0
        for j in range(ends[cell, 0]):
            if scales[(rows[cell, j] >> np.uint32(8)) // ENGRAM_CELLS] > 0:
                rows[cell, kept] = rows[cell, j]
                kept += 1
        gone += ends[cell, 0] - kept
        ends[cell, 0] = kept
        kept = 0
        for j in range(width - 1, width - 1 - ends[cell, 1], -1):
            if tokens[rows[cell, j] >> np.uint32(8)] != NO_TOKEN:
                rows[cell, width - 1 - kept] = rows[cell, j]
                kept += 1
        gone += ends[cell, 1] - kept
        ends[cell, 1] = kept
    return gone


@compiled
@no_type_check
def pack(rows, ends, packed):
    """Write the synapses in use one after another, row by row, from left to right."""
    place, width = 0, rows.shape[1]
    for cell in range(len(rows)):
        for j in range(ends[cell, 0]):
            packed[place] = rows[cell, j]
            place += 1
        for j in range(width - ends[cell, 1], width):
            packed[place] = rows[cell, j]
            place += 1


@compiled
@no_type_check
def unpack(packed, ends, rows):
    """Put back what :func:`pack` wrote."""
    place, width = 0, rows.shape[1]
    for cell in range(len(rows)):
        for j in range(ends[cell, 0]):
            rows[cell, j] = packed[place]
            place += 1
        for j in range(width - ends[cell, 1], width):
            rows[cell, j] = packed[place]
            place += 1
