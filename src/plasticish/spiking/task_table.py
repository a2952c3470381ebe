"""Which tasks came, which have ended, and which classes each has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from plasticish.core import ConfigError

__all__ = ["TaskId", "TaskTable"]

TaskId = int | str


@dataclass(frozen=True, eq=False)
class TaskTable:
    """A table that never changes: :meth:`entered` and :meth:`closed` return the next one.

    Attributes
    ----------
    names : tuple of int or str
        Tasks in the order in which they came; a task's number is its place.
    ended : tuple of int or str
        Those that are over.
    classes : Tensor of bool ``[tasks, classes]``
        What each has shown; nothing, where targets are no classes.

    Examples
    --------
    >>> table = TaskTable().entered("a", torch.tensor([0, 2]), 3)
    >>> table.names, table.seen.tolist()
    (('a',), [True, False, True])
    """

    names: tuple[TaskId, ...] = ()
    ended: tuple[TaskId, ...] = ()
    classes: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

    @cached_property
    def seen(self) -> Bool[Tensor, " classes"]:
        """Classes that any task has shown."""
        return self.classes.any(dim=0)

    def number(self, task: TaskId | None) -> int:
        """Return a task's number; None is the task that is on, by the count of those that ended.

        Raises
        ------
        ConfigError
            If it is over.
        """
        if task is None:
            return len(self.ended)
        if task in self.ended:
            raise ConfigError(
                "a task id was seen twice",
                got=repr(task),
                expected="a task that has not ended",
                cure="give every task an id of its own",
            )
        return self.names.index(task) if task in self.names else len(self.names)

    def of(self, task: TaskId | None) -> int:
        """Return the number of a task that is known.

        Raises
        ------
        ConfigError
            If it is not.
        """
        if task not in self.names:
            raise ConfigError(
                "this task is unknown",
                got=repr(task),
                expected="one of: " + ", ".join(map(repr, self.names)),
                cure="task mode is always told whose task a question is: task=...",
            )
        return self.names.index(task)

    def entered(self, task: TaskId | None, targets: Tensor, outputs: int) -> TaskTable:
        """Return the table after a batch with these targets."""
        number, names = self.number(task), self.names
        known = number < len(self.classes)
        if known and (
            targets.is_floating_point() or bool(self.classes[number, targets.flatten()].all())
        ):
            return self
        if number >= len(names):
            names = (*names, number if task is None else task)
        classes = torch.zeros(len(names), outputs, dtype=torch.bool, device=targets.device)
        if len(self.classes):
            classes[: len(self.classes)] = self.classes
        if not targets.is_floating_point():
            classes[number, targets.flatten()] = True
        return replace(self, names=names, classes=classes)

    def closed(self, task: TaskId) -> TaskTable:
        """Return the table with one more task that is over."""
        return replace(self, ended=(*self.ended, task))

    def values(self) -> dict[str, Any]:
        """Return names as JSON can hold them."""
        return {"names": list(self.names), "ended": list(self.ended)}

    @classmethod
    def restored(cls, values: Mapping[str, Any], classes: Tensor) -> TaskTable:
        """Return the table of :meth:`values` and ``classes``."""
        return cls(tuple(values["names"]), tuple(values["ended"]), classes.clone())
