"""Modified Kneser-Ney smoothing, the count-based standard, and the bigram it begins with."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["KneserNey", "bigram_nats"]

START, END = "\x02", "\x03"


class KneserNey:
    """Interpolated modified Kneser-Ney over characters (Chen & Goodman 1999).

    p(s|h) = max(c(hs) − D(c), 0)/c(h·) + γ(h) p(s|h'), with three discounts an order from the
    counts of counts, and below the highest order counts of distinct predecessors instead of
    occurrences. At the bottom is the uniform distribution over the symbols known and the end.

    Parameters
    ----------
    context : int
        How many symbols before the next are looked at, at most.
    """

    def __init__(self, context: int = 5) -> None:
        self.order = context + 1  # length of the longest n-gram
        self._grams: list[dict[str, Counter[str]]] = []
        self._discounts: list[tuple[float, float, float]] = []
        self._symbols = 1

    def learn(self, names: Sequence[str]) -> None:
        """Count all names; it cannot learn more later."""
        raw: list[dict[str, Counter[str]]] = [defaultdict(Counter) for _ in range(self.order)]
        for name in names:
            padded = START * (self.order - 1) + name + END
            for i in range(self.order - 1, len(padded)):
                for length in range(self.order):
                    raw[length][padded[i - length : i]][padded[i]] += 1
        self._symbols = len({s for counts in raw[0].values() for s in counts})
        grams = [raw[-1]]
        for length in range(self.order - 2, -1, -1):
            # In how many longer contexts a symbol followed: how ready it is to come anywhere.
            continued: dict[str, Counter[str]] = defaultdict(Counter)
            for context, counts in raw[length + 1].items():
                for symbol in counts:
                    continued[context[1:]][symbol] += 1
            grams.insert(0, continued)
        self._grams = grams
        self._discounts = [_discounts(level) for level in grams]

    @property
    def counts(self) -> int:
        """Number of counts kept."""
        return sum(len(c) for level in self._grams for c in level.values())

    def nats(self, names: Sequence[str]) -> float:
        """Return the surprise in nats a token, ends counted."""
        total, tokens = 0.0, 0
        for name in names:
            padded = START * (self.order - 1) + name + END
            for i in range(self.order - 1, len(padded)):
                total -= math.log(self._p(padded[i - self.order + 1 : i], padded[i]))
                tokens += 1
        return total / tokens

    def _p(self, context: str, symbol: str) -> float:
        p = 1.0 / self._symbols
        for length, (level, discounts) in enumerate(zip(self._grams, self._discounts, strict=True)):
            counts = level.get(context[len(context) - length :])
            if counts is None:
                break
            total = sum(counts.values())
            freed = sum(discounts[min(c, 3) - 1] for c in counts.values())
            count = counts.get(symbol, 0)
            own = count - discounts[min(count, 3) - 1] if count else 0.0
            p = (own + freed * p) / total
        return p


def _discounts(level: dict[str, Counter[str]]) -> tuple[float, float, float]:
    of = Counter(min(c, 5) for counts in level.values() for c in counts.values())
    n1, n2, n3, n4 = (max(of[k], 1) for k in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    d1, d2, d3 = (min(max(d, 0.05), k - 0.05) for k, d in enumerate(found, 1))
    return d1, d2, d3


def bigram_nats(train: Sequence[str], test: Sequence[str]) -> tuple[float, int]:
    """Return the surprise of a bigram with one added to each count, and its number of counts."""
    pairs, firsts = Counter[tuple[str, str]](), Counter[str]()
    for name in train:
        padded = START + name + END
        pairs.update(pairwise(padded))
        firsts.update(padded[:-1])
    symbols = len({s for _, s in pairs})
    total, tokens = 0.0, 0
    for name in test:
        padded = START + name + END
        for a, b in pairwise(padded):
            total -= math.log((pairs[a, b] + 1) / (firsts[a] + symbols))
            tokens += 1
    return total / tokens, len(pairs)
