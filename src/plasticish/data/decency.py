"""What a learner that repeats what it hears had better not hear: addresses and profanity."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_fit_to_learn"]

_ADDRESS = re.compile(r"\S@\S|\bat\b\s+\w+\s+\bdot\b", re.IGNORECASE)
_PROFANE = re.compile(
    r"\b(?:\w*fuck\w*|\w*shit\w*|bitch\w*|cunt\w*|asshole\w*|bastard\w*|dick(?:head)?s?|piss\w*"
    r"|whore\w*|slut\w*|nigg\w*|fag(?:got)?s?|porn\w*|pussy|cocks?|wank\w*|rape[ds]?)\b",
    re.IGNORECASE,
)

# Any match holds one of these; looking for them first is what makes long files quick to check.
_STEMS = (
    *("@", "dot", "fuck", "shit", "bitch", "cunt", "asshole", "bastard", "dick", "piss", "whore"),
    *("slut", "nigg", "fag", "porn", "pussy", "cock", "wank", "rape"),
)


def is_fit_to_learn(turns: Iterable[str]) -> bool:
    """Return whether a conversation has neither an e-mail address nor an English swear word in it.

    A list of words is no judgement: it lets pass what it does not know, and stops some that meant
    no harm.

    Examples
    --------
    >>> is_fit_to_learn(["Hello", "Hi, are you from Scunthorpe?"])
    True
    >>> is_fit_to_learn(["Where do I write to?", "ann@example.org"])
    False
    """
    whole = "\n".join(turns)
    folded = whole.lower()
    # Beyond ASCII a letter may match another whose lower case it is not.
    if whole.isascii() and not any(stem in folded for stem in _STEMS):
        return True
    return _ADDRESS.search(whole) is None and _PROFANE.search(whole) is None
