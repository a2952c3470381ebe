"""Small talk for the scenarios, read once a process: to filter it takes seconds."""

from __future__ import annotations

from functools import cache

from plasticish.data import Conversation
from plasticish.data import load_chitchat as load

__all__ = ["load_chitchat"]


@cache
def load_chitchat() -> tuple[Conversation, ...]:
    """Return every conversation of chitchat-dataset that is fit to learn.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """
    return tuple(load())
