"""The table that moves while a brain learns: one line a phase, updated as it goes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from plasticish.training import Callback, Evaluation, PhaseConfig, Trainer, TrainingHistory

from .course import Course
from .moving import Moving
from .output import percent

__all__ = ["LiveTable"]

BAR = 20  # characters
RECENT = 20  # batches whose mean accuracy is shown


class LiveTable(Moving, Callback):
    """Draw the state of a trainer on stderr while it works.

    Parameters
    ----------
    course : Course
        What is taught.
    enabled : bool
        Nothing is drawn without it.
    """

    def __init__(self, course: Course, *, enabled: bool) -> None:
        self.course, self.enabled = course, enabled
        self.history: TrainingHistory | None = None
        self._phase = 0
        self._steps = 0
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._memory = 0.0

    def on_train_start(self, trainer: Trainer) -> None:
        """Take up where the trainer stands."""
        self.history = trainer.history
        self._stand(trainer)

    def on_step(self, trainer: Trainer, report: Mapping[str, Any]) -> None:
        """Note what the step reported."""
        self._stand(trainer)
        accuracy = float(report.get("accuracy", math.nan))
        if math.isfinite(accuracy):
            self._recent.append(accuracy)
        self._memory = float(report.get("memory_fill", self._memory))

    def on_phase_end(self, trainer: Trainer, phase: PhaseConfig, evaluation: Evaluation) -> None:
        """Go on to the next line."""
        self._stand(trainer)
        self._recent.clear()

    def _stand(self, trainer: Trainer) -> None:
        position = trainer.position
        self._phase = position.phase
        if position.phase < len(trainer.phases):
            phase = trainer.phases[position.phase]
            self._steps = position.epoch * len(phase) + position.batch

    @property
    def drawn(self) -> bool:
        """Whether it is enabled."""
        return self.enabled

    def look(self) -> Table:
        """Return the table as of now."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("learning")
        table.add_column("examples", justify="right")
        table.add_column("", width=BAR)
        for heading in ("at first sight", "as learned", "now"):
            table.add_column(heading, justify="right", min_width=6)
        for row, task in enumerate(self.course.tasks):
            table.add_row(
                Text(task.name, overflow="ellipsis", no_wrap=True),
                f"{len(task.train):,}",
                self._bar(row),
                percent(sum(self._recent) / len(self._recent))
                if row == self._phase and self._recent
                else "",
                *self._scores(task.name, row),
            )
        table.caption = f"accuracy in %; memory {percent(self._memory)} % full"
        table.caption_justify = "left"
        return table

    def _bar(self, row: int) -> ProgressBar | Text:
        total = len(self.course.phases[row]) * self.course.phases[row].epochs
        if row < self._phase:
            return Text("learned", style="green")
        if row > self._phase:
            return Text("")
        if self._steps >= total:
            return Text("asleep…", style="magenta")
        return ProgressBar(total=total, completed=self._steps, width=BAR)

    def _scores(self, name: str, row: int) -> tuple[str, str]:
        scores = self.history.eval_accuracy.get(name, []) if self.history is not None else []
        if row >= len(scores):
            return "", ""
        return percent(scores[row]), percent(scores[-1])
