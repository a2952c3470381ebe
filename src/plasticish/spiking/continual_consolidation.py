"""Consolidation of the continual learner: what mattered to a task is measured, then held.

Importance is the Fisher diagonal, of which the springs of elastic weight consolidation are made;
see :mod:`plasticish.memory`.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from plasticish.core import NotReadyError, Report, as_batches, make_generator, spawn_seed
from plasticish.memory import fisher_diagonal

from .continual_answering import ContinualAnswering
from .continual_input import as_model_input
from .task_table import TaskId

__all__ = ["ContinualConsolidation"]


class ContinualConsolidation(ContinualAnswering):
    """How a continual learner ends a task: its springs take over what mattered to it."""

    def compute_parameter_importance(
        self, dataloader: Any, num_samples: int = 1000, *, task: TaskId | None = None
    ) -> dict[str, Tensor]:
        """Measure what matters for these examples, and hold it from now on.

        Parameters
        ----------
        dataloader : iterable of (inputs, targets)
            A loader, or one pair.
        num_samples : int
            The most examples that are looked at, one gradient each, of a label that is drawn from
            the model's own answer (:func:`~plasticish.memory.fisher_diagonal`, sampled).
        task : int or str, optional
            In task mode, among whose classes the model answers; by default all seen.

        Returns
        -------
        dict of str to Tensor
            The Fisher diagonal on these examples alone, by name of parameter.

        Raises
        ------
        DataError
            If there are none; nothing is changed.
        """
        pairs = [(as_model_input(self._checked(x)[0]), y) for x, y in as_batches(dataloader)]
        classes = self.tasks.seen
        if self.mode == "task" and task is not None:
            classes = self.tasks.classes[self.tasks.of(task)]
        # Outputs that no example ever had a part in have never been trained: their answers mean
        # nothing, and would pass for great uncertainty.
        known = classes.nonzero().flatten() if bool(classes.any()) else None
        likelihood = "gaussian" if self.steps and known is None else "categorical"
        importance = fisher_diagonal(
            self.model,
            pairs,
            num_samples,
            mode="sampled",
            classes=known,
            likelihood=likelihood,
            generator=make_generator(spawn_seed(self.seed, 3, self.elastic.tasks)),
        )
        self.elastic.consolidate(self.model, importance)
        return importance

    def end_task(self, task: TaskId | None = None, dataloader: Any = None) -> Report:
        """Consolidate a task and close it; its id does not come again.

        Parameters
        ----------
        task : int or str, optional
            Which; by default the one that is on.
        dataloader : iterable of (inputs, targets), optional
            Its examples; by default those of it that the buffer holds.

        Raises
        ------
        NotReadyError
            If nothing was learned of it.
        ConfigError
            If it is over already.
        """
        number = self.tasks.number(task)
        if number >= len(self.tasks.names):
            raise NotReadyError("nothing was learned of this task", cure="train on it first")
        name = self.tasks.names[number]
        if self.elastic.strength:
            examples = self._held(number) if dataloader is None else dataloader
            if examples is not None:
                self.compute_parameter_importance(examples, task=name)
        self.tasks = self.tasks.closed(name)
        return {"task": name, **self.stats()}

    def _held(self, number: int) -> tuple[Tensor, Tensor] | None:
        if not len(self.buffer):
            return None
        held = self.buffer.everything()
        own = held.tasks == number
        return (held.inputs[own], held.labels[own]) if bool(own.any()) else None
