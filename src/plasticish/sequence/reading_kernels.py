"""The loops that read sequences: predict each symbol, correct the mixture, and count what came.

The contexts of a symbol are those of :mod:`.context_kernels`, the mixture and its correction those
of :mod:`.mixing_kernels`, and the tables those of :mod:`.count_kernels`.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

from .context_kernels import TRAIL, context_keys, marked, pass_by
from .count_kernels import ALIVE, CONTEXTS, NOVEL, ONCE, SEEN, USED, change
from .mixing_kernels import choose_rows, correct, floored, mix, probability, recall

__all__ = ["Cursor", "forecast", "no_room", "novelty", "read", "replay", "store"]

Cursor = namedtuple("Cursor", "place trail")
"""Where a reading stands, [sequence, symbol, rows told], and what was passed in the sequence."""


@inlined
@no_type_check
def novelty(head):
    """Probability of a symbol never seen: Good & Turing's, from those seen once."""
    return (head[ONCE] + 0.5) / (head[SEEN] + 1.0)


@inlined
@no_type_check
def no_room(counts, experts, size, limit):
    head = counts.head
    return (
        head[ALIVE] > limit
        or 2 * (head[CONTEXTS] + experts) > len(counts.slots)
        # One symbol can at worst double the stretch of every context.
        or head[USED] + 2 * experts * size > len(counts.synapses)
    )


@compiled
@no_type_check
def store(counts, s, answer, amount, share):
    """Count ``answer``, and that share of it after the context of every expert."""
    for e in range(len(s.keys)):
        change(counts, s.slot[e], s.keys[e], answer, amount * share)
    before = counts.seen[answer]
    counts.seen[answer] = max(before + amount, 0.0)
    counts.head[SEEN] += counts.seen[answer] - before
    counts.head[ONCE] += int(0.5 <= counts.seen[answer] < 1.5) - int(0.5 <= before < 1.5)
    counts.head[NOVEL] = max(counts.head[NOVEL], answer + 1)


@inlined
@no_type_check
def tell(s, size, fresh, row):
    """Write down the distribution: of what is not known yet each symbol has the same chance."""
    for k in range(size):
        row[k] = (1.0 - fresh) * floored(probability(s, k), size)
    for k in range(size, len(row)):
        row[k] = fresh / (len(row) - size)


@compiled
@no_type_check
def forecast(experts, counts, mixer, gains, logs, s, codes, classes, size):
    """Set ``s.p[:size]`` to the whole distribution after the prefix ``codes``."""
    trail = np.zeros(TRAIL, np.uint64)
    mark, begin = marked(codes, 0)
    for code in codes[begin:]:
        pass_by(trail, classes, code)
    context_keys(experts, codes, begin, len(codes), trail, mark, s.keys)
    choose_rows(s, gains, codes, begin, len(codes), recall(counts, logs, s, 0.0, -1))
    mix(mixer, s, size)
    for k in range(size):
        s.p[k] = probability(s, k)


@compiled
@no_type_check
def read(
    experts,
    counts,
    mixer,
    gains,
    logs,
    s,
    codes,
    starts,
    classes,
    cursor,
    step,
    damping,
    amount,
    least,
    own,
    limit,
    nats,
    told,
):
    """Read sequences: predict each symbol, correct the mixture if ``step``, store if ``amount``.

    Of ``amount`` that share is stored which the symbol was not expected, but ``least`` of it.

    The correction is that of a sequence whose counts were smaller by ``own``.

    ``nats[q]`` becomes the surprise at sequence q, and the rows of ``told``, if there are any, the
    distributions before each symbol. Returns True when all is read, and False where the tables have
    no room for another symbol or hold more than ``limit`` synapses, or where ``told`` is full: it
    goes on from the cursor once that is mended.
    """
    place, trail = cursor
    count = len(experts)
    for q in range(place[0], len(starts) - 1):
        mark, begin = marked(codes, starts[q])
        if place[1] == 0:
            trail[:] = 0
            nats[q] = 0.0
        for here in range(begin + place[1], starts[q + 1]):
            size = int(counts.head[NOVEL])
            full = len(told) > 0 and place[2] == len(told)
            if full or (amount != 0 and no_room(counts, count, len(classes), limit)):
                place[0], place[1] = q, here - begin
                return False
            answer = codes[here]
            share = 1.0
            context_keys(experts, codes, begin, here, trail, mark, s.keys)
            longest = recall(counts, logs, s, 0.0, -1)
            fresh = novelty(counts.head)
            if answer < 0 or answer >= size:
                nats[q] -= math.log(fresh)
                if len(told) > 0:
                    choose_rows(s, gains, codes, begin, here, longest)
                    mix(mixer, s, size)
            else:
                choose_rows(s, gains, codes, begin, here, longest)
                mix(mixer, s, size)
                expected = floored(probability(s, answer), size)
                nats[q] -= math.log((1.0 - fresh) * expected)
                if amount > 0:
                    share = max(least, 1.0 - expected)
            if len(told) > 0:
                tell(s, size, fresh, told[place[2]])
                place[2] += 1
            if step > 0 and 0 <= answer < size:
                if own[q] > 0:
                    longest = recall(counts, logs, s, own[q], answer)
                    choose_rows(s, gains, codes, begin, here, longest)
                    mix(mixer, s, size)
                correct(mixer, s, answer, step, damping)
            if amount != 0:
                store(counts, s, answer, amount, share)
            pass_by(trail, classes, answer)
        place[1] = 0
    place[0] = len(starts) - 1
    return True


@compiled
@no_type_check
def replay(
    experts,
    counts,
    mixer,
    gains,
    logs,
    s,
    codes,
    starts,
    weights,
    own,
    order,
    classes,
    step,
    damping,
):
    """Correct the mixture on stored sequences, ``own`` of each token's counts left out.

    Returns the surprise, weighed by how often each sequence is stored, and the weight of all.
    """
    trail = np.zeros(TRAIL, np.uint64)
    size = int(counts.head[NOVEL])
    nats, tokens = 0.0, 0.0
    for q in order:
        weight = weights[q]
        mark, begin = marked(codes, starts[q])
        trail[:] = 0
        for here in range(begin, starts[q + 1]):
            answer = codes[here]
            context_keys(experts, codes, begin, here, trail, mark, s.keys)
            longest = recall(counts, logs, s, own[q], answer)
            choose_rows(s, gains, codes, begin, here, longest)
            mix(mixer, s, size)
            nats -= weight * math.log(floored(probability(s, answer), size))
            tokens += weight
            correct(mixer, s, answer, step * min(weight / max(own[q], 1.0), 4.0), damping)
            pass_by(trail, classes, answer)
    return nats, tokens
