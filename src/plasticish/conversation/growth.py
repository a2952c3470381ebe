"""Which neighbours recur often enough to grow together."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from itertools import pairwise
from typing import Any

from plasticish.core import DataError

from .fading_counts import FadingCounts
from .syllables import is_syllable, is_within_word
from .vocabulary import Piece

__all__ = ["Growth"]

_CHARACTER_RECURRENCE = 1.5  # the second hearing, even if the first has faded a little
_UNLIKE_A_SYLLABLE = 2.0


class Growth:
    """Fading counts of unknown characters and of neighbours that may become one piece.

    Parameters
    ----------
    recurrence, half_life, longest
        As those of :class:`~plasticish.conversation.BiologicalTokenizer`.
    bound : int
        Candidates that are counted, at most; beyond them the rarer half is forgotten.

    Examples
    --------
    >>> growth = Growth(recurrence=1.5, half_life=1000.0, longest=12, bound=100)
    >>> growth.count(["m", "a"], known="ma", full=False)
    []
    >>> growth.count(["m", "a"], known="ma", full=False)
    [Piece(text='ma', parts=('m', 'a'))]
    """

    def __init__(self, recurrence: float, half_life: float, longest: int, bound: int) -> None:
        self.recurrence, self.longest, self.bound = recurrence, longest, bound
        self._candidates = FadingCounts[str](half_life)

    def count(self, pieces: list[str], known: Container[str], *, full: bool) -> list[Piece]:
        """Count a turn that was cut into ``pieces``, and return those that are ripe.

        These are characters heard a second time, in their order, and then the ripest pair, if any;
        they are candidates no longer. Nothing is ripe while the vocabulary is ``full``.
        """
        self._candidates.fade(len(pieces))
        characters = [piece for piece in pieces if piece not in known and _is_character(piece)]
        for character in characters:
            self._candidates.add(character)
        pairs = self._count_pairs(pieces, known)
        ripe = [] if full else self._ripe(characters, pairs)
        for piece in ripe:
            self._candidates.pop(piece.text)
        if len(self._candidates) > self.bound:
            self._candidates.keep_largest(self.bound // 2)
        return ripe

    def _count_pairs(self, pieces: list[str], known: Container[str]) -> dict[str, tuple[str, str]]:
        pairs: dict[str, tuple[str, str]] = {}
        for left, right in pairwise(pieces):
            both = left + right
            if len(both) > self.longest or left not in known or right not in known:
                continue
            if both in self._candidates or is_within_word(both):
                self._candidates.add(both)
                pairs[both] = left, right
        return pairs

    def _ripe(self, characters: list[str], pairs: Mapping[str, tuple[str, str]]) -> list[Piece]:
        ripe = [
            Piece(character, ())
            for character in dict.fromkeys(characters)
            if self._candidates[character] >= _CHARACTER_RECURRENCE
        ]
        best = max(pairs, key=self._ripeness, default=None)
        if best is not None and self._ripeness(best) >= 1:
            ripe.append(Piece(best, pairs[best]))
        return ripe

    def _ripeness(self, both: str) -> float:
        needed = self.recurrence * (1.0 if is_syllable(both) else _UNLIKE_A_SYLLABLE)
        return self._candidates[both] / needed

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        """Forget the candidates that are ``unwanted``."""
        for candidate in [text for text in self._candidates if unwanted(text)]:
            self._candidates.pop(candidate)

    def to_lists(self) -> dict[str, Any]:
        """Return the counts as JSON holds them."""
        return self._candidates.to_lists()

    def restore(self, lists: Mapping[str, Any]) -> None:
        """Put back what :meth:`to_lists` returned.

        Raises
        ------
        DataError
            If these are no counts of candidates; nothing is changed.
        """
        candidates = FadingCounts[str].from_lists(self._candidates.half_life, lists)
        if not all(map(self._is_candidate, candidates)):
            raise DataError("the stored candidates are none", expected="characters or neighbours")
        self._candidates = candidates

    def _is_candidate(self, text: Any) -> bool:
        if not isinstance(text, str) or not 1 <= len(text) <= max(self.longest, 1):
            return False
        return _is_character(text) if len(text) == 1 else is_within_word(text)


def _is_character(text: str) -> bool:
    return not "\ud800" <= text <= "\udfff"  # a lone surrogate is none
