"""The loops of sleep: from an engram back to the cells that lead to it, and synapses that move.

Rows are those of :mod:`plasticish.conversation.network_kernels`. A cell may have synapses onto two
of the four segments of an engram, contacts, whose weights add up.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled

from .network_kernels import ENGRAM_CELLS, MOST_CUES
from .network_speech_kernels import next_state, predict

__all__ = [
    "count_contacts",
    "holds",
    "let_go",
    "move_contacts",
    "put_back",
    "thin_steps",
    "trace_back",
]

MOST_CONTACTS = 2


@compiled
@no_type_check
def count_contacts(rows, ends, slots, counts):
    """Count the synapses onto each engram that has a slot, in ``counts[slot]``."""
    for cell in range(len(rows)):
        for j in range(ends[cell, 0]):
            slot = slots[(rows[cell, j] >> np.uint32(8)) // ENGRAM_CELLS]
            if slot >= 0:
                counts[slot] += 1


@compiled
@no_type_check
def trace_back(rows, ends, slots, places, cells, synapses):
    """Write the synapses onto each engram that has a slot from ``places[slot]`` on, by cell."""
    for cell in range(len(rows)):
        for j in range(ends[cell, 0]):
            slot = slots[(rows[cell, j] >> np.uint32(8)) // ENGRAM_CELLS]
            if slot >= 0:
                cells[places[slot]], synapses[places[slot]] = cell, rows[cell, j]
                places[slot] += 1


@compiled
@no_type_check
def let_go(rows, ends, cells, synapses):
    """Take synapses onto engrams away; where one stood, the last of its row stands then."""
    for i in range(len(cells)):
        cell, segment = cells[i], synapses[i] >> np.uint32(8)
        for j in range(ends[cell, 0]):
            if rows[cell, j] >> np.uint32(8) == segment:
                ends[cell, 0] -= 1
                rows[cell, j] = rows[cell, ends[cell, 0]]
                break


@compiled
@no_type_check
def put_back(rows, ends, cells, synapses, side):
    """Let synapses grow at one end of their rows; return how many did.

    Those that found no room are taken out of ``cells`` and ``synapses``, which close up.
    """
    grown, width = 0, rows.shape[1]
    for i in range(len(cells)):
        cell = cells[i]
        if ends[cell, 0] + ends[cell, 1] < width:
            ends[cell, side] += 1
            place = width - ends[cell, 1] if side else ends[cell, 0] - 1
            rows[cell, place] = synapses[i]
            cells[grown], synapses[grown] = cell, synapses[i]
            grown += 1
    return grown


@compiled
@no_type_check
def move_contacts(ends, width, heard, cells, synapses, ratio):
    """Move synapses of one engram from its commonest cells to second contacts of its rarest.

    A synapse moves only to a cell that was active ``ratio`` times more seldom. ``cells`` and
    ``synapses`` are changed, the rows are not. Return how many moved.
    """
    order = np.argsort(heard[cells], kind="mergesort")
    low, high, moved = 0, len(cells) - 1, 0
    while low < high:
        here, there = cells[order[high]], cells[order[low]]
        if heard[here] < ratio * heard[there]:
            break
        contacts = np.count_nonzero(cells == there)
        full = ends[there, 0] >= MOST_CUES * width or ends[there, 0] + ends[there, 1] >= width
        if contacts < MOST_CONTACTS and not full:
            segment = synapses[order[low]] >> np.uint32(8)
            first = segment - segment % np.uint32(ENGRAM_CELLS)
            other = first + (segment + np.uint32(1)) % np.uint32(ENGRAM_CELLS)
            weight = synapses[order[low]] & np.uint32(255)
            cells[order[high]] = there
            synapses[order[high]] = (np.uint32(other) << np.uint32(8)) | weight
            high -= 1
            moved += 1
        low += 1
    return moved


@compiled
@no_type_check
def holds(rows, ends, lines, index, heard, pools, state_cells, seed):
    """Return whether an engram says just the line that ``heard`` is."""
    cells, drives = np.empty(state_cells, np.int64), np.empty(state_cells, np.int64)
    best, state = np.empty(len(pools), np.float32), cells[:0]
    for t in range(len(heard) - 1):
        size = next_state(index, state, heard[t], t, pools[heard[t]], seed, cells, drives)
        state = cells[:size].copy()
        found, _ = predict(rows, ends, state, lines.tokens, lines.sizes, lines.seen, best)
        if found < 0 or lines.tokens[found] != heard[t + 1]:
            return False
    return True


@compiled
@no_type_check
def thin_steps(
    rows, ends, lines, index, engram, heard, pools, state_cells, seed, keep, cells, synapses
):
    """Say a line, and take from each of its segments one of the synapses beyond ``keep``.

    Only segments of this engram are touched. What goes is written to ``cells`` and ``synapses``, at
    most as many as they hold; return how many went.
    """
    winners, drives = np.empty(state_cells, np.int64), np.empty(state_cells, np.int64)
    best, state, gone = np.empty(len(pools), np.float32), winners[:0], 0
    for t in range(len(heard) - 1):
        if gone == len(cells):
            break
        size = next_state(index, state, heard[t], t, pools[heard[t]], seed, winners, drives)
        state = winners[:size].copy()
        found, _ = predict(rows, ends, state, lines.tokens, lines.sizes, lines.seen, best)
        own = found >= 0 and lines.engrams[found] == engram and lines.tokens[found] == heard[t + 1]
        if own and lines.sizes[found] > keep:
            cell = weaken_fullest(rows, ends, state, found, synapses[gone:])
            if cell >= 0:
                cells[gone] = cell
                lines.sizes[found] -= 1
                gone += 1
    return gone


@compiled
@no_type_check
def weaken_fullest(rows, ends, state, segment, taken):
    """Take the synapse onto a segment of speech away from the cell whose row is fullest.

    It is written to ``taken[0]``; return the cell, or -1 if none has such a synapse.
    """
    fullest, place, width = -1, -1, rows.shape[1]
    for cell in state:
        if fullest >= 0 and ends[cell].sum() <= ends[fullest].sum():
            continue
        for j in range(width - ends[cell, 1], width):
            if rows[cell, j] >> np.uint32(8) == np.uint32(segment):
                fullest, place = cell, j
                break
    if fullest >= 0:
        taken[0] = rows[fullest, place]
        rows[fullest, place] = rows[fullest, width - ends[fullest, 1]]
        ends[fullest, 1] -= 1
    return fullest
