"""Which characters may grow together, and which of them make a syllable."""

from __future__ import annotations

import unicodedata
from itertools import groupby

__all__ = ["is_syllable", "is_within_word"]

# Base letters of Latin, Greek and Cyrillic; accents are taken off before.
_VOWELS = frozenset("aeiouyæœøıαεηιουωаеиоуыэюяієѵ")
_ALPHABETS_END = "\u0530"  # beyond Latin, Greek and Cyrillic, letters tell no vowels by themselves
_MOST_ELSEWHERE = 2


def is_within_word(text: str) -> bool:
    """Whether ``text`` crosses no border of a word: letters, with at most the space before them.

    Examples
    --------
    >>> [is_within_word(text) for text in ("ing", " th", "o w", "n'", "42")]
    [True, True, False, False, False]
    """
    letters = text[1:] if text[:1] == " " else text
    if letters.isalpha():
        return True
    # Marks are vowels in the scripts of India; a letter has to come before them.
    return letters[:1].isalpha() and all(unicodedata.category(c)[0] in "LM" for c in letters)


def is_syllable(text: str) -> bool:
    """Whether ``text`` can be one syllable: one run of vowels, with what consonants it has.

    Where letters are syllables or words (all but Latin, Greek and Cyrillic) two make one piece.

    Examples
    --------
    >>> [is_syllable(text) for text in ("ing", " thé", "th", "hello", "你好")]
    [True, True, False, False, True]
    """
    bases = [unicodedata.normalize("NFD", letter)[0] for letter in text.lower().lstrip(" ")]
    if all(base >= _ALPHABETS_END for base in bases):
        return len(bases) <= _MOST_ELSEWHERE
    runs = groupby(base in _VOWELS for base in bases)
    return sum(is_vowel for is_vowel, _ in runs) == 1
