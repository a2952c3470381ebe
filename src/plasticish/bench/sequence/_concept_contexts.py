"""The predictor with contexts that come from outside: concepts of the library, or words.

The counts and the mixer are those of :class:`plasticish.sequence.Predictor`, moved by its own
kernels; only the keys of some further experts are not made by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
import numpy.typing as npt

from plasticish.core.compiled import compiled
from plasticish.sequence import (
    Alphabet,
    ConceptLibrary,
    Expert,
    Predictor,
    context_kernels,
    mixing_kernels,
    reading_kernels,
)
from plasticish.sequence.count_kernels import NOVEL
from plasticish.sequence.experts import OTHER, classes_of
from plasticish.sequence.grammar_kernels import NONE, find_pair, key_of
from plasticish.sequence.mixer import scratch_for

__all__ = ["CHUNK", "OutsidePredictor", "Reading", "concept_keys", "read_with", "word_keys"]

Codes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

CHUNK = 20
"""Sequences that are read before the library learns them: concepts are those known before."""

DEPTH = 3
_STEP, _DAMPING = 0.03, 1000.0  # of the predictor's own learning
_LOGS = np.log1p(np.arange(4096) / mixing_kernels.SHARPNESS)


@dataclass(frozen=True)
class Reading:
    """What came of reading sequences once.

    Attributes
    ----------
    nats : float
        Surprise before each symbol was learned, in nats a symbol.
    late : float
        The same over the second half.
    asked : float
        Surprise at the sequences asked for afterwards; 0 if there are none.
    synapses : int
        Counts kept.
    """

    nats: float
    late: float
    asked: float
    synapses: int


class OutsidePredictor(Predictor):
    """A predictor with ``extra`` more experts, keyed by the columns of ``outside(codes, starts)``.

    Its counts are not bounded.
    """

    def __init__(
        self, experts: Sequence[Expert], extra: int, outside: Callable[[Codes, Ints], Keys]
    ) -> None:
        super().__init__([*experts, *(Expert(name=f"outside {k}") for k in range(extra))])
        self._experts, self._outside = self._experts[: len(experts)], outside

    def _read(
        self, codes: Codes, starts: Ints, classes: Ints, step: float, amount: float,
        own: npt.NDArray[np.float64] | None = None,
    ) -> npt.NDArray[np.float64]:  # fmt: skip
        self._counts.know(len(classes))
        nats, keys = np.zeros(len(starts) - 1), self._outside(codes, starts)
        cursor = reading_kernels.Cursor(
            np.zeros(2, np.int64), np.zeros(context_kernels.TRAIL, np.uint64)
        )
        scratch = scratch_for(len(self.experts), len(classes))
        while not _read(
            self._experts, self._counts.tables, self._mixer, _LOGS, scratch, codes, starts,
            classes, keys, cursor, step, _DAMPING, amount, nats,
        ):  # fmt: skip
            self._counts.make_room(len(self.experts), len(classes), self.max_synapses)
        return nats


@compiled
@no_type_check
def _read(
    experts, counts, mixer, logs, s, codes, starts, classes, outside, cursor, step, damping, amount,
    nats,
):  # fmt: skip
    """As the kernel of the predictor: predict, correct, store; but with keys from outside."""
    place, trail = cursor
    for q in range(place[0], len(starts) - 1):
        begin = starts[q]
        if place[1] == 0:
            trail[:] = 0
        for here in range(begin + place[1], starts[q + 1]):
            size = int(counts.head[NOVEL])
            if amount != 0 and reading_kernels.no_room(counts, len(s.keys), len(classes), 1 << 62):
                place[0], place[1] = q, here - begin
                return False
            answer = codes[here]
            context_kernels.context_keys(experts, codes, begin, here, trail, 0, s.keys)
            for e in range(len(experts), len(s.keys)):
                key = outside[here, e - len(experts)] & np.uint64(0xFFFFFFFFFFFFFF)
                s.keys[e] = key | (np.uint64(e + 1) << np.uint64(56))
            longest = mixing_kernels.recall(counts, logs, s, 0.0, -1)
            fresh = reading_kernels.novelty(counts.head)
            if answer < 0 or answer >= size:
                nats[q] -= math.log(fresh)
            else:
                mixing_kernels.choose_rows(s, mixing_kernels.SITUATION, codes, begin, here, longest)
                mixing_kernels.mix(mixer, s, size)
                nats[q] -= math.log(
                    (1.0 - fresh)
                    * mixing_kernels.floored(mixing_kernels.probability(s, answer), size)
                )
                if step > 0:
                    mixing_kernels.correct(mixer, s, answer, step, damping)
            if amount != 0:
                reading_kernels.store(counts, s, answer, amount, 1.0)
            if answer >= 0:
                context_kernels.pass_by(trail, classes, answer)
        place[1] = 0
    place[0] = len(starts) - 1
    return True


def read_with(
    experts: Sequence[Expert], texts: Sequence[str], asked: Sequence[str] = (), *,
    keys: str = "",
) -> Reading:  # fmt: skip
    """Read texts once, with three more experts of these ``keys``: "concepts", "words", or none."""
    alphabet, library, stored = Alphabet(), ConceptLibrary(), set[str]()
    classes = np.array([OTHER], np.int64)

    def outside(codes: Codes, starts: Ints) -> Keys:
        if keys == "words":
            return word_keys(codes, starts, classes)
        return concept_keys(library, codes, starts)

    predictor = OutsidePredictor(experts, DEPTH if keys else 0, outside)
    nats, symbols = [], []
    for first in range(0, len(texts), CHUNK):
        part = texts[first : first + CHUNK]
        batch = alphabet.encode(part)
        alphabet.grow(batch)
        classes = np.concatenate([classes, classes_of(batch.new)])
        nats.append(float(predictor.learn(batch, classes).sum()))
        symbols.append(len(batch.codes))
        fresh = np.array(
            [text not in stored and part.index(text) == i for i, text in enumerate(part)]
        )
        library.add(batch, np.arange(first, first + len(part)), fresh)
        stored.update(part)
    half = len(nats) // 2
    return Reading(
        sum(nats) / sum(symbols),
        sum(nats[half:]) / sum(symbols[half:]),
        _nats(predictor, alphabet, classes, asked),
        predictor.synapses,
    )


def _nats(predictor: Predictor, alphabet: Alphabet, classes: Ints, asked: Sequence[str]) -> float:
    if not asked:
        return 0.0
    batch = alphabet.encode(asked)
    return float(predictor.nats(batch, classes).sum()) / len(batch.codes)


def concept_keys(library: ConceptLibrary, codes: Codes, starts: Ints) -> Keys:
    """Return keys [symbol, 3] of the last one, two and three concepts of the parse before it."""
    found: Keys = _parse_keys(library._grammar, codes, starts)
    return found


@compiled
@no_type_check
def _parse_keys(g, codes, starts):
    out, stack = np.zeros((len(codes), DEPTH), np.uint64), np.empty(len(codes), np.int64)
    for q in range(len(starts) - 1):
        top = 0
        for here in range(starts[q], starts[q + 1]):
            key = np.uint64(1)
            for d in range(DEPTH):
                # Past the start of the sequence there is a mark that no concept and no code has.
                key = context_kernels.blend(key, stack[top - 1 - d] if d < top else 1 << 40)
                out[here, d] = key
            stack[top] = codes[here]
            top += 1
            while top > 1:
                i = find_pair(g.pairs, key_of(stack[top - 2], stack[top - 1]))
                if g.pairs[i].key == 0 or g.pairs[i].concept == NONE:
                    break
                stack[top - 2] = -1 - g.pairs[i].concept
                top -= 1
    return out


def word_keys(codes: Codes, starts: Ints, classes: Ints) -> Keys:
    """Return keys [symbol, 3] of the word so far, and with it the one and two words before.

    A word ends with any symbol of class :data:`OTHER`: what is no letter.
    """
    found: Keys = _word_keys(codes, starts, classes)
    return found


@compiled
@no_type_check
def _word_keys(codes, starts, classes):
    out = np.zeros((len(codes), DEPTH), np.uint64)
    for q in range(len(starts) - 1):
        word, before, earlier = np.uint64(1), np.uint64(1), np.uint64(1)
        for here in range(starts[q], starts[q + 1]):
            out[here, 0] = word
            out[here, 1] = context_kernels.blend(word, before)
            out[here, 2] = context_kernels.blend(out[here, 1], earlier)
            if classes[codes[here]] == OTHER:
                # What ends a word is part of what comes before the next.
                before, earlier = context_kernels.blend(word, codes[here]), before
                word = np.uint64(1)
            else:
                word = context_kernels.blend(word, codes[here])
    return out
