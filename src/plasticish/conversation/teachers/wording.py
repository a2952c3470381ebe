"""How a language model is asked to teach, and what of its words is taken for a reply."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .no_answer import NoAnswerError
from .protocol import Speaker, Stage, Turn

__all__ = ["MANNERS", "Manner", "Message", "lesson_messages", "reply_messages", "usable"]

Message = dict[str, str]
MOST_SAID = 4000
_TURNS_BEFORE = 6
# Where words are not spaced, the next sentence follows at once.
_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[”’」』）]*|\n")


@dataclass(frozen=True)
class Manner:
    """How to talk to a learner at one stage.

    Attributes
    ----------
    style : str
        As the model is told.
    tokens : int
        That the model may use.
    longest : int
        Characters of a reply, at most.
    examples : tuple of (said, answer)
        Shown to a model that teaches English: small ones follow examples, not instructions.
    """

    style: str
    tokens: int
    longest: int
    examples: tuple[tuple[str, str], ...]


MANNERS = {
    Stage.FIRST_WORDS: Manner(
        "one to three of the simplest words there are",
        24,
        40,
        (
            ("Hello, little one!", "Hi!"),
            ("Do you want milk?", "Yes, milk."),
            ("Where is the dog?", "Over there."),
        ),
    ),
    Stage.SHORT_SENTENCES: Manner(
        "one short sentence of at most eight simple words",
        48,
        100,
        (
            ("What are you doing?", "I am playing with a ball."),
            ("Is it cold outside?", "Yes, it is very cold."),
        ),
    ),
    Stage.NORMAL: Manner(
        "one or two natural sentences",
        120,
        400,
        (("What did you do today?", "I went to the park with a friend. It was fun."),),
    ),
}

_REPLY = (
    "Someone talks with a learner of {language}. Answer in the learner's place, as it should: "
    "{style}, in {language}. Write the answer alone: no quotation marks, no explanation."
)
_LESSON = (
    "You teach {language} to a learner by talking with it. Say the next thing to it, something "
    "that it can answer: {style}, in {language}. Write that alone: no quotation marks, no "
    "explanation."
)
_OPENING = "(The learner waits for you to say something new.)"


def reply_messages(
    prompt: str, history: Sequence[Turn], stage: Stage, language: str
) -> list[Message]:
    """Return the messages that ask for the learner's part: the partner is the user.

    Raises
    ------
    NoAnswerError
        If the prompt cannot be sent.
    """
    _check_sendable(prompt)
    roles = {Speaker.PARTNER: "user", Speaker.LEARNER: "assistant"}
    return [
        _system(_REPLY, stage, language),
        *_examples(stage, language),
        *_recent(history, roles, MOST_SAID - len(prompt)),
        {"role": "user", "content": prompt},
    ]


def lesson_messages(history: Sequence[Turn], stage: Stage, language: str) -> list[Message]:
    """Return the messages that ask for the partner's part: the learner is the user."""
    roles = {Speaker.PARTNER: "assistant", Speaker.LEARNER: "user"}
    return [
        _system(_LESSON, stage, language),
        *_recent(history, roles, MOST_SAID),
        {"role": "user", "content": _OPENING},
    ]


def _system(wording: str, stage: Stage, language: str) -> Message:
    style = MANNERS[stage].style
    return {"role": "system", "content": wording.format(language=language, style=style)}


def _examples(stage: Stage, language: str) -> list[Message]:
    if language.casefold() != "english":
        return []
    return [
        {"role": role, "content": text}
        for example in MANNERS[stage].examples
        for role, text in zip(("user", "assistant"), example, strict=True)
    ]


def _recent(history: Sequence[Turn], roles: dict[Speaker, str], room: int) -> list[Message]:
    """Return the last turns that fit; what cannot be sent is no help and is left out."""
    recent: list[Message] = []
    for turn in reversed(history[-_TURNS_BEFORE:]):
        room -= len(turn.text)
        if room < 0:
            break
        if turn.text.strip() and _is_sendable(turn.text):
            recent.append({"role": roles[turn.speaker], "content": turn.text})
    return recent[::-1]


def _check_sendable(prompt: str) -> None:
    if not prompt.strip():
        raise NoAnswerError("nothing was said that it could answer")
    if len(prompt) > MOST_SAID:
        raise NoAnswerError(
            f"what was said is longer than {MOST_SAID} characters: {len(prompt)}",
            "say it in parts",
        )
    if not _is_sendable(prompt):
        raise NoAnswerError("what was said holds a lone surrogate, which cannot be sent")


def _is_sendable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def usable(text: str, *, ran_out: bool, longest: int) -> tuple[str, bool]:
    """Return what a learner may be taught of a reply, and whether something was cut off.

    White space around it is no part of a reply. Of one that is too long, or whose model ran out of
    tokens, as many whole sentences are kept as fit.

    Raises
    ------
    NoAnswerError
        If nothing is left, or the reply holds what nobody would say: control characters, or the
        thoughts of a model.

    Examples
    --------
    >>> usable(" I am fine. And you? I was", ran_out=True, longest=100)
    ('I am fine. And you?', True)
    """
    text = text.strip()
    if not text:
        raise NoAnswerError("its reply is empty", "choose a model that is made to chat")
    if "<think>" in text or "</think>" in text:
        raise NoAnswerError(
            "its reply holds its thoughts", "turn its thinking off, or choose another"
        )
    odd = [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    if odd:
        raise NoAnswerError(
            f"its reply holds the control character {odd[0]!r}", "choose another model"
        )
    if not ran_out and len(text) <= longest:
        return text, False
    ends = [match.end() for match in _SENTENCE.finditer(text) if match.end() <= longest]
    kept = text[: ends[-1]].strip() if ends else ""
    if not kept:
        raise NoAnswerError(
            f"its reply has no whole sentence within {longest} characters: {text[:40]!r}",
            "choose a model that is made to chat",
        )
    return kept, kept != text
