"""The loops of speech: which cells a line so far makes active, what they expect, what they learn.

Rows are those of :mod:`plasticish.conversation.network_kernels`; synapses onto speech stand at
their right ends.
"""

from __future__ import annotations

from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled

from .network_kernels import NO_TOKEN, mixed, moved
from .vocabulary import END, START

__all__ = ["COLUMN", "Lines", "learn_steps", "next_state", "predict", "say_line"]

Lines = namedtuple("Lines", "tokens after engrams sizes seen")
"""Of every segment the token it says, the one before, its engram, its synapses; and a scratch."""

COLUMN = 32  # cells: two bits of innate drive onto each are 64
CONNECTED = 64  # a weight below it does not count towards a segment's spike
FEWEST = 3  # active synapses of a segment that spikes
BORN = 160  # weight of a new synapse
PAIRS = np.uint64(0x0303030303030303)
AT_ONCE = 40  # sources whose drive fits into eight bits: 40 * 2 * 3 < 256
ONE = 1 << 16  # an active synapse, in a sum that holds the weights below


@compiled
@no_type_check
def add_drive(sums, index, before, first, last, gate):
    """Add what some of the sources drive each cell of a column: the index, the state, a constant.

    The 32 sums of two bits each stand in the 8-bit lanes of four words while they are added up.
    """
    a = b = c = d = np.uint64(0)
    for i in range(first, last):
        source, gain = np.int64(0), np.uint64(1)
        if i < len(index):
            source, gain = 1 + np.int64(index[i]), np.uint64(2)
        elif i < len(index) + len(before):
            source = 1 + np.int64(before[i - len(index)])
        key = gate + (np.uint64(source) << np.uint64(20))
        bits = mixed(key * np.uint64(0x9E3779B97F4A7C15))
        a += gain * (bits & PAIRS)
        b += gain * ((bits >> np.uint64(2)) & PAIRS)
        c += gain * ((bits >> np.uint64(4)) & PAIRS)
        d += gain * ((bits >> np.uint64(6)) & PAIRS)
    for lane in range(8):
        shift = np.uint64(8 * lane)
        sums[4 * lane] += np.int64((a >> shift) & np.uint64(255))
        sums[4 * lane + 1] += np.int64((b >> shift) & np.uint64(255))
        sums[4 * lane + 2] += np.int64((c >> shift) & np.uint64(255))
        sums[4 * lane + 3] += np.int64((d >> shift) & np.uint64(255))


@compiled
@no_type_check
def next_state(index, before, token, time, pool, seed, cells, drives):
    """Fill ``cells`` with the state in which ``token`` is heard at ``time``; return how many.

    Each column of the token's pool has one winner, the cell that the index, the state before and
    the token drive most; of these the most driven win again. Innate wiring gives every source two
    bits of drive onto every cell of a column; nothing of it is stored.
    """
    size = 0
    sums = np.empty(COLUMN, np.int64)
    gate = mixed(seed + (np.uint64(token) << np.uint64(32)) + np.uint64(time))
    for column in pool:
        sums[:] = 0
        for first in range(0, len(index) + len(before) + 1, AT_ONCE):
            last = min(first + AT_ONCE, len(index) + len(before) + 1)
            add_drive(sums, index, before, first, last, gate + np.uint64(column))
        winner = 0
        for j in range(1, COLUMN):
            if sums[j] > sums[winner]:
                winner = j
        if size == len(cells) and sums[winner] <= drives[size - 1]:
            continue
        place = size if size < len(cells) else size - 1
        size = max(size, place + 1)
        while place > 0 and drives[place - 1] < sums[winner]:
            drives[place], cells[place] = drives[place - 1], cells[place - 1]
            place -= 1
        drives[place], cells[place] = sums[winner], column * COLUMN + winner
    return size


@compiled
@no_type_check
def predict(rows, ends, state, tokens, sizes, seen, best):
    """Let the state drive the segments of speech; return the best segment and its match.

    ``best`` becomes, for every token, the highest share of the synapses of one of its segments
    that are active; of equals the heavier segment wins, then the one with the higher number.
    """
    best[:] = 0
    width = rows.shape[1]
    for cell in state:
        for j in range(width - ends[cell, 1], width):
            weight = rows[cell, j] & np.uint32(255)
            if weight >= CONNECTED:
                seen[rows[cell, j] >> np.uint32(8)] += np.int32(ONE) + np.int32(weight)
    winner, match, heaviest = -1, 0.0, 0
    for cell in state:
        for j in range(width - ends[cell, 1], width):
            segment = np.int64(rows[cell, j] >> np.uint32(8))
            total = seen[segment]
            seen[segment] = 0
            if total < FEWEST * ONE or tokens[segment] == NO_TOKEN:
                continue
            share = (total // ONE) / sizes[segment]
            weight = total % ONE
            best[tokens[segment]] = max(best[tokens[segment]], share)
            if (share, weight, segment) > (match, heaviest, winner):
                winner, match, heaviest = segment, share, weight
    return winner, match


@compiled
@no_type_check
def say_line(rows, ends, lines, index, pools, state_cells, seed, said, matches):
    """Fill ``said`` with the line of an index, and ``matches``; return how many tokens it has."""
    cells, drives = np.empty(state_cells, np.int64), np.empty(state_cells, np.int64)
    before, token = cells[:0], START
    best = np.empty(len(pools), np.float32)
    for t in range(len(said)):
        size = next_state(index, before, token, t, pools[token], seed, cells, drives)
        before = cells[:size].copy()
        found, match = predict(rows, ends, before, lines.tokens, lines.sizes, lines.seen, best)
        token = np.int64(lines.tokens[found]) if found >= 0 else END
        if token == END:
            return t
        said[t], matches[t] = token, match
    return len(said)


@compiled
@no_type_check
def grow_step(rows, ends, state, segment, most):
    """Grow one segment from the emptiest cells of the state; return how many synapses it got.

    None grows where too few of the cells have room for the segment ever to spike.
    """
    width = rows.shape[1]
    taken = np.array([ends[cell, 0] + ends[cell, 1] for cell in state])
    order = np.argsort(taken, kind="mergesort")
    if len(order) < FEWEST or taken[order[FEWEST - 1]] >= width:
        return 0
    grown = 0
    for i in order[:most]:
        if taken[i] >= width:
            break
        ends[state[i], 1] += 1
        place = width - ends[state[i], 1]
        rows[state[i], place] = (np.uint32(segment) << np.uint32(8)) | np.uint32(BORN)
        grown += 1
    return grown


@compiled
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


@compiled
@no_type_check
def learn_steps(
    rows, ends, lines, index, engram, heard, pools, state_cells, synapses, seed, numbers, rate
):
    """Hear a line, and grow a segment for every token that its state did not fully expect.

    ``heard`` begins with the token before the first that is learned. Return how many of the
    ``numbers`` were used, how many synapses grew, and for how many tokens there was no room.
    """
    cells, drives = np.empty(state_cells, np.int64), np.empty(state_cells, np.int64)
    before, used, grown, missed = cells[:0], 0, 0, 0
    best = np.empty(len(pools), np.float32)
    for t in range(len(heard) - 1):
        size = next_state(index, before, heard[t], t, pools[heard[t]], seed, cells, drives)
        state = cells[:size].copy()
        wanted = heard[t + 1]
        found, match = predict(rows, ends, state, lines.tokens, lines.sizes, lines.seen, best)
        if found >= 0 and match == 1.0 and lines.tokens[found] == wanted:
            adjust_step(rows, ends, state, found, rate, seed + np.uint64(found))
        elif used == len(numbers):
            missed += 1
        else:
            number = numbers[used]
            size = grow_step(rows, ends, state, number, synapses)
            if size == 0:
                missed += 1
            else:
                lines.tokens[number] = wanted
                lines.after[number] = heard[t]
                lines.engrams[number] = engram
                lines.sizes[number] = size
                grown += size
                used += 1
        before = state
    return used, grown, missed
