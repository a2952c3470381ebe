"""Where a stream of tasks stands, as its folder holds it: one checkpoint for all that changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..core import CheckpointError, DataError, State, load_checkpoint
from ..spiking.optimizer_state import unpack_optimizer
from .resumable import CHECKPOINT
from .task_run import TaskRun

__all__ = ["KIND", "SavedTasks", "load_tasks"]

KIND = "continual_run"


@dataclass(frozen=True)
class SavedTasks:
    """A stream of tasks as its folder holds it.

    Attributes
    ----------
    settings : dict
        Arguments of the trainer that decide the results.
    tasks : list of dict
        :meth:`TaskRun.describe` of each task that was begun.
    state : State
        Everything that changes.
    """

    settings: dict[str, Any]
    tasks: list[dict[str, Any]]
    state: State

    def check(self, task: TaskRun, place: int) -> None:
        """Refuse a task other than the one the run had in this place.

        Raises
        ------
        CheckpointError
            If its name, epochs or number of batches differ.
        """
        given = task.describe()
        for key, was in self.tasks[place].items():
            if given[key] != was:
                raise CheckpointError(
                    f"task {place + 1} differs from that of the run in {key!r}",
                    got=repr(given[key]),
                    expected=repr(was),
                    cure="resume with the tasks the run was begun with, in their order",
                )

    def restore_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """Let an optimizer go on from where it stood.

        Raises
        ------
        CheckpointError
            If it is of another class, or over other parameters.
        """
        expected, got = self.state.values["optimizer_class"], type(optimizer).__name__
        try:
            if got != expected:
                raise DataError("another optimizer", got=got, expected=expected)
            unpack_optimizer(optimizer, self.state.part("optimizer"))
        except DataError as error:
            raise CheckpointError(
                "the optimizer differs from that of the run",
                got=str(error),
                cure="build the optimizer as it was when the run was begun",
            ) from error


def load_tasks(run_folder: str | Path) -> SavedTasks:
    """Read the folder of a run whole.

    Raises
    ------
    CheckpointError
        If no run was begun there, or it is damaged.
    """
    checkpoint = load_checkpoint(Path(run_folder) / CHECKPOINT, KIND)
    try:
        return SavedTasks(
            settings=dict(checkpoint.config["settings"]),
            tasks=list(checkpoint.config["tasks"]),
            state=State(checkpoint.state, checkpoint.tensors),
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"the run {run_folder} is damaged", got=str(error)) from error
