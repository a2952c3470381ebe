"""A conversation that survives everything: a learner, the folder it lives in, and its teacher."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from plasticish.core import CheckpointError, DataError, NotReadyError

from .events import Event, Exchange, Forgetting, Overheard, Taught, texts_of
from .ledger import words_of
from .memory_folder import MemoryFolder
from .mind import Thought
from .response import Response, SleepReport
from .said import check_said
from .teachers import Lesson, Speaker, Stage, Teacher, TeacherReply, TeacherUnavailable, Turn
from .why import Reason, reasons

if TYPE_CHECKING:
    from .learner import ConversationalLearner

__all__ = ["Conversation"]

HISTORY = 12  # turns that a teacher is told
SAVE_EVERY = 500  # events between two checkpoints, at least; a tenth of all of them later


class Conversation:
    """One learner in one folder, for as long as it is open.

    It is made by :meth:`ConversationalLearner.start_conversation`. Whatever happens is in the log
    of the folder before it is acted on, and before the answer is shown.

    Parameters
    ----------
    learner : ConversationalLearner
        Who talks.
    folder : MemoryFolder
        Where it lives.
    teacher : Teacher or None
        Who is asked about every turn.
    """

    def __init__(
        self, learner: ConversationalLearner, folder: MemoryFolder, teacher: Teacher | None
    ) -> None:
        self.learner, self.folder, self.teacher = learner, folder, teacher
        self.relearned = learner.catch_up(folder)
        self._history: deque[Turn] = deque(maxlen=HISTORY)
        self._last: Response | None = None
        self._thought: Thought | None = None
        self._saved = learner.last
        self._finish_forgetting()
        if self.relearned:
            self.save()

    @property
    def path(self) -> Path:
        """The folder."""
        return self.folder.path

    @property
    def history(self) -> tuple[Turn, ...]:
        """What was said in this conversation lately, oldest first."""
        return tuple(self._history)

    @property
    def stage(self) -> Stage:
        """How much language the learner can take in."""
        return self.learner.settings.stage(self.learner.mind.turns)

    @property
    def last(self) -> Response | None:
        """The last turn of this conversation."""
        return self._last

    # ------------------------------------------------------------------ a turn

    def respond(self, prompt: str, *, on_piece: Callable[[str], None] | None = None) -> Response:
        """Answer, and learn from what the teacher says to it: :meth:`answer`, :meth:`be_taught`.

        Raises
        ------
        DTypeError, DataError, CheckpointError
            As these.
        """
        self.answer(prompt, on_piece=on_piece)
        return self.be_taught()

    def answer(
        self,
        prompt: str,
        *,
        on_piece: Callable[[str], None] | None = None,
        overhear: bool = True,
    ) -> Response:
        """Answer, and learn nothing yet but to know the prompt.

        Parameters
        ----------
        prompt : str
            What is said to the learner.
        on_piece : callable, optional
            Gets the answer token by token, once the turn is on the disk.
        overhear : bool
            Whether the prompt is an answer to what the learner said last, which it may try on
            others: a person goes on talking, a lesson begins anew.

        Raises
        ------
        DTypeError, DataError
            If the prompt is blank, too long, or holds control characters; nothing is changed.
        CheckpointError
            If the turn cannot be written; nothing is changed, and no answer is shown.
        """
        check_said(prompt)
        mind = self.learner.mind
        thought, signals = mind.think(prompt), mind.signals(prompt)
        before = self._overheard(prompt) if overhear else ()
        self.learner.live(*before, Exchange(prompt, thought.text))
        if on_piece is not None:
            for piece in thought.pieces:
                on_piece(piece)
        self._thought = thought
        self._last = Response(
            prompt=prompt,
            reply=thought.text,
            knew=thought.knew,
            signals=signals._replace(fatigue=mind.adenosine.pressure),
            patterns=mind.patterns,
            turns=mind.turns,
            surprise=mind.surprise,
        )
        return self._last

    def _overheard(self, prompt: str) -> tuple[Overheard, ...]:
        """Take what a person says after an answer as a possible answer to it."""
        return () if self._last is None else (Overheard(self._last.reply, prompt),)

    def be_taught(self, lesson: TeacherReply | None = None) -> Response:
        """Learn what the teacher says to the last turn, and sleep if that is due.

        Parameters
        ----------
        lesson : TeacherReply, optional
            What it would say, if that is known already; else it is asked.

        Raises
        ------
        NotReadyError
            If nothing was answered yet.
        CheckpointError
            If it cannot be written; nothing is learned then.
        """
        turn = self._turn()
        answer: TeacherReply | TeacherUnavailable | None = lesson
        if answer is None and self.teacher is not None:
            answer = self.teacher.reply(turn.prompt, history=self.history, stage=self.stage)
        try:
            self._learn(answer, lesson is not None)
        except DataError as error:
            assert answer is not None
            self.feedback(TeacherUnavailable(answer.teacher, f"of what it said, {error}"))
        self._history += (Turn(Speaker.PARTNER, turn.prompt), Turn(Speaker.LEARNER, turn.reply))
        self._rest()
        return self._turn()

    def take_lesson(self, lesson: Lesson, teacher: str) -> Response:
        """Answer the prompt of a lesson, and learn what the answer should have been.

        Raises
        ------
        DataError
            If either cannot be said; nothing is learned then.
        CheckpointError
            If it cannot be written.
        """
        check_said(lesson.reply, "the reply of the lesson")
        self.answer(lesson.prompt, overhear=False)
        return self.be_taught(TeacherReply(teacher=teacher, text=lesson.reply))

    def _turn(self) -> Response:
        if self._last is None:
            raise NotReadyError("nothing was answered yet", cure="say something first")
        return self._last

    def feedback(self, answer: TeacherReply | TeacherUnavailable | None) -> Response:
        """Learn what somebody said about the last answer, and return the turn with it.

        A teacher that could not answer is noted, and nothing is learned from it.

        Raises
        ------
        NotReadyError
            If nothing was answered yet.
        DataError
            If what was said is too long, or holds control characters; nothing is changed.
        CheckpointError
            If it cannot be written; nothing is changed.
        """
        return self._learn(answer, lesson=False)

    def _learn(self, answer: TeacherReply | TeacherUnavailable | None, lesson: bool) -> Response:
        turn = self._turn()
        if isinstance(answer, TeacherReply):
            if answer.text is not None:
                check_said(answer.text, "what it should have said")
            error = self.learner.live(
                Taught(turn.prompt, turn.reply, answer.text, answer.reward, answer.teacher, lesson)
            )
            signals = turn.signals._replace(dopamine=error)
            turn = replace(turn, signals=signals, patterns=self.learner.mind.patterns)
        self._last = turn if answer is None else replace(turn, taught=answer)
        return self._last

    # ------------------------------------------------------------------ between turns

    def sleep(self) -> SleepReport:
        """Consolidate what was lived since the last sleep, and save.

        Raises
        ------
        CheckpointError
            If it cannot be written.
        """
        report = self.learner.doze()
        self.save()
        return report

    def _rest(self) -> None:
        """Sleep if that is due, and save from time to time."""
        learner = self.learner
        try:
            if learner.mind.sleep_is_due:
                self._last = replace(self._turn(), sleep=self.sleep())
            elif learner.last - self._saved >= max(SAVE_EVERY, self._saved // 10):
                self.save()
        except CheckpointError as error:
            # The turn itself is in the log: all that fails is a shortcut for the next start.
            self._saved = learner.last
            warnings.warn(str(error), stacklevel=3)

    def why(self) -> tuple[Reason, ...]:
        """Return the episodes that the last prompt awoke, the one that spoke first.

        Matches are as they were when it spoke, everything else is as it is now.

        Raises
        ------
        NotReadyError
            If nothing was answered yet.
        """
        turn = self._turn()
        assert self._thought is not None
        return reasons(self.learner.mind, self._thought, turn.prompt, self.folder.log)

    def forget(self, text: str) -> int:
        """Take away what was learned from every event in which ``text`` was said, and those too.

        Case, punctuation and white space do not count; whole words do. The words are taken out of
        the log, the network and the vocabulary for good, and the folder is saved.

        Returns
        -------
        int
            How many events there were.

        Raises
        ------
        DataError
            If the text is blank.
        CheckpointError
            If it cannot be written.
        """
        words = words_of(check_said(text, "what to forget"))
        numbers = tuple(one.number for one in self.folder.log.after(0) if _says(one.event, words))
        if numbers:
            self.learner.live(Forgetting(numbers))
            self._finish_forgetting()
            self._history.clear()
            self._last = self._thought = None
        return len(numbers)

    def _finish_forgetting(self) -> None:
        # Only when the checkpoint knows nothing of it any more may the log lose what tells what
        # has to be unlearned; a process that dies in between does this when it opens the folder.
        if left := self.folder.log.forgotten():
            self.save()
            self.folder.log.erase(left)

    def save(self) -> None:
        """Write a checkpoint, so that the next start need not learn from the log.

        Raises
        ------
        CheckpointError
            If it cannot be written; the one before still stands, and the log as well.
        """
        self.folder.save(self.learner.checkpoint())
        self._saved = self.learner.last

    def close(self) -> None:
        """Save, and let others have the folder.

        Raises
        ------
        CheckpointError
            If it cannot be saved; the folder is closed all the same, and its log holds everything.
        """
        try:
            if self._saved != self.learner.last:
                self.save()
        finally:
            self.learner.hang_up()
            self.folder.close()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _says(event: Event, words: tuple[str, ...]) -> bool:
    """Whether these words stand in something that was said, one after another."""
    return any(_contains(words_of(text), words) for text in texts_of(event))


def _contains(all_words: tuple[str, ...], words: tuple[str, ...]) -> bool:
    size = len(words)
    return any(all_words[at : at + size] == words for at in range(len(all_words) - size + 1))
