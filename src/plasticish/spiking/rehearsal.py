"""What a step of the continual learner rehearses, and which classes compete in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from plasticish.core import ConfigError, check_positive
from plasticish.memory import Replay, TaskBuffer

from .continual_loss import Criterion, among, dark_experience, supervised
from .task_table import TaskTable

__all__ = ["ContinualMode", "Rehearsal", "ReplayKind"]

ContinualMode = Literal["class", "domain", "task"]
ReplayKind = Literal["er", "der++"]


@dataclass(frozen=True)
class Rehearsal:
    """The settings of a step's loss; see :class:`~plasticish.spiking.continual.\
ContinualLearningSTDP` for their meaning.

    Examples
    --------
    >>> table = TaskTable().entered(None, torch.tensor([0, 1]), 4)
    >>> table = table.entered(None, torch.tensor([3]), 4)
    >>> Rehearsal(asymmetric=True).mask(table, torch.tensor([3]), 0).tolist()
    [False, False, False, True]
    >>> Rehearsal(asymmetric=False).mask(table, torch.tensor([3]), 0).tolist()
    [True, True, False, True]
    """

    mode: str = "class"
    replay: str | None = "der++"
    asymmetric: bool = True
    dark_weight: float = 0.5
    replay_weight: float = 1.0
    replay_rows: int | None = None

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("mode", self.mode, get_args(ContinualMode)),
            ("replay", self.replay, (None, *get_args(ReplayKind))),
        ):
            if value not in choices:
                expected = "one of: " + ", ".join(map(repr, choices))
                raise ConfigError(f"unknown {name}", got=repr(value), expected=expected)
        check_positive(
            replay_rows=1 if self.replay_rows is None else self.replay_rows,
            # zero leaves a term out
            dark_weight=self.dark_weight or 1.0,
            replay_weight=self.replay_weight or 1.0,
        )

    def draw(self, buffer: TaskBuffer, rows: int) -> Replay | None:
        """Return what is replayed beside ``rows`` new examples.

        The paper of DER++ draws once for each of its two terms. Here both terms see both draws,
        which costs the same pass and makes each the mean of twice as many.
        """
        if self.replay is None or not len(buffer):
            return None
        return buffer.sample(self.replay_rows or rows * (2 if self.replay == "der++" else 1))

    def past(
        self, table: TaskTable, held: Replay, answers: Tensor, criterion: Criterion | None
    ) -> dict[str, Tensor]:
        """Return the terms of the loss over what is replayed, as they enter it."""
        mask = None
        if not held.labels.is_floating_point():
            mask = table.classes[held.tasks] if self.mode == "task" else table.seen
        replay = supervised(among(answers, mask), held.labels, criterion)
        terms = {"replay": self.replay_weight * replay}
        if self.replay == "der++" and held.logits is not None:
            terms["dark"] = self.dark_weight * dark_experience(answers, held.logits)
        return terms

    def mask(self, table: TaskTable, targets: Tensor, number: int) -> Tensor | None:
        """Return which classes new examples compete among."""
        if targets.is_floating_point():
            return None
        if self.mode == "task":
            return table.classes[number]
        if self.asymmetric and self.mode == "class" and self.replay is not None:
            mask = torch.zeros_like(table.seen)
            mask[targets.flatten()] = True
            return mask
        return table.seen
