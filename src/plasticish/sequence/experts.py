"""Experts: which part of the past each of them looks at.

An expert keeps exact counts of what followed each *context*, where a context is what it sees of
the past. Long contexts are sure and rare, short ones common and vague; skips, the first symbols
and the shape of a word see what neighbours do not. Which of them to believe is left to the
mixer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plasticish.core import ConfigError

from .alphabet import Symbol

__all__ = ["EXPERTS", "Expert", "class_of", "classes_of", "expert_rows"]

VOWEL, CONSONANT, OTHER = 1, 2, 3
MAX_OFFSET, MAX_SHAPE, MAX_KEPT = 62, 31, 3


@dataclass(frozen=True, kw_only=True)
class Expert:
    """What one expert sees of the symbols before the next.

    Attributes
    ----------
    name : str
        For people who ask why.
    recent : tuple of int
        Distances of the symbols seen exactly: ``(1, 2)`` are the last two. At most 62.
    first : int
        How many symbols from the start of the sequence, at most 62.
    position : bool
        Whether it knows how many symbols came before (up to 31).
    shape : int
        How many of the last symbols it sees by class only: vowel, consonant or other. At most 31.
    vowels, consonants : int
        How many of the last vowels and consonants it sees, wherever they stood. At most 3.
    whole : bool
        Whether it sees everything since the start of the sequence.
    words : int
        How many words it sees, the one that has begun among them. A word ends with any symbol that
        is no letter. At most 3.
    mark : bool
        Whether it sees the mark of the context that leads a sequence, if there is one, and so
        counts apart in each (:class:`.RecognisingMemory`).
    """

    name: str
    recent: tuple[int, ...] = ()
    first: int = 0
    position: bool = False
    shape: int = 0
    vowels: int = 0
    consonants: int = 0
    whole: bool = False
    words: int = 0
    mark: bool = False

    def __post_init__(self) -> None:
        sound = (
            all(1 <= offset <= MAX_OFFSET for offset in self.recent)
            and 0 <= self.first <= MAX_OFFSET
            and 0 <= self.shape <= MAX_SHAPE
            and 0 <= self.vowels <= MAX_KEPT
            and 0 <= self.consonants <= MAX_KEPT
            and 0 <= self.words <= MAX_KEPT
        )
        if not sound:
            raise ConfigError(
                f"expert {self.name!r} cannot look there",
                got=repr(self),
                expected="recent and first up to 62, shape up to 31, the others up to 3",
            )

    @property
    def is_order(self) -> bool:
        """Whether it sees the last symbols, all so far, or nothing, and not a thing beside."""
        nearest = tuple(range(1, len(self.recent) + 1))
        return self == Expert(name=self.name, recent=nearest, whole=self.whole)

    def row(self) -> tuple[int, ...]:
        """Return it as numbers, for the kernels."""
        mask = sum(1 << (offset - 1) for offset in set(self.recent))
        return (
            mask,
            self.first,
            int(self.position),
            self.shape,
            self.vowels,
            self.consonants,
            int(self.whole),
            self.words,
            int(self.mark),
        )


def _order(length: int, **more: bool | int) -> Expert:
    parts = [f"last {length}"] if length else []
    parts += [key if value is True else f"{key} {value}" for key, value in more.items()]
    recent = tuple(range(1, length + 1))
    return Expert(name=", ".join(parts) or "no context", recent=recent, **more)  # type: ignore[arg-type]


def _skip(*recent: int) -> Expert:
    return Expert(name="skip " + "-".join(map(str, recent)), recent=recent)


_ORDERS = (*(_order(k) for k in range(7)), Expert(name="everything so far", whole=True))
_SKIPS = (
    (2,),
    (3,),
    (2, 3),
    (1, 3),
    (1, 2, 4),
    (1, 3, 4),
    (2, 3, 4),
    (1, 4),
    (2, 4),
    (1, 2, 5),
    (1, 2, 3, 5),
)

EXPERTS: dict[str, tuple[Expert, ...]] = {
    "plain": _ORDERS,
    "text": (*_ORDERS, *(_order(0, words=k) for k in (1, 2, 3))),
    "rich": (
        *_ORDERS,
        *(_order(k, position=True) for k in range(4)),
        *(_skip(*offsets) for offsets in _SKIPS),
        *(_order(k, first=1) for k in range(4)),
        *(_order(k, first=2) for k in range(4)),
        *(_order(k, first=3) for k in range(2)),
        _order(0, shape=4),
        _order(0, shape=8),
        _order(1, shape=6),
        _order(2, shape=8),
        _order(0, shape=12, position=True),
        _order(0, vowels=2),
        _order(0, consonants=2),
        _order(1, vowels=2),
        _order(1, consonants=2),
        _order(0, vowels=2, consonants=1),
        _order(0, vowels=2, consonants=2),
        _order(0, vowels=3),
        _order(0, consonants=3),
    ),
}
"""Sets of experts by name: ``rich`` for words and names, ``text`` for sentences, ``plain`` for
anything and cheapest."""


def expert_rows(experts: Sequence[Expert]) -> npt.NDArray[np.int64]:
    """Return experts as the kernels take them, one a row."""
    if not experts:
        raise ConfigError("there is no expert", expected="at least one")
    return np.array([expert.row() for expert in experts], np.int64)


def class_of(symbol: Symbol) -> int:
    """Return 1 for a vowel, 2 for a consonant, 3 for what is no letter.

    A byte counts as the letter that it is in Latin-1; accents do not matter.

    Examples
    --------
    >>> [class_of(symbol) for symbol in ("a", "É", "n", "7", 0x65, "the")]
    [1, 1, 2, 3, 1, 3]
    """
    letter = chr(symbol) if isinstance(symbol, int) and 0 <= symbol < 256 else symbol
    if not isinstance(letter, str) or len(letter) != 1:
        return OTHER
    base = unicodedata.normalize("NFD", letter)[0].lower()
    if not base.isalpha():
        return OTHER
    return VOWEL if base in "aeiouy" else CONSONANT


def classes_of(symbols: Iterable[Symbol]) -> npt.NDArray[np.int64]:
    """Return the class of every symbol."""
    return np.array([class_of(symbol) for symbol in symbols], np.int64)
