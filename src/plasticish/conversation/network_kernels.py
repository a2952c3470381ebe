"""The loops of the network: deliver what active cells say, let the best win, grow and weaken.

A cell's row of ``rows`` holds its outgoing synapses, each 32 bits: the number of a dendritic
segment (24 bits) and a weight (8 bits). Those onto engrams stand at the left end, those onto
speech at the right, and the room between them is what the cell may still grow; ``ends[cell]`` is
how many stand at either side. Only rows of active cells are ever read.
"""

from __future__ import annotations

from collections import namedtuple
from typing import no_type_check

import numpy as np
from numba import njit

__all__ = [
    "MOST_SEGMENTS",
    "NO_TOKEN",
    "Sizes",
    "Speech",
    "adjust_step",
    "choose_cells",
    "deliver",
    "grow_cue",
    "grow_step",
    "learn_steps",
    "next_state",
    "predict",
    "rank_engrams",
    "rewire_cue",
    "strengthen_cue",
    "sweep",
]

Speech = namedtuple("Speech", "tokens after engrams sizes seen")
"""Of every segment of speech the token it says, the one before, its engram and its synapses."""

Sizes = namedtuple("Sizes", "state step column")
"""Cells of a state, synapses of a segment of speech, cells of a column."""

MOST_SEGMENTS = 1 << 24
NO_TOKEN = 0xFFFF  # of a segment that is taken away
MOST_CUES, SPARE_CUES = 0.75, 0.33  # shares of a row that engrams may take, and may take freely
CONNECTED = 64  # a weight below it does not count towards a segment's spike
BORN = 160  # weight of a new synapse onto speech


@njit(cache=True, inline="always")
@no_type_check
def mixed(state):
    """Mix 64 bits: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


# ---------------------------------------------------------------------- engrams


@njit(cache=True)
@no_type_check
def deliver(rows, ends, cells, drive, match):
    """Add drive times weight to every segment that an active cell reaches."""
    for i in range(len(cells)):
        cell = cells[i]
        for j in range(ends[cell, 0]):
            synapse = rows[cell, j]
            match[synapse >> 8] += drive[i] * np.float32(synapse & np.uint32(255))


@njit(cache=True)
@no_type_check
def rank_engrams(match, norms, gains, cells_each, best, scores):
    """Fill in the engrams that match best, best first, and clear ``match``; return how many.

    A cell fires as its segment is driven, and the engram whose cells fire most wins; of equals,
    the one that was formed last.
    """
    found = 0
    for engram in range(len(norms)):
        total = np.float32(0)
        for k in range(engram * cells_each, (engram + 1) * cells_each):
            total += match[k]
            match[k] = 0
        if total == 0 or norms[engram] == 0:
            continue
        score = total * gains[engram] / norms[engram]
        if found == len(best) and score < scores[found - 1]:
            continue
        place = found if found < len(best) else found - 1
        found = max(found, place + 1)
        while place > 0 and scores[place - 1] <= score:
            scores[place], best[place] = scores[place - 1], best[place - 1]
            place -= 1
        scores[place], best[place] = score, engram
    return found


@njit(cache=True)
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


@njit(cache=True)
@no_type_check
def grow_cue(rows, ends, cells, weights, first, cells_each, most):
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
        segment = first + grown % cells_each
        rows[cell, ends[cell, 0]] = (np.uint32(segment) << np.uint32(8)) | np.uint32(weights[i])
        ends[cell, 0] += 1
        grown += 1
        square += np.float64(weights[i]) ** 2
    return grown, np.sqrt(square)


@njit(cache=True, inline="always")
@no_type_check
def moved(weight, amount, noise):
    """Return a weight moved by the share ``amount`` of the way to its bound, in whole quanta."""
    way = amount * (255 - weight) if amount > 0 else amount * weight
    whole = np.floor(way)
    step = np.int64(whole) + (1 if noise < way - whole else 0)
    return np.uint32(min(max(np.int64(weight) + step, 0), 255))


@njit(cache=True)
@no_type_check
def strengthen_cue(rows, ends, cells, first, cells_each, rate, seed):
    """Move the weights from active cells onto one engram up; return how many, and the change of
    the square of their norm."""
    count, change = 0, 0.0
    for cell in cells:
        for j in range(ends[cell, 0]):
            segment = np.int64(rows[cell, j] >> np.uint32(8))
            if first <= segment < first + cells_each:
                noise = np.float64(mixed(seed + np.uint64(cell)) >> np.uint64(11)) / 2.0**53
                old = np.int64(rows[cell, j] & np.uint32(255))
                new = moved(old, rate, noise)
                rows[cell, j] = (np.uint32(segment) << np.uint32(8)) | new
                change += np.float64(new) ** 2 - np.float64(old) ** 2
                count += 1
    return count, change


@njit(cache=True)
@no_type_check
def rewire_cue(rows, ends, cells, weights, first, cells_each, most):
    """Move synapses of an engram from the least to the most surprising active cells.

    ``cells`` come most surprising first. Return how many moved, and the change of the square of
    the norm of the weights; the number of synapses stays.
    """
    place = np.full(len(cells), -1, np.int64)
    for i in range(len(cells)):
        for j in range(ends[cells[i], 0]):
            if first <= np.int64(rows[cells[i], j] >> np.uint32(8)) < first + cells_each:
                place[i] = j
                break
    top, low, count, change = 0, len(cells) - 1, 0, 0.0
    width = rows.shape[1]
    while count < most:
        full = ends[cells[top], 0] >= MOST_CUES * width or ends[cells[top]].sum() >= width
        while top < low and (place[top] >= 0 or full):
            top += 1
            full = ends[cells[top], 0] >= MOST_CUES * width or ends[cells[top]].sum() >= width
        while low > top and place[low] < 0:
            low -= 1
        if top >= low or weights[top] <= weights[low]:
            break
        here, there = cells[low], cells[top]
        synapse = rows[here, place[low]]
        ends[here, 0] -= 1
        rows[here, place[low]] = rows[here, ends[here, 0]]
        rows[there, ends[there, 0]] = (synapse & np.uint32(0xFFFFFF00)) | np.uint32(weights[top])
        ends[there, 0] += 1
        change += np.float64(weights[top]) ** 2 - np.float64(synapse & np.uint32(255)) ** 2
        place[top], place[low] = ends[there, 0] - 1, -1
        count += 1
    return count, change


# ---------------------------------------------------------------------- speech


@njit(cache=True)
@no_type_check
def next_state(index, before, token, time, pool, column_cells, seed, cells, drives):
    """Fill ``cells`` with the state in which ``token`` is heard, and return how many.

    Each column of the token's pool has one winner, the cell that the index, the state before and
    the token drive most; of these the most driven win again. Innate wiring gives every source two
    bits of drive onto every cell of a column; nothing of it is stored.
    """
    size = 0
    sums = np.empty(column_cells, np.int64)
    gate = mixed(seed + (np.uint64(token) << np.uint64(32)) + np.uint64(time))
    for column in pool:
        sums[:] = 0
        for i in range(len(index) + len(before) + 1):
            source, gain = np.int64(0), 1
            if i < len(index):
                source, gain = 1 + np.int64(index[i]), 2
            elif i < len(index) + len(before):
                source, gain = 1 + np.int64(before[i - len(index)]), 1
            key = gate + (np.uint64(source) << np.uint64(20)) + np.uint64(column)
            bits = mixed(key * np.uint64(0x9E3779B97F4A7C15))
            for j in range(column_cells):
                sums[j] += gain * np.int64(bits & np.uint64(3))
                bits >>= np.uint64(2)
        winner = 0
        for j in range(1, column_cells):
            if sums[j] > sums[winner]:
                winner = j
        if size == len(cells) and sums[winner] <= drives[size - 1]:
            continue
        place = size if size < len(cells) else size - 1
        size = max(size, place + 1)
        while place > 0 and drives[place - 1] < sums[winner]:
            drives[place], cells[place] = drives[place - 1], cells[place - 1]
            place -= 1
        drives[place], cells[place] = sums[winner], column * column_cells + winner
    return size


@njit(cache=True)
@no_type_check
def predict(rows, ends, state, tokens, sizes, seen, best):
    """Let the state drive the segments of speech; return the best segment and its match.

    ``best`` becomes, for every token, the highest share of the synapses of one of its segments
    that are active; of equals the heavier segment wins, then the younger.
    """
    best[:] = 0
    width = rows.shape[1]
    for cell in state:
        for j in range(width - ends[cell, 1], width):
            weight = rows[cell, j] & np.uint32(255)
            if weight >= CONNECTED:
                seen[rows[cell, j] >> np.uint32(8)] += np.int32(65536) + np.int32(weight)
    winner, match, heaviest = -1, 0.0, 0
    for cell in state:
        for j in range(width - ends[cell, 1], width):
            segment = np.int64(rows[cell, j] >> np.uint32(8))
            total = seen[segment]
            seen[segment] = 0
            if total < 3 * 65536 or tokens[segment] == NO_TOKEN:
                continue
            share = (total >> 16) / sizes[segment]
            weight = total & 65535
            best[tokens[segment]] = max(best[tokens[segment]], share)
            if (share, weight, segment) > (match, heaviest, winner):
                winner, match, heaviest = segment, share, weight
    return winner, match


@njit(cache=True)
@no_type_check
def grow_step(rows, ends, state, segment, most):
    """Grow one segment from the emptiest cells of the state; return how many synapses it got."""
    width = rows.shape[1]
    free = np.array([ends[cell, 0] + ends[cell, 1] for cell in state])
    grown = 0
    for i in np.argsort(free, kind="mergesort"):
        if grown == most or free[i] >= width:
            break
        ends[state[i], 1] += 1
        place = width - ends[state[i], 1]
        rows[state[i], place] = (np.uint32(segment) << np.uint32(8)) | np.uint32(BORN)
        grown += 1
    return grown


@njit(cache=True)
@no_type_check
def adjust_step(rows, ends, state, segment, amount, seed):
    """Move the weights from the state onto one segment of speech; return how many moved."""
    count, width = 0, rows.shape[1]
    for cell in state:
        for j in range(width - ends[cell, 1], width):
            if np.int64(rows[cell, j] >> np.uint32(8)) == segment:
                noise = np.float64(mixed(seed + np.uint64(cell)) >> np.uint64(11)) / 2.0**53
                weight = moved(np.int64(rows[cell, j] & np.uint32(255)), amount, noise)
                rows[cell, j] = (np.uint32(segment) << np.uint32(8)) | weight
                count += 1
    return count


@njit(cache=True)
@no_type_check
def learn_steps(rows, ends, speech, index, engram, heard, pools, sizes, seed, numbers, rate):
    """Hear a line, and grow a segment for every token that its state did not fully expect.

    ``heard`` begins with the token before the first that is learned. Return how many of the
    ``numbers`` were used, and how many synapses grew.
    """
    cells, drives = np.empty(sizes.state, np.int64), np.empty(sizes.state, np.int64)
    before, used, grown = cells[:0], 0, 0
    best = np.empty(len(pools), np.float32)
    for t in range(len(heard) - 1):
        size = next_state(
            index, before, heard[t], t, pools[heard[t]], sizes.column, seed, cells, drives
        )
        state = cells[:size].copy()
        wanted = heard[t + 1]
        found, match = predict(rows, ends, state, speech.tokens, speech.sizes, speech.seen, best)
        if found >= 0 and match == 1.0 and speech.tokens[found] == wanted:
            adjust_step(rows, ends, state, found, rate, seed + np.uint64(found))
        else:
            number = numbers[used]
            synapses = grow_step(rows, ends, state, number, sizes.step)
            if synapses > 0:
                speech.tokens[number] = wanted
                speech.after[number] = heard[t]
                speech.engrams[number] = engram
                speech.sizes[number] = synapses
                grown += synapses
                used += 1
        before = state
    return used, grown


# ---------------------------------------------------------------------- taking away


@njit(cache=True)
@no_type_check
def sweep(rows, ends, norms, cells_each, tokens):
    """Take away every synapse onto a dead segment; return how many."""
    gone, width = 0, rows.shape[1]
    for cell in range(len(rows)):
        kept = 0
        for j in range(ends[cell, 0]):
            if norms[(rows[cell, j] >> np.uint32(8)) // cells_each] > 0:
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
