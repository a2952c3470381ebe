"""What a controller of plasticity saw and said, for figures."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["ControllerHistory"]


@dataclass(frozen=True)
class ControllerHistory:
    """The last ``history_length`` steps of a controller, oldest first, for figures.

    Attributes
    ----------
    step : Tensor of shape (steps,), int64
        Number of the step, from 1.
    performance, loss, surprise : Tensor of shape (steps,)
        What was observed, and by how many standard errors it was worse than usual.
    activity : Tensor of shape (steps, layers)
        What was observed of the layers.
    learning_rate, time_constant, stability : Tensor of shape (steps, layers)
        The factors that were given after that step.
    """

    step: Tensor
    performance: Tensor
    loss: Tensor
    surprise: Tensor
    activity: Tensor
    learning_rate: Tensor
    time_constant: Tensor
    stability: Tensor
