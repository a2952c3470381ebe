"""What a memory says: what comes next and why, and the concepts that it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .alphabet import Symbol, Symbols

__all__ = ["NamedConcept", "Prediction", "Reason", "Why"]


@dataclass(frozen=True)
class Prediction:
    """Probabilities of what comes next; with ``end`` and ``new`` they sum to 1.

    Attributes
    ----------
    symbols : tuple
        Every symbol known.
    probabilities : float array [symbols]
        Of each of them, in the same order; never 0.
    end : float
        That the sequence ends here.
    new : float
        That a symbol comes that was never seen.
    """

    symbols: tuple[Symbol, ...]
    probabilities: npt.NDArray[np.float64]
    end: float
    new: float

    def __getitem__(self, symbol: Symbol) -> float:
        """Return the probability of a symbol; of one never seen, that of any new symbol."""
        try:
            return float(self.probabilities[self.symbols.index(symbol)])
        except ValueError:
            return self.new

    def top(self, count: int = 5) -> list[tuple[Symbol, float]]:
        """Return the most probable symbols, the best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(self.symbols[i], float(self.probabilities[i])) for i in order]


@dataclass(frozen=True)
class Reason:
    """What one expert says of one continuation.

    Attributes
    ----------
    expert : str
        What it looked at.
    seen : float
        How often it had seen what it looked at.
    counted : float
        How often this continuation had followed.
    push : float
        What it added to the score of this continuation, in nats: e to this power is the factor by
        which it made it more probable before all were scaled to sum to 1.
    """

    expert: str
    seen: float
    counted: float
    push: float


@dataclass(frozen=True)
class Why:
    """Why a continuation is expected.

    Attributes
    ----------
    symbol : symbol or None
        The continuation; None is the end.
    probability : float
        Its probability.
    reasons : tuple of Reason
        Every expert that knew what it looked at, the strongest first.
    paths : tuple of (sequence, float)
        Stored sequences that begin with the prefix and go on so, and their counts, the most
        frequent first.
    """

    symbol: Symbol | None
    probability: float
    reasons: tuple[Reason, ...]
    paths: tuple[tuple[Symbols, float], ...]


@dataclass(frozen=True)
class NamedConcept:
    """A pattern of the library, in symbols.

    Attributes
    ----------
    name : str
        ``C0``, ``C1``, … in the order of discovery; a single symbol goes by itself.
    level : int
        0 for a single symbol; else one more than the higher of its parts.
    count : int
        Places in the distinct stored sequences where it stands, inside larger concepts too.
    expansion : sequence
        The symbols that it stands for.
    parts : tuple of str
        Names of what it is built of; empty for a single symbol.
    """

    name: str
    level: int
    count: int
    expansion: Symbols
    parts: tuple[str, ...]
