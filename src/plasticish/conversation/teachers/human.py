"""You: what a person said the learner should have said, and whether its answer was good."""

from __future__ import annotations

from collections.abc import Sequence

from .protocol import Answer, LessonAnswer, Stage, TeacherReply, Turn

__all__ = ["HumanTeacher"]

GOOD, BAD = 1.0, 0.0


class HumanTeacher:
    """Hold what a person says about the last answer until the learner asks for it.

    Parameters
    ----------
    name : str
        How the person is called.

    Examples
    --------
    >>> you = HumanTeacher()
    >>> you.bad()
    >>> you.say("I am fine")
    >>> you.reply("how are you?")
    TeacherReply(teacher='you', text='I am fine', reward=0.0, cut=False)
    >>> you.reply("how are you?") is None
    True
    """

    def __init__(self, *, name: str = "you") -> None:
        self.name = name
        self._said: TeacherReply | None = None

    def say(self, text: str) -> None:
        """Take what the learner should have said (``/say``).

        Raises
        ------
        DataError
            If the text is blank; what was said before still stands.
        """
        self._said = TeacherReply(
            teacher=self.name, text=text, reward=self._said.reward if self._said else None
        )

    def good(self) -> None:
        """Take that the answer was good (``/good``)."""
        self._judge(GOOD)

    def bad(self) -> None:
        """Take that the answer was bad (``/bad``)."""
        self._judge(BAD)

    def _judge(self, reward: float) -> None:
        self._said = TeacherReply(
            teacher=self.name, text=self._said.text if self._said else None, reward=reward
        )

    def reply(
        self, prompt: str, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL
    ) -> Answer:
        """Return what the person said since the last call, None if nothing."""
        said, self._said = self._said, None
        return said

    def lesson(self, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL) -> LessonAnswer:
        """Return None: a person teaches by talking."""
        return None
