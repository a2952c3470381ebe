"""Unattended lessons, and the panel that shows how they go."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from plasticish.conversation import (
    Conversation,
    CorpusTeacher,
    Lesson,
    Response,
    Teacher,
    TeacherUnavailable,
    chrf,
    open_teacher,
)
from plasticish.core import ConfigError, DataError, check_positive

from .moving import Moving
from .output import Output
from .talking_opening import open_conversation, who_lives_in

__all__ = ["Panel", "raise_learner"]

RECENT = 100  # lessons over which answers are judged
BAR = 30  # characters
TELL_EVERY = 100  # lessons between two lines, where nothing can be drawn
PATIENCE = 5  # lessons in a row that a teacher may fail to give


def raise_learner(folder: Path, name: str, turns: int, seed: int, output: Output) -> dict[str, Any]:
    """Give lessons until the learner has had ``turns`` of this teacher, and return figures.

    Raises
    ------
    ConfigError
        If there is no such teacher, or it gives no lessons.
    DataError
        If the teacher fails again and again; what was learned is kept.
    CheckpointError
        If the folder holds something else, is damaged, or is open in another process.
    """
    check_positive(turns=turns)
    config = who_lives_in(folder, seed)
    teacher = _open(name, config.seed)
    with open_conversation(folder, config, None, output) as conversation:
        panel = Panel(conversation, teacher, turns, output)
        if isinstance(teacher, CorpusTeacher):
            teacher.given = panel.lessons
        if panel.lessons:
            output.remark(f"going on after {panel.lessons:,} of {turns:,} lessons")
        with panel:
            _give_lessons(conversation, teacher, panel)
        return panel.figures()


def _open(name: str, seed: int) -> Teacher:
    return open_teacher(name) if "://" in name or name == "none" else open_teacher(name, seed=seed)


def _give_lessons(conversation: Conversation, teacher: Teacher, panel: Panel) -> None:
    failed = 0
    while panel.lessons < panel.turns:
        lesson = teacher.lesson(history=conversation.history, stage=conversation.stage)
        if lesson is None:
            raise ConfigError(
                "this teacher gives no lessons",
                got=teacher.name,
                cure="name another with --teacher, or talk with the learner: plasticish chat",
            )
        if isinstance(lesson, Lesson):
            try:
                response = conversation.take_lesson(lesson, teacher.name)
            except DataError as error:  # what a model made up may be no line
                lesson = TeacherUnavailable(teacher.name, f"of its lesson, {error}")
            else:
                panel.taught(response, lesson)
                failed = 0
                continue
        failed += 1
        if failed == PATIENCE:
            raise DataError(
                str(lesson), cure="what was learned is kept; the same command goes on from there"
            )
        panel.trouble(str(lesson))


class Panel(Moving):
    """Where the lessons stand: drawn in a terminal, told now and then elsewhere.

    Parameters
    ----------
    conversation : Conversation
        Whose lessons they are.
    teacher : Teacher
        Who gives them.
    turns : int
        How many there are to be.
    output : Output
        Whether anything is shown.
    """

    def __init__(
        self, conversation: Conversation, teacher: Teacher, turns: int, output: Output
    ) -> None:
        self.mind, self.turns, self.output = conversation.learner.mind, turns, output
        self.teacher = teacher.name
        self.lessons, last = conversation.folder.log.lessons(teacher.name, RECENT)
        self._closeness = deque((chrf(reply, due) for reply, due in last), maxlen=RECENT)
        self._exact = deque((reply == due for reply, due in last), maxlen=RECENT)
        self._surprise: deque[float] = deque(maxlen=RECENT)
        self._sleeps, self._trouble = 0, ""
        self._begun, self._start = self.lessons, time.perf_counter()

    def taught(self, response: Response, lesson: Lesson) -> None:
        """Count a lesson."""
        self.lessons += 1
        self._closeness.append(chrf(response.reply, lesson.reply))
        self._exact.append(response.reply == lesson.reply)
        if response.surprise is not None:
            self._surprise.append(response.surprise)
        self._sleeps += response.sleep is not None
        self._trouble = ""
        if self._live is None and self.lessons % TELL_EVERY == 0:
            self.output.remark(self._line())

    def trouble(self, text: str) -> None:
        """Tell that the teacher failed; nothing was learned from that."""
        self._trouble = text
        if self._live is None:
            self.output.remark(text)

    def figures(self) -> dict[str, Any]:
        """Return where it stands, as JSON holds it."""
        return {
            "lessons": self.lessons,
            "teacher": self.teacher,
            "recent": len(self._closeness),
            "accuracy": _mean(self._closeness),
            "exact": _mean(self._exact),
            "surprise": _mean(self._surprise) if self._surprise else None,
            "sleeps": self._sleeps,
            **self.mind.stats(),
        }

    def _line(self) -> str:
        found = self.figures()
        return (
            f"{self.lessons:,} of {self.turns:,} lessons, chrF {100 * found['accuracy']:.0f} %, "
            f"{found['vocabulary']:,} pieces, fatigue {found['fatigue']:.2f}"
        )

    @property
    def drawn(self) -> bool:
        """Whether there is a terminal to draw in."""
        return self.output.live

    def look(self) -> Group:
        """Return how far the lessons are, and how the learner does."""
        found = self.figures()
        surprise = "–" if found["surprise"] is None else f"{found['surprise']:.2f} nats/char"
        row = {
            "answers (chrF)": f"{100 * found['accuracy']:.0f} %",
            "in the very words": f"{100 * found['exact']:.0f} %",
            "surprise": surprise,
            "vocabulary": f"{found['vocabulary']:,}",
            "synapses": f"{found['synapses']:,}",
            "fatigue": f"{found['fatigue']:.2f}",
            "sleeps": f"{found['sleeps']:,}",
        }
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for heading in row:
            table.add_column(heading, justify="right")
        table.add_row(*row.values())
        return Group(self._bar(), table, Text(self._trouble, style="yellow"))

    def _bar(self) -> Table:
        done = self.lessons - self._begun
        pace = done / max(time.perf_counter() - self._start, 1e-9)
        left = f"{(self.turns - self.lessons) / pace:,.0f} s left" if done else ""
        bar = Table.grid(padding=(0, 2, 0, 0))
        bar.add_row(
            f"{self.lessons:,} of {self.turns:,} lessons",
            ProgressBar(total=self.turns, completed=self.lessons, width=BAR),
            left,
        )
        return bar


def _mean(values: deque[float] | deque[bool]) -> float:
    return sum(values) / len(values) if values else 0.0
