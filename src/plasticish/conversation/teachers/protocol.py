"""What a teacher is asked, and the three things it can say: an answer, nothing, or that it failed.

They are three types, so that a failure cannot be mistaken for something said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol, runtime_checkable

from plasticish.core import ConfigError, DataError

__all__ = [
    "Answer",
    "Lesson",
    "LessonAnswer",
    "Speaker",
    "Stage",
    "Teacher",
    "TeacherReply",
    "TeacherUnavailable",
    "Turn",
]


class Speaker(Enum):
    """Who said a turn: the learner, or whoever it talks with."""

    PARTNER = "partner"
    LEARNER = "learner"


class Turn(NamedTuple):
    """One turn of a conversation."""

    speaker: Speaker
    text: str


class Stage(Enum):
    """How much language the learner can take in."""

    FIRST_WORDS = "first words"
    SHORT_SENTENCES = "short sentences"
    NORMAL = "normal"

    @classmethod
    def after(cls, turns: int, first_words: int = 100, short_sentences: int = 500) -> Stage:
        """Return the stage of a learner that has been taught ``turns`` turns.

        Parameters
        ----------
        turns : int
            Turns taught so far, >= 0.
        first_words, short_sentences : int
            Turns at which these stages end, ``0 <= first_words <= short_sentences``.

        Raises
        ------
        ConfigError
            If the stages are out of order.

        Examples
        --------
        >>> Stage.after(0), Stage.after(100), Stage.after(5000)
        (<Stage.FIRST_WORDS: 'first words'>, <Stage.SHORT_SENTENCES: 'short sentences'>, \
<Stage.NORMAL: 'normal'>)
        """
        if not 0 <= first_words <= short_sentences:
            raise ConfigError(
                "the stages are out of order",
                got=f"{first_words} and {short_sentences} turns",
                expected="0 <= first_words <= short_sentences",
            )
        if turns < first_words:
            return cls.FIRST_WORDS
        return cls.SHORT_SENTENCES if turns < short_sentences else cls.NORMAL


@dataclass(frozen=True, kw_only=True)
class TeacherReply:
    """What a teacher said about one turn: this can be learned from.

    Attributes
    ----------
    teacher : str
        Who said it.
    text : str or None
        What the learner should have answered.
    reward : float or None
        How good the learner's own answer was, in [0, 1]; None if nobody judged it.
    cut : bool
        Whether the teacher said more, of which only whole sentences were kept.

    Raises
    ------
    DataError
        If it says nothing: no text (or a blank one) and no reward in [0, 1].

    Examples
    --------
    >>> TeacherReply(teacher="you", text=" ")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: the reply of a teacher is blank: got ' ', expected a text
    """

    teacher: str
    text: str | None = None
    reward: float | None = None
    cut: bool = False

    def __post_init__(self) -> None:
        if self.text is not None and not self.text.strip():
            raise DataError(
                "the reply of a teacher is blank", got=repr(self.text), expected="a text"
            )
        if self.reward is not None and not 0 <= self.reward <= 1:
            raise DataError(
                "the reward is out of range", got=repr(self.reward), expected="0 <= reward <= 1"
            )
        if self.text is None and self.reward is None:
            raise DataError("the reply of a teacher says nothing", expected="a text or a reward")


@dataclass(frozen=True)
class TeacherUnavailable:
    """Why a teacher could not answer: to be shown, and never to be learned from.

    Attributes
    ----------
    teacher : str
        Whom it was asked of.
    problem : str
        What went wrong, in one clause.
    cure : str
        What can be done about it.

    Examples
    --------
    >>> print(TeacherUnavailable("the model at localhost", "it cannot be reached", "start it"))
    the model at localhost could not answer: it cannot be reached (start it)
    """

    teacher: str
    problem: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f" ({self.cure})" if self.cure else ""
        return f"{self.teacher} could not answer: {self.problem}{cure}"


class Lesson(NamedTuple):
    """Something to say to the learner, and what it should answer."""

    prompt: str
    reply: str


Answer = TeacherReply | TeacherUnavailable | None
"""None: the teacher has nothing to say about this."""

LessonAnswer = Lesson | TeacherUnavailable | None
"""None: the teacher gives no lessons of its own, or no more of them."""


@runtime_checkable
class Teacher(Protocol):
    """Someone who knows what the learner should say."""

    @property
    def name(self) -> str:
        """How the teacher is called in what is shown."""
        ...

    def reply(
        self, prompt: str, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL
    ) -> Answer:
        """Say what the learner should answer to ``prompt``, or judge what it answered.

        Parameters
        ----------
        prompt : str
            What was said to the learner.
        history : sequence of Turn
            What was said before, oldest first.
        stage : Stage
            How much language the learner can take in.
        """
        ...

    def lesson(self, *, history: Sequence[Turn] = (), stage: Stage = Stage.NORMAL) -> LessonAnswer:
        """Say the next thing to teach, for a learner that is raised without a person."""
        ...
