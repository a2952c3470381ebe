"""The live line under which a brain is trained; nothing at all in a pipe or when quiet."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..core import progress_enabled
from .phase import PhaseConfig

__all__ = ["TrainingDisplay"]

_COLUMNS = (("accuracy", "accuracy"), ("memory_fill", "memory"), ("mature", "mature"))


class TrainingDisplay:
    """One bar a phase, with what its steps report: loss, accuracy, memory fill, mature neurons.

    Examples
    --------
    >>> with TrainingDisplay(enabled=False) as display:
    ...     display.start_phase(PhaseConfig("A", 1, []), done=0)
    ...     display.step({"accuracy": 0.9})
    """

    def __init__(self, enabled: bool | None = None) -> None:
        self.enabled = progress_enabled() if enabled is None else enabled
        self._progress: Any = None
        self._task: Any = None
        self._recent: deque[float] = deque(maxlen=20)

    def __enter__(self) -> TrainingDisplay:
        if self.enabled:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("[bold]{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[numbers]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def start_phase(self, phase: PhaseConfig, done: int) -> None:
        """Open the bar of a phase of which ``done`` steps were taken before."""
        self.start(phase.name, len(phase) * phase.epochs or None, done)

    def start(self, name: str, total: int | None, done: int) -> None:
        """Open a bar of ``total`` steps, of which ``done`` were taken before."""
        self._recent.clear()
        if self._progress is not None:
            self._task = self._progress.add_task(name, total=total, completed=done, numbers="")

    def step(self, report: Mapping[str, Any]) -> None:
        """Move the bar on by one step."""
        accuracy = float(report.get("accuracy", math.nan))
        if math.isfinite(accuracy):
            self._recent.append(accuracy)
        if self._progress is not None:
            self._progress.update(self._task, advance=1, numbers=self.numbers(report))

    def numbers(self, report: Mapping[str, Any]) -> str:
        """Return the numbers beside the bar; accuracy is the mean of the last 20 batches."""
        shown = dict(report)
        if self._recent:
            shown["accuracy"] = sum(self._recent) / len(self._recent)
        loss = [f"loss {float(shown['loss']):.3f}"] if "loss" in shown else []
        shares = [
            f"{label} {100 * float(shown[name]):.1f} %"
            for name, label in _COLUMNS
            if name in shown and math.isfinite(float(shown[name]))
        ]
        return "  ".join(loss + shares)
