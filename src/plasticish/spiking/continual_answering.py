"""The answering half of the continual learner: nothing here changes it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import ArrayLike, NotReadyError, Report, ShapeError
from plasticish.core.evaluating import evaluation_mode

from .continual_input import as_model_input, check_inputs
from .continual_loss import among
from .continual_state import ContinualState
from .task_table import TaskId

__all__ = ["ContinualAnswering", "answered"]


@torch.no_grad()
def answered(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return what a module answers at rest; each part of it stays in the mode in which it was."""
    with evaluation_mode(model):
        outputs: Tensor = model(as_model_input(inputs))
    return outputs


class ContinualAnswering(ContinualState):
    """What a continual learner can be asked: outputs, classes, and counts of what it lived."""

    def scores(self, x: ArrayLike, task: TaskId | None = None) -> Float[Tensor, "batch ..."]:
        """Return the outputs for each row; classes that do not take part are minus infinity.

        Raises
        ------
        NotReadyError
            If nothing has been learned yet.
        ConfigError
            In task mode, if the task is unknown.
        ShapeError, DTypeError, DataError
            Unusable input.
        """
        if self._input_shape is None:
            raise NotReadyError("nothing has been learned yet", cure="call learn((x, y)) first")
        outputs = answered(self.model, self._checked(x)[0])
        if not bool(self.tasks.classes.any()):
            return outputs
        if self.mode == "task":
            return among(outputs, self.tasks.classes[self.tasks.of(task)])
        return among(outputs, self.tasks.seen)

    def predict(self, x: ArrayLike, task: TaskId | None = None) -> Tensor:
        """Return the class of each row (the outputs, where targets are values); as :meth:`scores`.

        ``task`` is needed in task mode and not looked at otherwise.
        """
        scores = self.scores(x, task)
        return scores.argmax(dim=-1) if bool(self.tasks.classes.any()) else scores

    def _checked(self, x: ArrayLike) -> tuple[Tensor, tuple[int, ...]]:
        """Return checked inputs and the shape of an answer."""
        inputs = check_inputs(x, self._input_shape, indices=self._indices, device=self.device)
        if self._input_shape is not None:
            return inputs, self._output_shape
        try:
            output = answered(self.model, inputs[:1])
        except (RuntimeError, ValueError, IndexError) as error:
            raise ShapeError(
                "inputs have the wrong shape",
                got=str(tuple(inputs.shape)),
                expected=f"what the model takes ({error})",
            ) from error
        return inputs, tuple(output.shape[1:])

    def stats(self) -> Report:
        """Return counts as plain numbers."""
        return {
            "steps": self.steps,
            "tasks": len(self.tasks.names),
            "classes": int(self.tasks.seen.sum()),
            "buffer": len(self.buffer),
            "consolidations": self.elastic.tasks,
        }
