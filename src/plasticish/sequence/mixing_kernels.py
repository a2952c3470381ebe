"""The loops of the predictor: recall counts, mix them, correct the mixture, store.

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

from .count_kernels import ALIVE, CONTEXTS, NOVEL, ONCE, REPORTED, SEEN, USED, change, find_slot

__all__ = [
    "BUCKETS",
    "CONSTANT",
    "FEATURES",
    "MARK",
    "SITUATION",
    "UNCERTAINTY",
    "Cursor",
    "Mixer",
    "Scratch",
    "forecast",
    "read",
    "replay",
]

FEATURES = 3
BUCKETS = 40
POSITIONS, LONGEST, RECENT = 16, 32, 1024
"""Rows of weights by position, by longest known context, and by last symbol."""

SITUATION, UNCERTAINTY, CONSTANT = 0, 1, 2
"""What the weights follow: position, last symbol and longest known context; what each of several
contexts knows of what follows it; or nothing."""

MARK = -2
"""The code that marks the first context, if it leads a sequence; those of others are below. It is
seen by the experts that are meant to, and neither predicted nor counted. (-1: never seen.)"""

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

Cursor = namedtuple("Cursor", "place trail")
"""Where a reading stands, [sequence, symbol, rows told], and what was passed in the sequence."""

# last: symbols named, probability of one not named.
NAMED, OTHER = 0, 1

# trail: hash of all so far, the classes so far, the last three vowels and consonants, and hashes of
# the word so far and of the two before it.
WHOLE, SHAPE, VOWELS, CONSONANTS, WORDS = 0, 1, 2, 5, 8
TRAIL = 11


@inlined
@no_type_check
def blend(key, value):
    key = (key ^ np.uint64(value)) * np.uint64(0x9E3779B97F4A7C15)
    return key ^ (key >> np.uint64(29))


@inlined
@no_type_check
def marked(codes, begin):
    """Return the mark that a sequence is led by, or 0, and where its first symbol is."""
    if begin < len(codes) and codes[begin] <= MARK:
        return codes[begin], begin + 1
    return 0, begin


@compiled
@no_type_check
def context_keys(experts, codes, begin, here, trail, mark, keys):
    """Set ``keys`` to the hashed context of every expert before position ``here``."""
    for e in range(len(experts)):
        recent, first, position, shape, vowels, consonants, whole, words, sees = experts[e]
        key = blend(np.uint64(0x2545F4914F6CDD1D), e + 1)
        offset = 1
        while recent:
            if recent & 1:
                key = blend(key, codes[here - offset] + 2 if here - offset >= begin else 1)
            recent >>= 1
            offset += 1
        for i in range(first):
            key = blend(key, codes[begin + i] + 2 if begin + i < here else 1)
        if position:
            key = blend(key, min(here - begin, 31) + 1)
        if shape:
            mask = (np.uint64(1) << np.uint64(2 * shape)) - np.uint64(1)
            key = blend(key, trail[SHAPE] & mask)
        for i in range(vowels):
            key = blend(key, trail[VOWELS + i])
        for i in range(consonants):
            key = blend(key, trail[CONSONANTS + i])
        if whole:
            key = blend(key, trail[WHOLE])
        for i in range(words):
            key = blend(key, trail[WORDS + i])
        if sees and mark:
            key = blend(key, mark)
        # The first byte says whose context it is; + 1: 0 marks an empty slot.
        keys[e] = (key & np.uint64(0xFFFFFFFFFFFFFF)) | (np.uint64(e + 1) << np.uint64(56))


@compiled
@no_type_check
def pass_by(trail, classes, symbol):
    """Note a symbol in the trail."""
    code = np.uint64(symbol + 2)
    kind = classes[symbol] if symbol >= 0 else 3  # never seen: no letter
    trail[WHOLE] = blend(trail[WHOLE], code)
    trail[SHAPE] = (trail[SHAPE] << np.uint64(2)) | np.uint64(kind)
    if kind == 1 or kind == 2:
        at = VOWELS if kind == 1 else CONSONANTS
        trail[at + 2], trail[at + 1], trail[at] = trail[at + 1], trail[at], code
        trail[WORDS] = blend(trail[WORDS], code)
    else:
        # What ends a word is part of what comes before the next.
        trail[WORDS + 2], trail[WORDS + 1] = trail[WORDS + 1], blend(trail[WORDS], code)
        trail[WORDS] = 0


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


@inlined
@no_type_check
def novelty(head):
    """Probability of a symbol never seen: Good & Turing's, from those seen once."""
    return (head[ONCE] + 0.5) / (head[SEEN] + 1.0)


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


@inlined
@no_type_check
def tell(s, size, fresh, row):
    """Write down the distribution: of what is not known yet each symbol has the same chance."""
    for k in range(size):
        row[k] = (1.0 - fresh) * floored(probability(s, k), size)
    for k in range(size, len(row)):
        row[k] = fresh / (len(row) - size)


@inlined
@no_type_check
def floored(p, size):
    # A millionth is spread over all known symbols, so that none is ever impossible.
    return (1.0 - 1e-6) * p + 1e-6 / size


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
