"""Who has no chance to enter a full buffer: told at once, without sorting the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Standing", "classes_of"]

Group = tuple[int, int]


@dataclass(frozen=True)
class Standing:
    """How a full buffer stands under the orders of :mod:`plasticish.memory.eviction`.

    Attributes
    ----------
    groups : dict
        Of each group (task and class; one for all, where nothing is balanced) how many are held,
        and their largest priority.
    last : tuple of int and float
        Rank within its group, and priority, of the member that comes last of all.
    balanced : bool
        Whether groups are kept level.
    """

    groups: dict[Group, tuple[int, float]]
    last: tuple[int, float]
    balanced: bool

    @classmethod
    def of(cls, tasks: Tensor, labels: Tensor, priority: Tensor, balanced: bool) -> Standing:
        """Take stock of what is held; at least one row."""
        groups: dict[Group, tuple[int, float]] = {}
        for key, chance in zip(_keys(tasks, labels, balanced), priority.tolist(), strict=True):
            count, worst = groups.get(key, (0, 0.0))
            groups[key] = (count + 1, max(worst, chance))
        last = max((count - 1, worst) for count, worst in groups.values())
        return cls(groups, last, balanced)

    def beaten(
        self, tasks: Tensor, labels: Tensor, priority: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Tell which rows would be the last of their group and come after the last of all.

        Such a row moves no one down in its group, so that all of them can go at once; rows that
        are not beaten may still lose.

        Examples
        --------
        >>> zeros = torch.zeros(2, dtype=torch.int64)
        >>> full = Standing.of(zeros, zeros, torch.tensor([0.2, 0.5]), balanced=True)
        >>> full.beaten(zeros, torch.tensor([0, 1]), np.array([0.7, 0.7])).tolist()
        [True, False]
        """
        verdicts = []
        for key, chance in zip(_keys(tasks, labels, self.balanced), priority.tolist(), strict=True):
            count, worst = self.groups.get(key, (0, 0.0))
            verdicts.append(chance > worst and (count, chance) > self.last)
        return np.array(verdicts)


def _keys(tasks: Tensor, labels: Tensor, balanced: bool) -> list[Group]:
    if not balanced:
        return [(0, 0)] * len(tasks)
    return list(zip(tasks.tolist(), classes_of(labels).tolist(), strict=True))


def classes_of(labels: Tensor) -> Int64[Tensor, " rows"]:
    """Return labels that are one integer a row, and -1 for targets of any other kind."""
    if labels.ndim == 1 and not labels.is_floating_point():
        return labels.long()
    return torch.full((len(labels),), -1, dtype=torch.int64, device=labels.device)
