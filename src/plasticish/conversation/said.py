"""What may be said to a learner at all: lines of text, of a length that people write."""

from __future__ import annotations

import unicodedata
from typing import Any

from plasticish.core import DataError, DTypeError

__all__ = ["LONGEST", "check_said"]

LONGEST = 4000
"""Characters in what is said at once, at most."""


def check_said(text: Any, name: str = "the line") -> str:
    """Return ``text`` as it is, if a learner can take it in.

    Parameters
    ----------
    text : str
        What was said; any script, and emoji alone, will do.
    name : str
        What it is called in an error.

    Raises
    ------
    DTypeError
        If it is no text.
    DataError
        If it is blank, longer than 4,000 characters, or holds control characters (a line break
        and a tab are none) or half characters.

    Examples
    --------
    >>> check_said("¿Qué tal? 😀")
    '¿Qué tal? 😀'
    >>> check_said(" ")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: the line is blank: expected something to say
    """
    if not isinstance(text, str):
        raise DTypeError(f"{name} is no text", got=type(text).__name__, expected="str")
    if len(text) > LONGEST:
        raise DataError(
            f"{name} is too long",
            got=f"{len(text):,} characters",
            expected=f"at most {LONGEST:,}",
            cure="say it in parts",
        )
    if not text.strip():
        raise DataError(f"{name} is blank", expected="something to say")
    for place, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if category == "Cs":
            raise DataError(
                f"{name} holds bytes that are no UTF-8",
                got=f"{character!r} at character {place}",
                cure="set the terminal to UTF-8",
            )
        if category == "Cc" and character not in "\n\t":
            raise DataError(
                f"{name} holds a control character",
                got=f"{character!r} at character {place}",
                cure="leave it out",
            )
    return text
