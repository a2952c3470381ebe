"""The liquid spiking network: encoder, hybrid blocks, head.

A plain torch model. Its state is explicit: :meth:`LiquidSpikingNetwork.run` takes one and returns
the next, and nothing is remembered between calls of :meth:`~LiquidSpikingNetwork.forward`, so
per-example gradients by ``torch.func`` work on it, whatever order examples come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from plasticish.core import make_generator, spawn_seed

from .encoders import build_encoder
from .heads import ClassificationHead, ControlHead, Head, HeadState, SequenceHead
from .hybrid import BlockState, HybridBlock
from .network_config import LiquidSpikingConfig
from .network_input import check_network_input, check_timespans

__all__ = ["LiquidSpikingNetwork", "NetworkState"]

SYNAPSE_GAIN = 3.0
"""Standard deviation of the synapses' weights at birth, times the root of their fan-in.

The liquid state is about 0.3 in size at birth. With the usual third of a unit no neuron would ever
reach threshold, and where none fires neither gradient nor local rule has much to work on."""


class NetworkState(NamedTuple):
    """Where a network is in a stream: its blocks, and what the head has pooled."""

    blocks: tuple[BlockState, ...]
    head: HeadState


class LiquidSpikingNetwork(nn.Module):
    """Closed-form continuous-time cells and spiking neurons, from input to answer.

    Parameters
    ----------
    config : LiquidSpikingConfig or mapping
        What the network is made of.

    Raises
    ------
    ConfigError, DTypeError
        If the configuration is not usable.

    Notes
    -----
    A still input ``[batch, inputs]`` is shown for ``config.steps`` ticks through the encoder and
    answered once. A sequence ``[batch, time, inputs]`` is taken as it is, one tick a step: as
    currents, or as spikes if it holds those. Which sequences are answered at every tick is up to
    the head: for prediction and control they are, for classification not.

    Examples
    --------
    >>> network = LiquidSpikingNetwork(LiquidSpikingConfig.vision(inputs=64, classes=10))
    >>> network(torch.rand(5, 64)).shape
    torch.Size([5, 10])
    >>> network = LiquidSpikingNetwork({"inputs": 3, "outputs": 1, "task": "control"})
    >>> network(torch.randn(5, 20, 3), timespans=torch.rand(5, 20)).shape
    torch.Size([5, 20, 1])
    """

    def __init__(self, config: LiquidSpikingConfig | Mapping[str, Any]) -> None:
        if not isinstance(config, LiquidSpikingConfig):
            config = LiquidSpikingConfig.from_dict(config)
        super().__init__()
        self.config = config
        # Modules draw weights as they are made; the caller's randomness is not ours to spend.
        with torch.random.fork_rng(devices=[]):
            self.encoder = build_encoder(config.encoder, config.steps, spawn_seed(config.seed, 1))
            self.embed: nn.Module = (nn.Embedding if config.tokens else nn.Linear)(
                config.inputs, config.units
            )
            self.hybrid_blocks = nn.ModuleList(
                HybridBlock(
                    config.units,
                    config.neurons,
                    mode=config.mode,
                    backbone_units=config.backbone_units,
                    backbone_layers=config.backbone_layers,
                    dt=config.dt,
                )
                for _ in range(config.blocks)
            )
            self.head = _build_head(config)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all weights anew from the configuration's seed."""
        generator = make_generator(spawn_seed(self.config.seed, 0))
        for name, module in self.named_modules():
            if isinstance(module, nn.Embedding):
                _fill(module.weight, 1.0, generator)
            elif isinstance(module, nn.Linear):
                gain = SYNAPSE_GAIN if name.endswith("synapse") else 1.0
                _fill(module.weight, gain / module.in_features**0.5, generator)
                if module.bias is not None:
                    module.bias.zero_()

    def initial_state(self, batch: int) -> NetworkState:
        """Return the state at rest for ``batch`` streams, of the network's type and device."""
        blocks = cast("list[HybridBlock]", list(self.hybrid_blocks))
        like = self.head.readout.weight.new_zeros(batch, self.config.units)
        return NetworkState(
            tuple(block.initial_state(like) for block in blocks), self.head.initial_state(like)
        )

    def forward(self, x: Tensor, timespans: Tensor | None = None) -> Tensor:
        """Answer a batch, each example from rest.

        Parameters
        ----------
        x : Tensor
            Still inputs ``[batch, inputs]``, sequences ``[batch, time, inputs]``, or tokens
            ``[batch, time]``.
        timespans : Tensor of shape (batch, time), optional
            Time before each observation of a sequence, in ticks, > 0; 1 if left out.

        Returns
        -------
        Tensor
            Logits or actions: ``[batch, outputs]`` for a still input or a classification,
            ``[batch, time, outputs]`` otherwise.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Wrong axes or width; not the network's type; NaN, infinity, an empty batch, values that
            the encoder cannot code, or a time that does not pass.
        """
        return self.run(x, timespans=timespans)[0]

    def run(
        self, x: Tensor, state: NetworkState | None = None, timespans: Tensor | None = None
    ) -> tuple[Tensor, NetworkState]:
        """Answer as :meth:`forward` does, from ``state`` on, and return the next state.

        Examples
        --------
        >>> network = LiquidSpikingNetwork(LiquidSpikingConfig.language(vocabulary=5))
        >>> text = torch.tensor([[1, 4, 2, 2, 0, 3]])
        >>> first, state = network.run(text[:, :4])
        >>> rest, _ = network.run(text[:, 4:], state)
        >>> torch.testing.assert_close(torch.cat([first, rest], dim=1), network(text))
        """
        check_network_input(x, self.config, self.head.readout.weight)
        still = not self.config.tokens and x.ndim == 2
        if timespans is not None:
            check_timespans(timespans, x, still)
        return self._advance(
            self.encoder(x) if still else x,
            self.initial_state(x.shape[0]) if state is None else state,
            timespans,
            every_tick=self.head.every_tick and not still,
        )

    def step(
        self, x: Tensor, state: NetworkState | None = None, timespan: Tensor | None = None
    ) -> tuple[Tensor, NetworkState]:
        """Advance by one tick of a sequence; the answer is what :meth:`forward` gives up to here.

        Parameters
        ----------
        x : Tensor of shape (batch, inputs), or (batch,) of tokens
            One tick, not encoded.
        state : NetworkState, optional
            As of the last tick; at rest if left out.
        timespan : Tensor of shape (batch,), optional
            Time since the last tick, in ticks; 1 if left out.

        Returns
        -------
        answer : Tensor of shape (batch, outputs)
        state : NetworkState
        """
        span = None if timespan is None else timespan.unsqueeze(1)
        answer, state = self.run(x.unsqueeze(1), state, span)
        return (answer[:, 0] if self.head.every_tick else answer), state

    def _advance(
        self, ticks: Tensor, state: NetworkState, timespans: Tensor | None, *, every_tick: bool
    ) -> tuple[Tensor, NetworkState]:
        activity = self.embed(ticks)
        blocks = []
        for block, before in zip(self.hybrid_blocks, state.blocks, strict=True):
            activity, after = block(activity, before, timespans)
            blocks.append(after)
        dt = self.config.dt if timespans is None else timespans * self.config.dt
        answer, head = self.head(activity, state.head, dt, every_tick=every_tick)
        return answer, NetworkState(tuple(blocks), head)

    def extra_repr(self) -> str:
        """Show the task."""
        return f"task={self.config.task!r}"


def _fill(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    # Drawn on the CPU, so that a seed means the same weights on every device.
    weight.copy_(deviation * torch.randn(weight.shape, generator=generator))


def _build_head(config: LiquidSpikingConfig) -> Head:
    pooled: dict[str, Any] = {"pooling": config.pooling, "tau": config.tau_readout}
    if config.task == "control":
        return ControlHead(
            config.units,
            config.outputs,
            low=config.low,
            high=config.high,
            discrete=config.discrete,
            **pooled,
        )
    kind = ClassificationHead if config.task == "classification" else SequenceHead
    return kind(config.units, config.outputs, **pooled)
