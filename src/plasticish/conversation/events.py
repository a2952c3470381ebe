"""What happens in the life of a learner: all it ever learned follows from these, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Birth",
    "Event",
    "Exchange",
    "Forgetting",
    "Logged",
    "Overheard",
    "Sleep",
    "Taught",
    "heard_in",
    "texts_of",
]


@dataclass(frozen=True)
class Birth:
    """The log begins.

    Attributes
    ----------
    config : mapping
        Constructor arguments of the learner.
    blank : bool
        Whether it knew nothing: then all it is follows from the log.
    """

    config: Mapping[str, Any]
    blank: bool


@dataclass(frozen=True)
class Exchange:
    """Something was said to the learner, and it answered.

    Attributes
    ----------
    prompt, reply : str
        What was said, and the answer.
    """

    prompt: str
    reply: str


@dataclass(frozen=True)
class Taught:
    """Somebody said what the answer should have been, or how good it was.

    Attributes
    ----------
    prompt : str
        What had been said to the learner.
    reply : str or None
        What it had answered; None if it was not asked.
    text : str or None
        What it should have answered.
    reward : float or None
        How good its own answer was, in [0, 1], if somebody judged it.
    teacher : str
        Who taught.
    lesson : bool
        Whether the teacher said the prompt as well.
    """

    prompt: str
    reply: str | None
    text: str | None
    reward: float | None
    teacher: str
    lesson: bool = False


@dataclass(frozen=True)
class Overheard:
    """What somebody answered to the learner, who may try it on others: a weak trace.

    Attributes
    ----------
    prompt, text : str
        What the learner had said, and what came back.
    """

    prompt: str
    text: str


@dataclass(frozen=True)
class Sleep:
    """The learner slept."""


@dataclass(frozen=True)
class Forgetting:
    """What was learned from some events was taken away, and they from the log.

    Attributes
    ----------
    events : tuple of int
        Their numbers; what they were about is not kept anywhere.
    """

    events: tuple[int, ...]


Event = Birth | Exchange | Overheard | Taught | Sleep | Forgetting


@dataclass(frozen=True)
class Logged:
    """An event with its number and its time.

    Attributes
    ----------
    number : int
        Numbers rise, and none is given twice.
    at_s : float
        When it happened, seconds since 1970.
    event : Event
        What happened.
    """

    number: int
    at_s: float
    event: Event


def texts_of(event: Event) -> tuple[str, ...]:
    """Return everything that was said in an event.

    Examples
    --------
    >>> texts_of(Exchange("hi", "hello")), texts_of(Sleep())
    (('hi', 'hello'), ())
    """
    match event:
        case Exchange():
            return event.prompt, event.reply
        case Overheard():
            return event.prompt, event.text
        case Taught():
            said = (event.prompt, event.reply, event.text)
            return tuple(text for text in said if text is not None)
        case _:
            return ()


def heard_in(event: Event) -> tuple[str, ...]:
    """Return what was listened to in an event.

    Examples
    --------
    >>> heard_in(Exchange("hi", "hello")), heard_in(Overheard("hi", "hello"))
    (('hi',), ())
    """
    match event:
        case Exchange() | Taught(reply=None):
            return (event.prompt,)
        case _:
            return ()
