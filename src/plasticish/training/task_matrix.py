"""What a stream of tasks came to: the matrix R, and the numbers that are read off it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from ..core import NotReadyError
from ..metrics import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    retention,
)
from .evaluation import to_json

__all__ = ["TaskMatrix"]


@dataclass(frozen=True, eq=False)
class TaskMatrix:
    """The scores on every task after each task.

    Attributes
    ----------
    names : tuple of str
        The tasks in the order in which they were learned.
    R : Tensor
        float64 ``[tasks, tasks]``, R[i, j] = score in [0, 1] on task j after task i was learned;
        just above the diagonal, on task j immediately before it was. NaN where not measured.
    untrained : tuple of float
        The score of the untrained model on each task, the baseline of forward transfer.

    Examples
    --------
    >>> matrix = TaskMatrix.of([[0.9], [0.6, 0.8]], ahead=[0.4, 0.5], untrained=[0.4, 0.45])
    >>> round(matrix.summary()["forward_transfer"], 3), round(matrix.summary()["forgetting"], 3)
    (0.05, 0.3)
    """

    names: tuple[str, ...]
    R: Float64[Tensor, "tasks tasks"]
    untrained: tuple[float, ...]

    @classmethod
    def of(
        cls,
        rows: Sequence[Sequence[float]],
        ahead: Sequence[float],
        untrained: Sequence[float],
        names: Sequence[str] = (),
    ) -> TaskMatrix:
        """Build the matrix from its lower triangle and what was measured before each task.

        Raises
        ------
        NotReadyError
            If no task was learned.
        """
        if not rows:
            raise NotReadyError(
                "no task was learned yet", got="0 tasks", cure="call train_on_task first"
            )
        count = len(rows)
        R = torch.full((count, count), math.nan, dtype=torch.float64)
        for i, row in enumerate(rows):
            R[i, : i + 1] = torch.tensor(row, dtype=torch.float64)
        for j in range(1, count):
            R[j - 1, j] = ahead[j]
        labels = tuple(names) or tuple(str(j + 1) for j in range(count))
        return cls(labels, R, tuple(untrained[:count]))

    def summary(self) -> dict[str, Any]:
        """Return the numbers the field reads off R; see :mod:`plasticish.metrics`.

        Returns
        -------
        dict
            ``average_accuracy``, ``average_incremental_accuracy``, ``forgetting``,
            ``backward_transfer``, ``forward_transfer`` (floats; shares in [0, 1] or differences of
            them), and ``retention``, one share a task.
        """
        return {
            "average_accuracy": average_accuracy(self.R),
            "average_incremental_accuracy": average_incremental_accuracy(self.R),
            "forgetting": forgetting(self.R),
            "backward_transfer": backward_transfer(self.R),
            "forward_transfer": forward_transfer(self.R, list(self.untrained)),
            "retention": retention(self.R),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what was not measured is None."""
        return {
            "tasks": list(self.names),
            "R": [[to_json(value) for value in row] for row in self.R.tolist()],
            "untrained": list(self.untrained),
            **self.summary(),
        }
