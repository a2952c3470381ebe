"""A teacher that says what was written down before: for tests, for figures, and offline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .protocol import Answer, Lesson, LessonAnswer, Stage, TeacherReply, TeacherUnavailable, Turn

__all__ = ["ScriptedTeacher"]

Line = str | TeacherReply | TeacherUnavailable | None


class ScriptedTeacher:
    """Answer from a list of lessons, or by a function of what was said.

    Parameters
    ----------
    script : iterable of (prompt, reply), or callable
        Lessons, given in this order, the last of equal prompts standing; or what returns the
        answer to a prompt: a text, a whole reply, a failure, or None.
    name : str
        How it is called.

    Examples
    --------
    >>> teacher = ScriptedTeacher([("hi", "hello"), ("bye", "see you")])
    >>> teacher.reply("bye").text, teacher.reply("what?")
    ('see you', None)
    >>> teacher.lesson()
    Lesson(prompt='hi', reply='hello')
    >>> ScriptedTeacher(str.upper).reply("hi").text
    'HI'
    """

    def __init__(
        self,
        script: Iterable[tuple[str, str]] | Callable[[str], Line],
        *,
        name: str = "scripted",
    ) -> None:
        self.name = name
        lessons = [] if callable(script) else [Lesson(*pair) for pair in script]
        self._answer: Callable[[str], Line] = script if callable(script) else dict(lessons).get
        self._lessons = iter(lessons)

    def reply(
        self, prompt: str, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL
    ) -> Answer:
        """Return what the script says to ``prompt``."""
        line = self._answer(prompt)
        return TeacherReply(teacher=self.name, text=line) if isinstance(line, str) else line

    def lesson(self, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL) -> LessonAnswer:
        """Return the next lesson of the list, None after the last."""
        return next(self._lessons, None)
