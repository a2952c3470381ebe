r"""Leaky integrate-and-fire neurons.

.. math:: \tau \frac{dv}{dt} = -v + I(t), \qquad v > \vartheta \Rightarrow \text{spike}

with rest at 0 and the membrane resistance taken into the current :math:`I`. A current that is
constant over a step is integrated exactly,

.. math:: v(t + \Delta t) = I + (v(t) - I)\, e^{-\Delta t / \tau}

so between spikes the potential does not depend on the size of the step. A spike ends the step in
which threshold is crossed, and the potential is then reduced by :math:`\vartheta` (which keeps the
overshoot) or set to 0. For ``refractory`` milliseconds after it the neuron does not integrate; a
step in which that time ends counts for the rest of it. Under a constant current
:math:`I > \vartheta` the interval between spikes (reset to 0) is the textbook's, rounded up to
whole steps:

.. math:: T = t_{ref} + \tau \ln \frac{I}{I - \vartheta}

References
----------
Gerstner, W., Kistler, W. M., Naud, R. & Paninski, L. (2014). Neuronal Dynamics, ch. 1.
Neftci, E. O., Mostafa, H. & Zenke, F. (2019). Surrogate gradient learning in spiking neural
networks. IEEE Signal Processing Magazine 36.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, isfinite
from numbers import Real
from typing import Any, Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import ConfigError, check_positive

from .sizes import check_known
from .surrogate import SURROGATES, fire
from .ticks import tick_lengths

__all__ = ["LIF", "LIFParameters", "LIFState", "lif_sequence", "lif_step"]

Reset = Literal["subtract", "zero"]


@dataclass(frozen=True, kw_only=True)
class LIFParameters:
    """Constants of a population of equal neurons.

    Attributes
    ----------
    tau_membrane : float
        Time constant of the membrane, ms, > 0. The default is that of a neuron in a busy network,
        whose conductance is high (Destexhe, Rudolph & Paré 2003, Nature Reviews Neuroscience 4).
    threshold : float
        Potential above which a neuron fires, > 0; the unit of potential and current.
    reset : {"subtract", "zero"}
        What a spike does to the potential.
    refractory : float
        Time after a spike without integration, ms, >= 0.
    surrogate : str
        A name of :data:`~plasticish.spiking.surrogate.SURROGATES`.
    slope : float
        Steepness of the surrogate, > 0, per unit of threshold.

    Raises
    ------
    ConfigError
        If a value is outside its range; the message names the field.

    Examples
    --------
    >>> LIFParameters(tau_membrane=20.0).reset
    'subtract'
    >>> LIFParameters(tau_membrane=0.0)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: tau_membrane is out of range: got 0.0, expected a number > 0
    """

    tau_membrane: float = 5.0
    threshold: float = 1.0
    reset: str = "subtract"
    refractory: float = 0.0
    surrogate: str = "fast_sigmoid"
    slope: float = 10.0

    def __post_init__(self) -> None:
        check_positive(tau_membrane=self.tau_membrane, threshold=self.threshold, slope=self.slope)
        if self.reset not in get_args(Reset):
            raise ConfigError(
                "unknown reset", got=repr(self.reset), expected="'subtract' or 'zero'"
            )
        number = isinstance(self.refractory, Real)
        if not number or not isfinite(self.refractory) or self.refractory < 0:
            raise ConfigError(
                "refractory is out of range",
                got=repr(self.refractory),
                expected="a finite number >= 0",
            )
        SURROGATES[self.surrogate]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LIFParameters:
        """Return the constants that ``dataclasses.asdict`` described.

        Raises
        ------
        ConfigError
            If a field is unknown or out of range.
        """
        check_known("the neurons' constants", values, cls)
        return cls(**values)


class LIFState(NamedTuple):
    """Potential and remaining refractory time (ms) of every neuron, as of the last step."""

    potential: Tensor
    refractory: Tensor


def lif_step(
    current: Float[Tensor, "*batch neurons"],
    state: LIFState,
    parameters: LIFParameters,
    dt: float | Tensor = 1.0,
) -> tuple[Float[Tensor, "*batch neurons"], LIFState]:
    """Advance the neurons by one step and return their spikes and state.

    Parameters
    ----------
    current : Tensor of shape (*batch, neurons)
        Input, constant over the step, in units of the threshold.
    state : LIFState
        Where the last step ended.
    parameters : LIFParameters
        Constants.
    dt : float or Tensor broadcastable to ``current``
        Length of the step, ms, >= 0.

    Examples
    --------
    A potential that starts at 0 under a current of 0.9 reaches ``0.9 * (1 - exp(-dt / tau))``.

    >>> start = LIFState(torch.zeros(1, 1), torch.zeros(1, 1))
    >>> spikes, state = lif_step(torch.full((1, 1), 0.9), start, LIFParameters(), dt=5.0)
    >>> float(spikes), round(float(state.potential), 4)
    (0.0, 0.5689)
    """
    tau, remaining = parameters.tau_membrane, state.refractory
    if parameters.refractory:
        awake = (dt - remaining).clamp(min=0.0)
        decay: float | Tensor = torch.exp(-awake / tau)
    else:
        decay = torch.exp(-dt / tau) if isinstance(dt, Tensor) else exp(-dt / tau)
    potential = current + (state.potential - current) * decay
    spikes = fire(potential / parameters.threshold - 1.0, parameters.surrogate, parameters.slope)
    # No gradient through the reset: it would say that a neuron fires less by firing (Zenke &
    # Vogels 2021, Neural Computation 33, find that it harms).
    fired = spikes.detach()
    if parameters.reset == "subtract":
        potential = potential - fired * parameters.threshold
    else:
        potential = potential * (1.0 - fired)
    if parameters.refractory:
        rest = (remaining - dt).clamp(min=0.0)
        remaining = torch.where(fired > 0, torch.full_like(rest, parameters.refractory), rest)
    return spikes, LIFState(potential, remaining)


def lif_sequence(
    currents: Float[Tensor, "batch time neurons"],
    state: LIFState,
    parameters: LIFParameters,
    dt: float | Float[Tensor, "batch time"] = 1.0,
) -> tuple[Float[Tensor, "batch time neurons"], LIFState]:
    """Advance the neurons through a whole sequence; the same as one step after another.

    Examples
    --------
    >>> start = LIFState(torch.zeros(1, 1), torch.zeros(1, 1))
    >>> spikes, _ = lif_sequence(torch.full((1, 8, 1), 1.5), start, LIFParameters(reset="zero"))
    >>> spikes.flatten().tolist()  # the interval is 5 * ln(3) = 5.5 ms
    [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    """
    trains = []
    lengths = tick_lengths(dt, currents.shape[1])
    for current, length in zip(currents.unbind(1), lengths, strict=True):
        spikes, state = lif_step(current, state, parameters, length)
        trains.append(spikes)
    return torch.stack(trains, dim=1), state


class LIF(nn.Module):
    """A population of leaky integrate-and-fire neurons: currents in, spikes out.

    The module holds constants alone; the state is handed in and out.

    Parameters
    ----------
    parameters : LIFParameters
        Constants of the neurons.

    Examples
    --------
    >>> neurons = LIF()
    >>> spikes, state = neurons(torch.full((2, 10, 3), 2.0))
    >>> spikes.shape, spikes.unique().tolist()
    (torch.Size([2, 10, 3]), [0.0, 1.0])
    """

    def __init__(self, parameters: LIFParameters | None = None) -> None:
        super().__init__()
        self.constants = parameters or LIFParameters()

    def initial_state(self, like: Float[Tensor, "*batch neurons"]) -> LIFState:
        """Return neurons at rest, of the shape, type and device of ``like``."""
        return LIFState(torch.zeros_like(like), torch.zeros_like(like))

    def forward(
        self,
        currents: Float[Tensor, "batch time neurons"],
        state: LIFState | None = None,
        dt: float | Float[Tensor, "batch time"] = 1.0,
    ) -> tuple[Float[Tensor, "batch time neurons"], LIFState]:
        """Return the spikes of a whole sequence and the state at its end."""
        state = self.initial_state(currents[:, 0]) if state is None else state
        return lif_sequence(currents, state, self.constants, dt)

    def extra_repr(self) -> str:
        """Show the constants."""
        return repr(self.constants)
