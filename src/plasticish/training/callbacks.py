"""What others may do while a trainer works: look, log, draw; not change the brain.

Where the numbers go is in a file each: :mod:`.tensorboard_callback`, :mod:`.wandb_callback`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core import ConfigError

if TYPE_CHECKING:
    from .evaluation import Evaluation
    from .history import TrainingHistory
    from .phase import PhaseConfig
    from .trainer import Trainer

__all__ = ["Callback", "ScalarCallback"]


class Callback:
    """Override what you need; each method does nothing by default.

    A callback that changes the brain or the trainer gives up the promise that a resumed run equals
    an uninterrupted one.

    Examples
    --------
    >>> class Printer(Callback):
    ...     def on_phase_end(self, trainer, phase, evaluation):
    ...         print(phase.name, evaluation.accuracy)
    """

    def on_train_start(self, trainer: Trainer) -> None:
        """Called by ``train`` before the first step, also of a resumed run."""

    def on_step(self, trainer: Trainer, report: Mapping[str, Any]) -> None:
        """Called after each step with what the brain reported of it."""

    def on_phase_end(self, trainer: Trainer, phase: PhaseConfig, evaluation: Evaluation) -> None:
        """Called after the phase was consolidated and evaluated."""

    def on_train_end(self, trainer: Trainer, history: TrainingHistory) -> None:
        """Called when ``train`` returns, interrupted or done."""


class ScalarCallback(Callback, ABC):
    """Hand on every number of every step, and each evaluation, to whatever draws curves.

    A subclass says in :meth:`write` where they go. Names are ``step/NAME`` for what the brain
    reports of a step, and ``eval/LOADER`` for accuracies; what was not measured is left out.

    Parameters
    ----------
    every : int
        Hand on one step in so many, >= 1; evaluations always.

    Raises
    ------
    ConfigError
        If ``every`` is no count.

    Examples
    --------
    >>> class Printer(ScalarCallback):
    ...     def write(self, values, step):
    ...         print(step, values)
    """

    def __init__(self, every: int = 1) -> None:
        if every < 1:
            raise ConfigError("every is out of range", got=repr(every), expected=">= 1")
        self.every = every

    @abstractmethod
    def write(self, values: Mapping[str, float], step: int) -> None:
        """Take the numbers of a step; called once or twice for one, the second time with others."""

    def on_step(self, trainer: Trainer, report: Mapping[str, Any]) -> None:
        """Hand on the numbers of this step, and of an evaluation that followed it."""
        history = trainer.history
        step, values = len(history), {}
        if step % self.every == 0:
            values = {f"step/{name}": column[-1] for name, column in history.series.items()}
        if history.evaluations and history.evaluations[-1].step == step:
            values |= _accuracies(history.evaluations[-1])
        self._hand_on(values, step)

    def on_phase_end(self, trainer: Trainer, phase: PhaseConfig, evaluation: Evaluation) -> None:
        """Hand on the accuracies at the end of the phase."""
        self._hand_on(_accuracies(evaluation), evaluation.step)

    def _hand_on(self, values: Mapping[str, float], step: int) -> None:
        measured = {name: value for name, value in values.items() if not math.isnan(value)}
        if measured:
            self.write(measured, step)


def _accuracies(evaluation: Evaluation) -> dict[str, float]:
    return {f"eval/{loader}": accuracy for loader, accuracy in evaluation.accuracy.items()}
