"""Teachers by name or address, as the command line takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plasticish.core import ConfigError, Registry

from .corpus import CorpusTeacher
from .human import HumanTeacher
from .llm import LLMTeacher
from .protocol import Teacher

__all__ = ["TEACHERS", "open_teacher"]

TEACHERS: Registry[Callable[..., Teacher]] = Registry("teacher", "plasticish.teachers")
"""What makes a teacher, by its permanent name."""

TEACHERS.add("corpus", CorpusTeacher.bundled)
TEACHERS.add("chitchat", CorpusTeacher.chitchat)
TEACHERS.add("none", HumanTeacher)


def open_teacher(name: str, **options: Any) -> Teacher:
    """Return the teacher of this name, or the model at this http address.

    Parameters
    ----------
    name : str
        One of :data:`TEACHERS`, or an address.
    **options
        Passed on to what makes the teacher, such as ``seed`` and ``given`` for a corpus or
        ``model`` and ``language`` for a model.

    Raises
    ------
    ConfigError
        If it is neither.
    MissingExtraError
        If what it stands on is not installed.

    Examples
    --------
    >>> open_teacher("none").name
    'you'
    >>> open_teacher("corpus", topics=["greetings"], seed=1).reply("Hello").text
    'Hi'
    >>> open_teacher("parrot")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: there is no such teacher: got 'parrot', expected one of: \
chitchat, corpus, none, or the http address of a server
    """
    if "://" in name:
        return LLMTeacher(name, **options)
    if name not in TEACHERS:
        raise ConfigError(
            "there is no such teacher",
            got=repr(name),
            expected=f"one of: {', '.join(TEACHERS)}, or the http address of a server",
        )
    return TEACHERS[name](**options)
