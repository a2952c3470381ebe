"""The arrays of the mixer: the weights that it begins with, and room for one prediction."""

from __future__ import annotations

import numpy as np

from .count_kernels import REPORTED
from .mixing_kernels import BUCKETS, FEATURES, LONGEST, POSITIONS, RECENT, Mixer, Scratch

__all__ = ["fresh_mixer", "scratch_for"]

_TRUST = 2.0  # sum of the weights of all experts at first
_ROWS = POSITIONS + LONGEST + RECENT


def fresh_mixer(experts: int) -> Mixer:
    """Return a mixer of so many experts that was never corrected.

    Every expert is believed alike, and together about as much as one alone.
    """
    shape = (FEATURES, experts)
    mixer = Mixer(
        np.zeros((_ROWS, *shape)),
        np.zeros((_ROWS, *shape)),
        np.zeros((BUCKETS, *shape)),
        np.zeros((BUCKETS, *shape)),
    )
    mixer.own[:, 0, :] = _TRUST / experts
    return mixer


def scratch_for(experts: int, symbols: int) -> Scratch:
    """Return room for a prediction by so many experts of so many symbols."""
    reported = experts * min(symbols, REPORTED)
    return Scratch(
        keys=np.zeros(experts, np.uint64),
        slot=np.zeros(experts, np.int64),
        bucket=np.zeros(experts, np.int64),
        begin=np.zeros(experts + 1, np.int64),
        symbol=np.zeros(reported, np.int32),
        feature=np.zeros((reported, 2)),
        weight=np.zeros((FEATURES, experts)),
        error=np.zeros((FEATURES, experts)),
        rows=np.zeros(3, np.int64),
        score=np.zeros(symbols),
        p=np.zeros(symbols),
        marked=np.zeros(symbols, np.bool_),
        named=np.zeros(symbols, np.int64),
        last=np.zeros(2),
    )
