"""What others may do while a trainer works: look, log, draw; not change the brain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import import_extra

if TYPE_CHECKING:
    from .evaluation import Evaluation
    from .history import TrainingHistory
    from .phase import PhaseConfig
    from .trainer import Trainer

__all__ = ["Callback", "TensorBoardCallback"]


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


class TensorBoardCallback(Callback):
    """Write every number of every step, and each evaluation, for TensorBoard.

    Parameters
    ----------
    folder : path
        Where the event files go.
    every : int
        Write one step in so many.

    Raises
    ------
    MissingExtraError
        If the extra ``tensorboard`` is not installed.
    """

    def __init__(self, folder: str | Path, every: int = 1) -> None:
        self.folder = Path(folder)
        self.every = max(1, every)
        self._tensorboard = import_extra(
            "torch.utils.tensorboard", "tensorboard", "logging to TensorBoard"
        )
        self._writer: Any = None

    def on_train_start(self, trainer: Trainer) -> None:
        """Open the log; what a killed run wrote beyond its checkpoint is superseded."""
        self._writer = self._tensorboard.SummaryWriter(
            str(self.folder), purge_step=len(trainer.history) + 1
        )

    def on_step(self, trainer: Trainer, report: Mapping[str, Any]) -> None:
        """Write the numbers of this step."""
        step = len(trainer.history)
        if step % self.every:
            return
        for name, values in trainer.history.series.items():
            if values[-1] == values[-1]:  # NaN means: not reported
                self._writer.add_scalar(f"step/{name}", values[-1], step)

    def on_phase_end(self, trainer: Trainer, phase: PhaseConfig, evaluation: Evaluation) -> None:
        """Write the accuracies at the end of the phase."""
        for loader, accuracy in evaluation.accuracy.items():
            self._writer.add_scalar(f"eval/{loader}", accuracy, evaluation.step)

    def on_train_end(self, trainer: Trainer, history: TrainingHistory) -> None:
        """Close the log."""
        self._writer.close()
