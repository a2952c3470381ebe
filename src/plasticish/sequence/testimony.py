"""Testimonies: what each expert said before one symbol, as people can read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .count_kernels import Counts
from .experts import Expert
from .mixing_kernels import Scratch

__all__ = ["Testimony", "testimonies_of"]


class Testimony(NamedTuple):
    """What one expert said before one symbol.

    Attributes
    ----------
    expert : str
        Its name.
    seen : float
        How often it had seen its context.
    counts : dict of int to float
        How often each symbol (by code; 0 is the end) had followed.
    push : dict of int to float
        What it added to the score of each symbol, in nats.
    """

    expert: str
    seen: float
    counts: dict[int, float]
    push: dict[int, float]


def testimonies_of(experts: Sequence[Expert], counts: Counts, s: Scratch) -> list[Testimony]:
    """Return what every expert that knows its context said in the forecast left in ``s``."""
    found = []
    for e, expert in enumerate(experts):
        span = range(int(s.begin[e]), int(s.begin[e + 1]))
        if not span:
            continue
        slot = counts.slots[s.slot[e]]
        synapses = counts.synapses[slot["first"] :][: len(span)]
        symbols = [int(s.symbol[j]) for j in span]
        push = [float(s.weight[:2, e] @ s.feature[j] + s.weight[2, e]) for j in span]
        counted = [float(count) for count in synapses["count"]]
        found.append(
            Testimony(
                expert.name,
                float(slot["total"]),
                dict(zip(symbols, counted, strict=True)),
                dict(zip(symbols, push, strict=True)),
            )
        )
    return found
