r"""How the activity of the last block becomes an answer.

A head reads every tick with one linear layer, :math:`r_t = W y_t + b`, and then either answers at
every tick or pools the ticks into one answer:

``rate``
    the mean so far, :math:`p_t = p_{t-1} + (r_t - p_{t-1}) / t`; on the part of :math:`y` that is
    spikes this reads firing rates;
``membrane``
    the potential of a leaky integrator that never fires,
    :math:`p_t = r_t + (p_{t-1} - r_t)\, e^{-\Delta t / \tau}`, which listens more to late ticks.

References
----------
Neftci, E. O., Mostafa, H. & Zenke, F. (2019). Surrogate gradient learning in spiking neural
networks. IEEE Signal Processing Magazine 36 (both readouts).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import ConfigError

from .sizes import check_sizes
from .ticks import tick_lengths

__all__ = [
    "POOLINGS",
    "ClassificationHead",
    "ControlHead",
    "Head",
    "HeadState",
    "SequenceHead",
    "pool_step",
]

Pooling = Literal["rate", "membrane"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


class HeadState(NamedTuple):
    """What is pooled so far ``[batch, outputs]``, and from how many ticks ``[]``."""

    pooled: Tensor
    ticks: Tensor


def pool_step(
    reading: Float[Tensor, "batch outputs"],
    state: HeadState,
    pooling: str,
    dt: float | Tensor = 1.0,
    tau: float = 10.0,
) -> HeadState:
    """Pool one tick more.

    Parameters
    ----------
    reading : Tensor of shape (batch, outputs)
        The linear reading of this tick.
    state : HeadState
        As of the last tick.
    pooling : {"rate", "membrane"}
        The equation.
    dt : float or Tensor of shape (batch, 1)
        Length of the tick, ms.
    tau : float
        Time constant of the membrane, ms.

    Examples
    --------
    >>> state = HeadState(torch.zeros(1, 1), torch.tensor(0.0))
    >>> for value in (1.0, 2.0, 6.0):
    ...     state = pool_step(torch.tensor([[value]]), state, "rate")
    >>> float(state.pooled)
    3.0
    """
    ticks = state.ticks + 1.0
    if pooling == "rate":
        return HeadState(state.pooled + (reading - state.pooled) / ticks, ticks)
    decay = torch.exp(-dt / tau) if isinstance(dt, Tensor) else exp(-dt / tau)
    return HeadState(reading + (state.pooled - reading) * decay, ticks)


class Head(nn.Module):
    """Base of the heads.

    Parameters
    ----------
    units, outputs : int
        Width of the last block and of the answer.
    pooling : {"rate", "membrane"}
        How ticks become one answer.
    tau : float
        Time constant of ``"membrane"``, ms.

    Attributes
    ----------
    every_tick : bool
        Whether a sequence is answered at each of its ticks rather than once.
    """

    every_tick = False

    def __init__(
        self, units: int, outputs: int, *, pooling: str = "rate", tau: float = 10.0
    ) -> None:
        super().__init__()
        check_sizes(units=units, outputs=outputs)
        if pooling not in POOLINGS:
            raise ConfigError(
                "unknown pooling", got=repr(pooling), expected=f"one of {list(POOLINGS)}"
            )
        self.pooling, self.tau = pooling, tau
        self.readout = nn.Linear(units, outputs)

    def initial_state(self, like: Float[Tensor, "batch units"]) -> HeadState:
        """Return the state in which nothing is pooled."""
        return HeadState(
            like.new_zeros(like.shape[0], self.readout.out_features), like.new_zeros(())
        )

    def answer(self, reading: Float[Tensor, "*shape outputs"]) -> Float[Tensor, "*shape answers"]:
        """Turn readings into the head's kind of answer."""
        return reading

    def forward(
        self,
        activity: Float[Tensor, "batch time units"],
        state: HeadState,
        dt: float | Float[Tensor, "batch time"] = 1.0,
        *,
        every_tick: bool = False,
    ) -> tuple[Tensor, HeadState]:
        """Return the answer (``[batch, time, answers]`` if ``every_tick``, else one) and the state.

        Parameters
        ----------
        activity : Tensor of shape (batch, time, units)
            What the last block puts out.
        state : HeadState
            As of the last tick.
        dt : float or Tensor of shape (batch, time)
            Length of the ticks, ms.
        every_tick : bool
            Answer each tick from that tick alone, rather than once from all.
        """
        readings = self.readout(activity)
        if every_tick:
            return self.answer(readings), state
        if self.pooling == "rate":
            total = state.pooled * state.ticks + readings.sum(dim=1)
            ticks = state.ticks + readings.shape[1]
            state = HeadState(total / ticks, ticks)
        else:
            lengths = tick_lengths(dt, readings.shape[1])
            for reading, length in zip(readings.unbind(1), lengths, strict=True):
                state = pool_step(reading, state, self.pooling, length, self.tau)
        return self.answer(state.pooled), state


class ClassificationHead(Head):
    """One row of logits for the whole stretch of time.

    Examples
    --------
    >>> head = ClassificationHead(4, 3)
    >>> activity = torch.zeros(2, 5, 4)
    >>> logits, _ = head(activity, head.initial_state(activity[:, 0]))
    >>> logits.shape
    torch.Size([2, 3])
    """


class SequenceHead(Head):
    """Logits of what comes next, at every tick."""

    every_tick = True


class ControlHead(Head):
    r"""Actions: continuous within bounds, or one of several.

    A continuous action is :math:`l + (u - l)(1 + \tanh r)/2`. Observations that come as a sequence
    are acted upon at every tick.

    Parameters
    ----------
    units, actions : int
        Width of the last block; length of the action, or number of actions if ``discrete``.
    low, high : float or sequence of float
        Bounds of each action, finite, ``low < high``.
    discrete : bool
        Return logits, one an action, instead.

    Examples
    --------
    >>> head = ControlHead(4, 1, low=-2.0, high=2.0)
    >>> activity = 1e3 * torch.randn(8, 5, 4)
    >>> actions, _ = head(activity, head.initial_state(activity[:, 0]), every_tick=True)
    >>> actions.shape, bool((actions.abs() <= 2.0).all())
    (torch.Size([8, 5, 1]), True)
    """

    every_tick = True
    low: Tensor
    high: Tensor

    def __init__(
        self,
        units: int,
        actions: int,
        *,
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        discrete: bool = False,
        pooling: str = "rate",
        tau: float = 10.0,
    ) -> None:
        super().__init__(units, actions, pooling=pooling, tau=tau)
        self.discrete = discrete
        ends = [check_ends(name, end, actions) for name, end in (("low", low), ("high", high))]
        if any(a >= b for a, b in zip(*ends, strict=True)):
            raise ConfigError(
                "the bounds of an action are empty",
                got=f"low={low!r}, high={high!r}",
                expected="low < high",
            )
        for name, end in zip(("low", "high"), ends, strict=True):
            self.register_buffer(name, torch.tensor(end), persistent=False)

    def answer(self, reading: Float[Tensor, "*shape outputs"]) -> Float[Tensor, "*shape answers"]:
        """Return actions within the bounds, or logits."""
        if self.discrete:
            return reading
        # lerp, and not low + span * share: at the ends it rounds to the bound itself.
        return torch.lerp(self.low, self.high, 0.5 + 0.5 * torch.tanh(reading))


def check_ends(name: str, end: float | Sequence[float], actions: int) -> list[float]:
    """Return one finite bound an action.

    Raises
    ------
    ConfigError
        If there are more or fewer than one, or one an action, or one is not finite.
    """
    several = isinstance(end, Sequence) and not isinstance(end, str)
    try:
        ends = [float(value) for value in end] if several else [float(end)] * actions  # type: ignore
    except (TypeError, ValueError, OverflowError):
        ends = []  # not numbers
    if len(ends) != actions or not all(isfinite(value) for value in ends):
        raise ConfigError(
            f"{name} does not bound the actions",
            got=repr(end),
            expected=f"one finite number, or {actions} of them",
        )
    return ends
