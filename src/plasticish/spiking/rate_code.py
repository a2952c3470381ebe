r"""Numbers as spike trains whose rate says how far above its usual each number is.

.. math:: r = \mathrm{logistic}\Big(g\,\frac{x - \bar x}{s + 0.3\,\bar s}\Big), \qquad
          \text{spike in step } t \iff \lfloor r t + \phi\rfloor > \lfloor r(t - 1) + \phi\rfloor

with the running mean and deviation of each feature. Trains are regular, so the count of spikes is
exact to one and nothing is drawn; the phase :math:`\phi` of each feature keeps them apart. A part
of the mean deviation :math:`\bar s` is added, so that a feature that never varied stays quiet
about its rounding errors.
"""

from __future__ import annotations

import torch
from jaxtyping import Float32
from torch import Tensor

from plasticish.core import State, make_generator

__all__ = ["RateCode"]

GAIN = 1.5
FLOOR = 0.3


class RateCode:
    """A deterministic rate code that keeps the mean and deviation of what it was shown.

    Parameters
    ----------
    width : int
        Number of features.
    steps : int
        Length of the trains.
    seed : int
        Of the phases.

    Examples
    --------
    >>> code = RateCode(width=2, steps=20, seed=0)
    >>> code.note(torch.tensor([[0.0, 0.0], [1.0, 2.0]]))
    >>> [int(count) for count in code.spikes(torch.tensor([[9.0, -9.0]])).sum(1)[0]]
    [20, 0]
    """

    def __init__(self, width: int, steps: int, seed: int) -> None:
        self.steps = steps
        self.phases = torch.rand(width, generator=make_generator(seed))
        self.count = 0
        self.mean = torch.zeros(width, dtype=torch.float64)
        self.scatter = torch.zeros(width, dtype=torch.float64)

    def note(self, x: Float32[Tensor, "batch width"]) -> None:
        """Take a batch into the running moments (Chan, Golub & LeVeque 1979)."""
        rows = x.double()
        mean, total = rows.mean(0), self.count + len(rows)
        gap = mean - self.mean
        self.scatter = (
            self.scatter
            + (rows - mean).square().sum(0)
            + gap.square() * (self.count * len(rows) / total)
        )
        self.mean = self.mean + gap * (len(rows) / total)
        self.count = total

    def rates(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "batch width"]:
        """Return the rate of each feature, the share of steps with a spike, in [0, 1]."""
        deviation = (self.scatter / max(self.count, 1)).sqrt()
        scale = deviation + FLOOR * deviation.mean() + 1e-12
        return torch.sigmoid(GAIN * (x.double() - self.mean) / scale).float()

    def spikes(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "batch time width"]:
        """Return the trains."""
        ticks = torch.arange(self.steps + 1, dtype=torch.float32)
        counts = torch.floor(self.rates(x)[:, None] * ticks[None, :, None] + self.phases)
        return counts[:, 1:] - counts[:, :-1]

    def export_state(self) -> State:
        """Return the moments."""
        return State({"count": self.count}, {"mean": self.mean, "scatter": self.scatter})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        self.count = int(state.values["count"])
        self.mean = state.tensors["mean"].clone()
        self.scatter = state.tensors["scatter"].clone()
