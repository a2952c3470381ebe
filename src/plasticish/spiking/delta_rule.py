r"""The delta rule: a synapse changes by what its input was and how wrong its target unit was.

.. math:: \Delta w_{ji} = \frac1B \sum_b \sum_t e_{bjt}\, x_{bit}, \qquad
          e = \text{teacher} - \text{own activity}

Local and supervised: the error of a unit is known at the unit, nothing is sent back through the
network. Where the errors are divided by the mean squared length of the inputs
(:func:`normalised_error`), the learning rate has no unit, whatever the width and the firing rates.

References
----------
Widrow, B. & Hoff, M. E. (1960). Adaptive switching circuits. IRE WESCON Convention Record 4.
Nagumo, J. & Noda, A. (1967). A learning method for system identification. IEEE Transactions on
Automatic Control 12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from plasticish.rules.spike_checks import check_spikes

from .plasticity_rule import RULES, RuleObject

__all__ = ["DeltaRule", "NoState", "delta_change", "normalised_error"]


def delta_change(pre: Tensor, error: Tensor) -> Tensor:
    """Return the change of the weights, before the learning rate, averaged over the batch.

    Parameters
    ----------
    pre : Tensor of shape (..., batch, pre)
        Inputs, such as spikes or their counts.
    error : Tensor of shape (..., batch, post)
        Teacher less own activity of each unit.

    Returns
    -------
    Tensor of shape (..., post, pre)
        Zero where nothing fires or nothing is wrong; leading axes are networks side by side.

    Examples
    --------
    >>> delta_change(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5]]))
    tensor([[0.5000, 0.0000]])
    """
    return error.transpose(-1, -2) @ pre / pre.shape[-2]


def normalised_error(pre: Tensor, error: Tensor) -> Tensor:
    """Return ``error`` divided by the mean squared length of the inputs.

    With a learning rate of 1 and a batch of one, the error of that example becomes exactly 0.

    Parameters
    ----------
    pre : Tensor of shape (..., batch, pre)
    error : Tensor of shape (..., batch, post)

    Examples
    --------
    >>> x, w, target = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2), torch.tensor([[2.0]])
    >>> w = w + delta_change(x, normalised_error(x, target - x @ w.T))
    >>> x @ w.T
    tensor([[2.]])
    """
    length = pre.square().sum(-1).mean(-1)[..., None, None]
    return error / length.clamp_min(1e-12)


class NoState(NamedTuple):
    """The delta rule remembers nothing from step to step."""


@RULES.register("delta")
@dataclass(frozen=True, kw_only=True)
class DeltaRule(RuleObject):
    """The delta rule as an object for layers; weights are unbounded unless bounds are given.

    ``post`` are the errors of the units as signed graded events: teacher-forced spikes less own
    spikes. Bounds are hard.

    Examples
    --------
    >>> rule = DeltaRule(learning_rate=0.5)
    >>> change, _ = rule.window(torch.ones(1, 3, 2), torch.full((1, 3, 1), -1.0), None)
    >>> rule.applied(torch.zeros(1, 2), change)
    tensor([[-1.5000, -1.5000]])
    """

    kind: ClassVar[str] = "delta"
    w_min: float = -math.inf
    w_max: float = math.inf

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> NoState:
        """Return the empty state."""
        return NoState()

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: NoState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, NoState]:
        """Return the change of one step of inputs ``[batch, pre]`` and errors ``[batch, post]``."""
        check_spikes(pre, post, axes=2, dt=dt)
        return self._reduced(delta_change(pre, post), len(pre)), NoState()

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: NoState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, NoState]:
        """Return the sum of the changes of the steps of ``[batch, time, …]``."""
        batch = check_spikes(pre, post, axes=3, dt=dt).batch
        steps = delta_change(pre.flatten(0, 1), post.flatten(0, 1)) * pre.shape[1]
        return self._reduced(steps, batch), NoState()

    def _reduced(self, change: Tensor, batch: int) -> Tensor:
        return change * batch if self.reduction == "sum" else change
