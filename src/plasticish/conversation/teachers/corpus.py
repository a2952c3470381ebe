"""Written dialogue as a teacher: it knows the answers written there, and gives them as lessons."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from plasticish.core import ConfigError, DataError, make_generator, spawn_seed
from plasticish.data import load_chitchat, load_dialogue
from plasticish.data.dialogue import pairs

from .protocol import Answer, Lesson, LessonAnswer, Stage, TeacherReply, Turn

__all__ = ["CorpusTeacher"]


class CorpusTeacher:
    """Give lessons out of a list of questions and answers, over and over in ever new order.

    A question is known by its words: case, punctuation and white space do not count. Of questions
    with the same words the first stands, so that what is taught is never contradicted.

    Parameters
    ----------
    lessons : iterable of (prompt, reply)
        At least one; neither may be blank.
    seed : int
        Order of the lessons.
    given : int
        Lessons given before, >= 0: a teacher that goes on where another stopped.
    name : str
        How it is called.

    Raises
    ------
    DataError
        If there is no lesson, or one is blank.
    ConfigError
        If ``given`` is negative.

    Examples
    --------
    >>> teacher = CorpusTeacher([("What is your name?", "I am new here."), ("Hi!", "Hello.")])
    >>> teacher.reply("what is your NAME").text
    'I am new here.'
    >>> teacher.reply("Who?") is None
    True
    >>> first = teacher.lesson(), teacher.lesson()
    >>> sorted(lesson.prompt for lesson in first), teacher.given
    (['Hi!', 'What is your name?'], 2)
    """

    def __init__(
        self,
        lessons: Iterable[tuple[str, str]],
        *,
        seed: int = 0,
        given: int = 0,
        name: str = "corpus",
    ) -> None:
        if given < 0:
            raise ConfigError("given is out of range", got=repr(given), expected=">= 0")
        self.name, self.seed, self.given = name, seed, given
        self._by_words: dict[str, Lesson] = {}
        for prompt, reply in lessons:
            if not (prompt.strip() and reply.strip()):
                raise DataError(
                    "a lesson is blank",
                    got=repr((prompt, reply))[:120],
                    expected="a prompt and a reply with something in them",
                )
            self._by_words.setdefault(_words(prompt), Lesson(prompt, reply))
        if not self._by_words:
            raise DataError("the corpus is empty", expected="at least one prompt and its reply")
        self._lessons = list(self._by_words.values())
        self._order: tuple[int, list[int]] = (-1, [])

    @classmethod
    def bundled(
        cls,
        topics: Sequence[str] | None = None,
        language: str = "english",
        *,
        seed: int = 0,
        given: int = 0,
    ) -> CorpusTeacher:
        """Return a teacher of the bundled dialogues; see :func:`plasticish.data.load_dialogue`.

        Examples
        --------
        >>> CorpusTeacher.bundled(["greetings"]).reply("Hello").text
        'Hi'
        """
        dialogue = load_dialogue(topics, language)
        lessons = [pair for conversations in dialogue.values() for pair in pairs(conversations)]
        return cls(lessons, seed=seed, given=given)

    @classmethod
    def chitchat(
        cls,
        longest_reply: int = 60,
        *,
        path: str | Path | None = None,
        seed: int = 0,
        given: int = 0,
    ) -> CorpusTeacher:
        """Return a teacher of small talk, with replies of at most ``longest_reply`` characters.

        ``path`` is a file of one's own; see :func:`plasticish.data.load_chitchat`.

        Raises
        ------
        MissingExtraError
            If the package ``chitchat-dataset`` is not installed, and no file is named.
        """
        lessons = [pair for pair in pairs(load_chitchat(path)) if len(pair[1]) <= longest_reply]
        return cls(lessons, seed=seed, given=given, name="chitchat")

    def __len__(self) -> int:
        """Return the number of different lessons."""
        return len(self._lessons)

    def reply(
        self, prompt: str, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL
    ) -> Answer:
        """Return the answer that is written to ``prompt``, None if there is none."""
        lesson = self._by_words.get(_words(prompt))
        return None if lesson is None else TeacherReply(teacher=self.name, text=lesson.reply)

    def lesson(self, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL) -> LessonAnswer:
        """Return the next lesson: each once, then each once more in another order."""
        around, place = divmod(self.given, len(self._lessons))
        if self._order[0] != around:
            shuffled = torch.randperm(
                len(self._lessons), generator=make_generator(spawn_seed(self.seed, around))
            )
            self._order = around, shuffled.tolist()
        self.given += 1
        return self._lessons[self._order[1][place]]


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # A line without a single word, such as one of emoji, is known by all of its characters.
    return re.sub(r"[\W_]+", " ", folded).strip() or folded.strip()
