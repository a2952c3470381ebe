"""How many bits a set of sequences takes: as symbols, as concepts, and by common compressors.

All codes are adaptive: what is coded is counted afterwards, and a decoder that does the same needs
nothing else. So does the library: a sequence is parsed with the concepts known before it came, and
only then learned, so that no grammar has to be sent. Lengths are those of an ideal arithmetic
coder, which comes within a few bits of them.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from plasticish.sequence import Alphabet, ConceptLibrary, Encoded

__all__ = ["COMPRESSORS", "AdaptiveCoder", "concept_bits", "symbol_bits"]

COMPRESSORS: dict[str, Callable[[bytes], int]] = {
    "zlib": lambda data: len(zlib.compress(data, 9)),
    "bz2": lambda data: len(bz2.compress(data, 9)),
    "xz": lambda data: len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
}
"""Bytes that general compressors make of bytes, at their best settings."""


class AdaptiveCoder:
    """Code lengths by counts of what followed the last symbols, shorter contexts filling in.

    p_k(s) = (c_k(s) + t_k p_{k-1}(s)) / (n_k + t_k), with c the count of s after the last k
    symbols, n the sum and t the number of distinct ones (Witten & Bell 1991); under order 0 all
    symbols that there are have the same chance.

    Parameters
    ----------
    order : int
        Symbols that are looked at, at most.
    """

    def __init__(self, order: int) -> None:
        self.order = order
        self._counts: list[defaultdict[tuple[int, ...], Counter[int]]] = [
            defaultdict(Counter) for _ in range(order + 1)
        ]
        self._sums: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order + 1)]

    def bits(self, symbols: Sequence[int], size: int) -> float:
        """Return the bits of one sequence, then count it; ``size`` symbols are possible."""
        total, past = 0.0, (0,) * self.order
        for symbol in symbols:
            total -= math.log2(self.probability(past, symbol, size))
            for k in range(self.order + 1):
                context = past[self.order - k :]
                self._counts[k][context][symbol] += 1
                self._sums[k][context] += 1
            past = (*past, symbol)[1:]
        return total

    def probability(self, past: tuple[int, ...], symbol: int, size: int) -> float:
        """Return the probability of a symbol after the last ``order`` symbols."""
        p = 1.0 / size
        for k in range(self.order + 1):
            context = past[self.order - k :]
            seen = self._sums[k][context]
            if seen:
                counts = self._counts[k][context]
                p = (counts[symbol] + len(counts) * p) / (seen + len(counts))
        return p


def symbol_bits(texts: Sequence[str], order: int) -> float:
    """Return the bits of texts coded symbol by symbol, with their ends; the alphabet is given."""
    coder, batch = AdaptiveCoder(order), Alphabet().encode(list(texts))
    size = len(batch.new) + 1
    codes, starts = batch.codes.tolist(), batch.starts.tolist()
    return sum(coder.bits(codes[a:b], size) for a, b in pairwise(starts))


def concept_bits(texts: Sequence[str], order: int, threshold: int = 2) -> float:
    """Return the bits of texts coded as they are parsed by a library that grows with them."""
    coder, alphabet, library = AdaptiveCoder(order), Alphabet(), ConceptLibrary(threshold)
    alphabet.grow(alphabet.encode(list(texts)))
    total = 0.0
    stored: set[str] = set()
    for row, text in enumerate(texts):
        batch: Encoded = alphabet.encode([text])
        parse = [*library.parse(batch.codes[:-1]).tolist(), 0]
        total += coder.bits(parse, len(alphabet) + 1 + len(library))
        if text not in stored:
            library.add(batch, np.array([row]))
            stored.add(text)
    return total
