"""A language model on any OpenAI-compatible server, as a teacher."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from plasticish.core import ConfigError, check_positive, forward

from .no_answer import NoAnswerError
from .protocol import (
    Answer,
    Lesson,
    LessonAnswer,
    Stage,
    TeacherReply,
    TeacherUnavailable,
    Turn,
)
from .server import ChatServer
from .wording import MANNERS, Message, lesson_messages, reply_messages, usable

__all__ = ["LLMTeacher"]

_LONGEST = 20_000  # characters before a reply counts as one that never ends


class LLMTeacher:
    """Ask a language model what the learner should say, in words that fit its stage.

    Whatever goes wrong (no server, no model, an error status, silence, garbage, a reply without
    end) comes back as one :class:`TeacherUnavailable`, and is never something to learn from.

    Parameters
    ----------
    url : str
        Base address of the server, or the full path of its chat completions.
    model : str, optional
        Its name; the first one that the server lists and that is made to chat by default.
    api_key : str, optional
        Local servers take any.
    language : str
        In which it teaches.
    timeout_s : float
        Within which an answer has to be there as a whole, tries and pauses included, in s.
    tries : int
        How often it is asked while the trouble may pass (no connection, status 429 or 5xx), >= 1.
    pause_s : float
        Before the second try, in s; it doubles with every further one.
    clock, sleep : callable
        Seconds that never run backwards, and what waits for some.

    Raises
    ------
    ConfigError
        If the address is none, or a number is out of range.
    MissingExtraError
        If the extra ``teacher`` is not installed.

    Examples
    --------
    >>> teacher = LLMTeacher("http://localhost:1234")  # doctest: +SKIP
    >>> teacher.reply("how are you?", stage=Stage.FIRST_WORDS)  # doctest: +SKIP
    TeacherReply(teacher='the model at http://localhost:1234/v1', text='Good!', ...)
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        language: str = "English",
        timeout_s: float = 30.0,
        tries: int = 3,
        pause_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        check_positive(timeout_s=timeout_s, pause_s=pause_s, tries=tries)
        if not isinstance(tries, int):
            raise ConfigError("tries is out of range", got=repr(tries), expected="a whole number")
        self.language, self.timeout_s, self.tries, self.pause_s = (
            language,
            timeout_s,
            tries,
            pause_s,
        )
        self._clock, self._sleep = forward(clock), sleep
        self._server = ChatServer(url, model, api_key, timeout_s)

    @property
    def name(self) -> str:
        """How it is called in what is shown."""
        return f"the model at {self._server.url}"

    @property
    def model(self) -> str | None:
        """The model that is asked, None until it was picked."""
        return self._server.model

    def close(self) -> None:
        """Close the connections to the server."""
        self._server.close()

    def __enter__(self) -> LLMTeacher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reply(
        self, prompt: str, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL
    ) -> Answer:
        """Return what the model would say in the learner's place."""
        try:
            messages = reply_messages(prompt, history, stage, self.language)
            text, cut = self._ask(messages, stage)
        except NoAnswerError as error:
            return self._unavailable(error)
        return TeacherReply(teacher=self.name, text=text, cut=cut)

    def lesson(self, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL) -> LessonAnswer:
        """Return something the model says to the learner, and what it would answer to that."""
        try:
            prompt, _ = self._ask(lesson_messages(history, stage, self.language), stage)
            reply, _ = self._ask(reply_messages(prompt, history, stage, self.language), stage)
        except NoAnswerError as error:
            return self._unavailable(error)
        return Lesson(prompt, reply)

    def _ask(self, messages: Sequence[Message], stage: Stage) -> tuple[str, bool]:
        manner = MANNERS[stage]
        deadline = self._clock() + self.timeout_s
        pause = self.pause_s
        for left in reversed(range(self.tries)):
            try:
                said = self._server.complete(
                    messages,
                    tokens=manner.tokens,
                    longest=_LONGEST,
                    seconds=deadline - self._clock(),
                )
                return usable(said.text, ran_out=said.ran_out, longest=manner.longest)
            except NoAnswerError as error:
                if not (error.passing and left) or self._clock() + pause >= deadline:
                    raise
            self._sleep(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _unavailable(self, error: NoAnswerError) -> TeacherUnavailable:
        return TeacherUnavailable(self.name, error.problem, error.cure)
