"""Numbers of a run for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import import_extra
from .callbacks import ScalarCallback

if TYPE_CHECKING:
    from .history import TrainingHistory
    from .trainer import Trainer

__all__ = ["TensorBoardCallback"]


class TensorBoardCallback(ScalarCallback):
    """Write every number of every step, and each evaluation, for TensorBoard.

    Parameters
    ----------
    folder : path
        Where the event files go.
    every : int
        Write one step in so many, >= 1; evaluations always.

    Raises
    ------
    MissingExtraError
        If the extra ``tensorboard`` is not installed.
    ConfigError
        If ``every`` is no count.
    """

    def __init__(self, folder: str | Path, every: int = 1) -> None:
        super().__init__(every)
        self.folder = Path(folder)
        self._tensorboard = import_extra(
            "torch.utils.tensorboard", "tensorboard", "logging to TensorBoard"
        )
        self._writer: Any = None

    def on_train_start(self, trainer: Trainer) -> None:
        """Open the log; what a killed run wrote beyond its checkpoint is superseded."""
        self._writer = self._tensorboard.SummaryWriter(
            str(self.folder), purge_step=len(trainer.history) + 1
        )

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers at a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def on_train_end(self, trainer: Trainer, history: TrainingHistory) -> None:
        """Close the log."""
        self._writer.close()
