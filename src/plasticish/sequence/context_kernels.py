"""What the experts see of a sequence before its next symbol: each its context, as a hashed key.

What was passed is kept in a trail, so that a key costs the same however long the sequence is.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled, inlined

__all__ = ["MARK", "TRAIL", "blend", "context_keys", "marked", "pass_by"]

MARK = -2
"""The code that marks the first context, if it leads a sequence; those of others are below. It is
seen by the experts that are meant to, and neither predicted nor counted. (-1: never seen.)"""

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
