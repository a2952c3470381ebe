r"""Leaky integrate-and-fire neurons of which only the few most excited may spike in a step.

.. math:: v_t = e^{-1/\tau} v_{t-1} + I_t - \bar I_t, \qquad
          s_{t} = [v_t > \theta \text{ and among the } k \text{ largest } v_t - \theta]

:math:`\bar I` is the mean drive of the layer, taken off by feed-forward inhibition, so that neurons
with positive weights answer to what distinguishes them; a spike resets its neuron to 0.

References
----------
Maass, W. (2000). On the computational power of winner-take-all. Neural Computation 12.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["winner_spikes"]


def winner_spikes(
    drive: Float[Tensor, "batch time units"],
    thresholds: Float[Tensor, " units"],
    winners: int,
    tau: float = 10.0,
) -> Float[Tensor, "batch time units"]:
    """Return the spikes of a layer, at most ``winners`` a step, starting from rest.

    Parameters
    ----------
    drive : Tensor of shape (batch, time, units)
        Input current of each step.
    thresholds : Tensor of shape (units,)
        Potential above which a unit may spike.
    winners : int
        The most spikes of a step.
    tau : float
        Time constant of the membrane, in steps.

    Examples
    --------
    >>> drive = torch.tensor([[[1.0, 0.0, -1.0]] * 3])
    >>> winner_spikes(drive, torch.full((3,), 0.5), winners=1)[0].sum(0)
    tensor([3., 0., 0.])
    """
    drive = drive - drive.mean(2, keepdim=True)
    decay = math.exp(-1.0 / tau)
    potential = torch.zeros_like(drive[:, 0])
    spikes = torch.zeros_like(drive)
    for step in range(drive.shape[1]):
        potential = decay * potential + drive[:, step]
        lead = potential - thresholds
        best = lead.topk(winners, dim=1)
        fired = spikes[:, step].scatter_(1, best.indices, (best.values > 0).to(drive.dtype))
        potential = potential * (1.0 - fired)
    return spikes
