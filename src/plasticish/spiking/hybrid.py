r"""A hybrid block: liquid cells beside the spiking neurons that they drive.

.. math:: h = \mathrm{CfC}(\mathrm{norm}(x)), \quad s = \mathrm{LIF}(W h + b), \quad
          y = x + h + s

The liquid state carries graded memory of irregular time and gives gradients a smooth way through;
the spikes add events, sparse and all-or-none, on which local rules can work: ``synapse`` is the
layer whose presynaptic side is the liquid state and whose postsynaptic side are those spikes. The
residual path keeps a stack of blocks trainable.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from .cfc import CfC
from .neurons import LIF, LIFParameters, LIFState

__all__ = ["BlockState", "HybridBlock"]


class BlockState(NamedTuple):
    """State of the liquid cells ``[batch, units]`` and of the spiking neurons."""

    liquid: Tensor
    neurons: LIFState


class HybridBlock(nn.Module):
    """Closed-form continuous-time cells that drive leaky integrate-and-fire neurons.

    Parameters
    ----------
    units : int
        Width of input, liquid state, spikes and output.
    neurons : LIFParameters, optional
        Constants of the spiking neurons.
    mode, backbone_units, backbone_layers
        As of :class:`~plasticish.spiking.cfc.CfC`.
    dt : float
        Length of one tick for the spiking neurons, ms.

    Attributes
    ----------
    postsynaptic : dict of str to str
        Which child's spikes are the postsynaptic side of which linear child; see
        :mod:`plasticish.spiking.integration`.

    Examples
    --------
    >>> import torch
    >>> block = HybridBlock(8)
    >>> y, state = block(torch.randn(2, 5, 8))
    >>> y.shape
    torch.Size([2, 5, 8])
    """

    postsynaptic = {"synapse": "neurons"}  # noqa: RUF012 - part of the class, never changed

    def __init__(
        self,
        units: int,
        neurons: LIFParameters | None = None,
        *,
        mode: str = "default",
        backbone_units: int = 64,
        backbone_layers: int = 1,
        dt: float = 1.0,
    ) -> None:
        super().__init__()
        self.dt = dt
        self.norm = nn.LayerNorm(units)
        self.liquid = CfC(
            units,
            units,
            mode=mode,
            backbone_units=backbone_units,
            backbone_layers=backbone_layers,
        )
        self.synapse = nn.Linear(units, units)
        self.neurons = LIF(neurons)

    def initial_state(self, like: Float[Tensor, "batch units"]) -> BlockState:
        """Return the state at rest."""
        return BlockState(self.liquid.initial_state(like), self.neurons.initial_state(like))

    def forward(
        self,
        x: Float[Tensor, "batch time units"],
        state: BlockState | None = None,
        timespans: Float[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time units"], BlockState]:
        """Return the output of a whole sequence and the state at its end.

        Parameters
        ----------
        x : Tensor of shape (batch, time, units)
            Input.
        state : BlockState, optional
            Where an earlier sequence ended; at rest if left out.
        timespans : Tensor of shape (batch, time), optional
            Length of each step in ticks; 1 if left out.
        """
        state = self.initial_state(x[:, 0]) if state is None else state
        dt = self.dt if timespans is None else timespans * self.dt
        liquid, last = self.liquid(self.norm(x), state.liquid, timespans)
        spikes, neurons = self.neurons(self.synapse(liquid), state.neurons, dt)
        return x + liquid + spikes, BlockState(last, neurons)
