r"""How a still input becomes a stretch of time.

``direct``
    The values themselves at every tick, as a constant current; the first layer makes the spikes.
``rate``
    Values in [0, 1] are the probability of a spike at each tick, drawn independently (Bernoulli).
``even``
    The same rate without chance: tick :math:`t` spikes if
    :math:`\lfloor x (t+1) + \tfrac12 \rfloor > \lfloor x t + \tfrac12 \rfloor`, which makes
    :math:`\operatorname{round}(x\,T)` spikes in :math:`T` ticks, evenly spaced.
``latency``
    One spike each, the sooner the larger the value: at tick
    :math:`\operatorname{round}((T - 1)(1 - x))`; a value of 0 never spikes.

References
----------
Eshraghian, J. K. et al. (2023). Training spiking neural networks using lessons from deep learning.
Proceedings of the IEEE 111, sec. III (rate, latency and direct coding).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import CheckpointError, ConfigError, Registry, make_generator, spawn_seed

from .sizes import check_sizes

__all__ = [
    "ENCODERS",
    "DirectEncoder",
    "Encoder",
    "EvenEncoder",
    "LatencyEncoder",
    "RateEncoder",
    "bernoulli_spikes",
    "even_spikes",
    "latency_spikes",
]


def bernoulli_spikes(
    x: Float[Tensor, "batch inputs"], steps: int, generator: torch.Generator
) -> Float[Tensor, "batch time inputs"]:
    """Return spikes drawn at every tick with probability ``x``.

    The numbers are drawn on the generator's device, so that a seed means the same on every one.

    Examples
    --------
    >>> spikes = bernoulli_spikes(torch.tensor([[0.0, 1.0]]), 3, make_generator(0))
    >>> spikes.tolist()
    [[[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]]
    """
    chance = torch.rand(
        x.shape[0], steps, x.shape[1], generator=generator, device=generator.device, dtype=x.dtype
    )
    return (chance.to(x.device) < x.unsqueeze(1)).to(x.dtype)


def even_spikes(x: Float[Tensor, "batch inputs"], steps: int) -> Float[Tensor, "batch time inputs"]:
    """Return ``round(x * steps)`` spikes per input, evenly spaced.

    Examples
    --------
    >>> even_spikes(torch.tensor([[0.25, 0.5]]), 8)[0].T.tolist()
    [[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]]
    """
    ticks = torch.arange(steps + 1, dtype=x.dtype, device=x.device).unsqueeze(-1)
    counted = torch.floor(x.unsqueeze(1) * ticks + 0.5)
    return counted[:, 1:] - counted[:, :-1]


def latency_spikes(
    x: Float[Tensor, "batch inputs"], steps: int
) -> Float[Tensor, "batch time inputs"]:
    """Return one spike per input, at tick ``round((steps - 1) * (1 - x))``; none for 0.

    Examples
    --------
    >>> latency_spikes(torch.tensor([[1.0, 0.5, 0.0]]), 5)[0].T.tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    ticks = torch.arange(steps, dtype=x.dtype, device=x.device).unsqueeze(-1)
    due = torch.round((steps - 1) * (1.0 - x)).unsqueeze(1)
    return ((ticks == due) & (x.unsqueeze(1) > 0)).to(x.dtype)


class Encoder(nn.Module):
    """Base of the encoders: ``[batch, inputs]`` becomes ``[batch, steps, inputs]``.

    Attributes
    ----------
    in_unit_interval : bool
        Whether values outside [0, 1] mean nothing to the code.
    """

    in_unit_interval = True

    def __init__(self, steps: int, seed: int = 0) -> None:
        super().__init__()
        check_sizes(steps=steps)
        self.steps, self.seed = steps, seed

    def extra_repr(self) -> str:
        """Show the number of ticks."""
        return f"steps={self.steps}"


class DirectEncoder(Encoder):
    """The values themselves at every tick, as a constant current; any real numbers.

    Examples
    --------
    >>> DirectEncoder(3)(torch.tensor([[0.5, -2.0]])).tolist()
    [[[0.5, -2.0], [0.5, -2.0], [0.5, -2.0]]]
    """

    in_unit_interval = False

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch time inputs"]:
        """Return the input, once a tick."""
        return x.unsqueeze(1).expand(-1, self.steps, -1)


class EvenEncoder(Encoder):
    """Evenly spaced spikes whose rate is the value; see :func:`even_spikes`."""

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch time inputs"]:
        """Return the spikes."""
        return even_spikes(x, self.steps)


class LatencyEncoder(Encoder):
    """One spike each, the sooner the larger the value; see :func:`latency_spikes`."""

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch time inputs"]:
        """Return the spikes."""
        return latency_spikes(x, self.steps)


class RateEncoder(Encoder):
    """Random spikes whose probability is the value, in training; evenly spaced ones otherwise.

    As with dropout, chance belongs to training: a trained network answers the same question the
    same way. Every draw has a seed of its own, derived from ``seed`` and the number of draws so
    far, and both are part of the ``state_dict``: training that is resumed sees the spikes that it
    would have seen.

    Examples
    --------
    >>> encoder, x = RateEncoder(100), torch.full((1, 2), 0.3)
    >>> bool(torch.equal(encoder(x), encoder(x))), int(encoder.eval()(x)[0, :, 0].sum())
    (False, 30)
    """

    def __init__(self, steps: int, seed: int = 0) -> None:
        super().__init__(steps, seed)
        self.draws = 0

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch time inputs"]:
        """Return the spikes."""
        if not self.training:
            return even_spikes(x, self.steps)
        generator = make_generator(spawn_seed(self.seed, self.draws))
        self.draws += 1
        return bernoulli_spikes(x, self.steps, generator)

    def get_extra_state(self) -> Tensor:
        """Return the seed and the number of draws so far."""
        return torch.tensor([self.seed, self.draws])

    def set_extra_state(self, state: Any) -> None:
        """Put back the seed and the number of draws.

        Raises
        ------
        CheckpointError
            If they are not two whole numbers >= 0.
        """
        numbers = torch.as_tensor(state)
        if numbers.shape != (2,) or numbers.is_floating_point() or bool((numbers < 0).any()):
            raise CheckpointError(
                "the state of the rate encoder is not usable",
                got=repr(state),
                expected="two whole numbers >= 0, its seed and its number of draws",
            )
        self.seed, self.draws = int(numbers[0]), int(numbers[1])


ENCODERS: Registry[type[Encoder]] = Registry("encoder", "plasticish.encoders")
"""Encoders by the name that a configuration gives them."""
ENCODERS.add("direct", DirectEncoder)
ENCODERS.add("rate", RateEncoder)
ENCODERS.add("even", EvenEncoder)
ENCODERS.add("latency", LatencyEncoder)


def build_encoder(name: str, steps: int, seed: int) -> Encoder:
    """Return a new encoder by its name.

    Raises
    ------
    ConfigError
        If the name is unknown or ``steps`` is no whole number in range.
    """
    if not isinstance(name, str):
        raise ConfigError("unknown encoder", got=repr(name), expected=f"one of {list(ENCODERS)}")
    return ENCODERS[name](steps, seed)
