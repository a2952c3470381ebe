"""The mixture of what the experts have counted, and the delta rule that corrects it.

The distribution is log-linear in what the experts know::

    p(s) ∝ exp Σ_e Σ_f w_ef · φ_f(c_es),    φ(c) = (log(1 + c/α), [c = 1], 1)   for c > 0, else 0

with c_es the count of symbol s after expert e's context. The weight w_ef is a sum of four: one
chosen by the position in the sequence, one by the last symbol, one by the longest context known,
one by how much expert e has seen of its own context. The negative log-likelihood is convex in
them, and its gradient is local, the delta rule: Δw_ef ∝ φ_f(c_ey) − Σ_s p(s) φ_f(c_es). Each
weight's step shrinks with the corrections it has had (Duchi, Hazan & Singer 2011).
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

from .count_kernels import REPORTED, find_slot

__all__ = [
    "BUCKETS",
    "CONSTANT",
    "FEATURES",
    "LONGEST",
    "POSITIONS",
    "RECENT",
    "SHARPNESS",
    "SITUATION",
    "UNCERTAINTY",
    "Mixer",
    "Scratch",
    "choose_rows",
    "correct",
    "floored",
    "mix",
    "probability",
    "recall",
]

FEATURES = 3
BUCKETS = 40
POSITIONS, LONGEST, RECENT = 16, 32, 1024
"""Rows of weights by position, by longest known context, and by last symbol."""

SITUATION, UNCERTAINTY, CONSTANT = 0, 1, 2
"""What the weights follow: position, last symbol and longest known context; what each of several
contexts knows of what follows it; or nothing."""

SHARPNESS = 0.3
"""α: a count is read on a logarithmic scale from here on."""

Mixer = namedtuple("Mixer", "shared shared_sum own own_sum")
"""Weights [row, feature, expert] chosen by the situation, and [bucket, feature, expert] by the
expert's own context; beside each the sum of its squared corrections. Experts come last: what is
done to all of them alike runs through memory in one go."""

Scratch = namedtuple(
    "Scratch", "keys slot bucket begin symbol feature weight error rows score p marked named last"
)
"""Room for one prediction: of each symbol that some expert named (``named``, those ``marked``) the
score and the probability; in ``last`` how many they are and the probability of each other one."""

# last: symbols named, probability of one not named.
NAMED, OTHER = 0, 1


@inlined
@no_type_check
def bucket_of(total, size):
    """How much was seen of a context: nine octaves of the count, by one to four symbols."""
    octave, n = 0, int(total + 0.5)
    while n > 1 and octave < BUCKETS // 4 - 1:
        n >>= 1
        octave += 1
    return 4 * octave + min(size, 4) - 1


@compiled
@no_type_check
def recall(counts, logs, s, own, answer):
    """Collect what each expert has counted after its context, ``own`` of ``answer`` left out.

    Returns the longest of experts 1 to 6 (the orders) that knows its context.
    """
    slots, synapses = counts.slots, counts.synapses
    used, longest = 0, 0
    # All slots are looked up before any is read: the waits for memory then overlap.
    for e in range(len(s.keys)):
        s.slot[e] = find_slot(slots, s.keys[e])
    for e in range(len(s.keys)):
        i = s.slot[e]
        s.begin[e] = used
        if slots[i].key == 0:
            continue
        first, total = slots[i].first, slots[i].total
        for j in range(first, first + min(slots[i].size, REPORTED)):
            symbol, count = synapses[j].symbol, np.float64(synapses[j].count)
            if own > 0 and symbol == answer:
                count -= own
                total -= own
                if count < 0.01:
                    continue
            whole = int(count)
            known = whole == count and whole < len(logs)
            s.symbol[used] = symbol
            s.feature[used, 0] = logs[whole] if known else math.log(1 + count / SHARPNESS)
            s.feature[used, 1] = max(0.0, 1.0 - abs(count - 1.0))
            used += 1
        size = used - s.begin[e]
        if size > 0:
            s.bucket[e] = bucket_of(total, size)
            if 1 <= e <= 6:
                longest = e
    s.begin[len(s.keys)] = used
    return longest


@inlined
@no_type_check
def certainty_of_last(s):
    """Whether the contexts of each of the last three experts are new, open, or had one outcome."""
    state = 0
    for e in range(max(len(s.keys) - 3, 0), len(s.keys)):
        size = s.begin[e + 1] - s.begin[e]
        state = 3 * state + (0 if size == 0 else 2 if size == 1 else 1)
    return state


@compiled
@no_type_check
def choose_rows(s, gains, codes, begin, here, longest):
    """Choose the rows of shared weights, and with constant gains one bucket for all."""
    if gains == CONSTANT:
        s.rows[:] = 0
        s.bucket[:] = 0
        return
    spread = 3
    if longest > 0:
        spread = min(3, s.begin[longest + 1] - s.begin[longest] - 1)
    s.rows[1] = POSITIONS + 4 * longest + spread
    if gains == UNCERTAINTY:
        s.rows[0] = 0
        s.rows[2] = POSITIONS + LONGEST + 27 * longest + certainty_of_last(s)
    else:
        s.rows[0] = min(here - begin, POSITIONS - 1)
        s.rows[2] = POSITIONS + LONGEST + (codes[here - 1] % RECENT if here > begin else 0)


@compiled
@no_type_check
def mix(mixer, s, size):
    """Set the weights, the scores and the probabilities for what was recalled.

    A symbol that no expert named has the score 0, and all of them are alike.
    """
    for k in range(int(s.last[NAMED])):
        s.marked[s.named[k]] = False
    named = 0
    first, second, third = s.rows
    for f in range(FEATURES):
        for e in range(len(s.keys)):
            s.weight[f, e] = (
                mixer.shared[first, f, e] + mixer.shared[second, f, e] + mixer.shared[third, f, e]
            )
    for e in range(len(s.keys)):
        begin, end = s.begin[e], s.begin[e + 1]
        if begin == end:
            continue
        for f in range(FEATURES):
            s.weight[f, e] += mixer.own[s.bucket[e], f, e]
        w0, w1, w2 = s.weight[0, e], s.weight[1, e], s.weight[2, e]
        for j in range(begin, end):
            k = s.symbol[j]
            if not s.marked[k]:
                s.marked[k] = True
                s.score[k] = 0.0
                s.named[named] = k
                named += 1
            s.score[k] += w0 * s.feature[j, 0] + w1 * s.feature[j, 1] + w2
    top = 0.0 if named < size else -math.inf
    for k in s.named[:named]:
        top = max(top, s.score[k])
    other = math.exp(-top)
    mass = (size - named) * other
    for k in s.named[:named]:
        s.p[k] = math.exp(s.score[k] - top)
        mass += s.p[k]
    for k in s.named[:named]:
        s.p[k] /= mass
    s.last[NAMED], s.last[OTHER] = named, other / mass


@inlined
@no_type_check
def probability(s, symbol):
    return s.p[symbol] if s.marked[symbol] else s.last[OTHER]


@inlined
@no_type_check
def floored(p, size):
    # A millionth is spread over all known symbols, so that none is ever impossible.
    return (1.0 - 1e-6) * p + 1e-6 / size


@compiled
@no_type_check
def correct(mixer, s, answer, step, damping):
    """Apply the delta rule: what the answer has, less what was expected of it."""
    s.error[:] = 0.0
    for e in range(len(s.keys)):
        for j in range(s.begin[e], s.begin[e + 1]):
            error = (1.0 if s.symbol[j] == answer else 0.0) - s.p[s.symbol[j]]
            s.error[0, e] += error * s.feature[j, 0]
            s.error[1, e] += error * s.feature[j, 1]
            s.error[2, e] += error
    for e in range(len(s.keys)):
        if s.begin[e] == s.begin[e + 1]:
            continue
        b = s.bucket[e]
        for f in range(FEATURES):
            g = s.error[f, e]
            mixer.own_sum[b, f, e] += g * g
            mixer.own[b, f, e] += step * g / math.sqrt(damping + mixer.own_sum[b, f, e])
    for row in s.rows:
        for f in range(FEATURES):
            sums, weights, errors = mixer.shared_sum[row, f], mixer.shared[row, f], s.error[f]
            for e in range(len(errors)):
                sums[e] += errors[e] * errors[e]
                weights[e] += step * errors[e] / math.sqrt(damping + sums[e])
