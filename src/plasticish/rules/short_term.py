r"""Short-term plasticity: a synapse that tires, and one that warms up (Tsodyks & Markram).

Each presynaptic spike releases the share :math:`u` of the resources :math:`x` that are left:

.. math::
    \dot u = -\frac{u}{\tau_{fac}} + U\,(1 - u)\,\delta(t - t_k), \qquad
    \dot x = \frac{1 - x}{\tau_{rec}} - u\,x\,\delta(t - t_k)

At a spike :math:`u` jumps first and the release is :math:`u^+ x^-`, as in Markram, Wang &
Tsodyks; the other order (Tsodyks & Markram 1997 as some simulators have it) releases nothing at
the first spike of a facilitating synapse. Between spikes both variables relax in closed form, so
that the result for given spike times does not depend on the step.

References
----------
Tsodyks, M. V. & Markram, H. (1997). The neural code between neocortical pyramidal neurons depends
on neurotransmitter release probability. PNAS 94.
Markram, H., Wang, Y. & Tsodyks, M. (1998). Differential signaling via the same axon of
neocortical pyramidal neurons. PNAS 95.
Mongillo, G., Barak, O. & Tsodyks, M. (2008). Synaptic theory of working memory. Science 319.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .checks import check_events, check_like

__all__ = [
    "ShortTermParameters",
    "ShortTermState",
    "SteadyState",
    "short_term_state",
    "short_term_step",
    "short_term_window",
    "steady_state",
]


@dataclass(frozen=True, kw_only=True)
class ShortTermParameters:
    """How much a spike releases, and how fast the synapse recovers and calms down.

    Attributes
    ----------
    U : float
        Share of the resources that the first spike releases, in (0, 1].
    tau_rec : float
        Recovery of the resources in ms, >= 0; 0 recovers at once (no depression).
    tau_fac : float
        Decay of the facilitation in ms, >= 0; 0 forgets it at once (no facilitation).

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> ShortTermParameters.facilitating().tau_fac
    530.0
    """

    U: float = 0.5
    tau_rec: float = 800.0
    tau_fac: float = 0.0

    def __post_init__(self) -> None:
        check_positive(U=self.U)
        if self.U > 1:
            raise ConfigError("U is out of range", got=repr(self.U), expected="0 < U <= 1")
        for name, value in (("tau_rec", self.tau_rec), ("tau_fac", self.tau_fac)):
            if not (isfinite(value) and value >= 0):
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected="a finite number >= 0"
                )

    @classmethod
    def depressing(cls) -> ShortTermParameters:
        """Return a synapse between pyramidal cells (Tsodyks & Markram 1997)."""
        return cls(U=0.5, tau_rec=800.0, tau_fac=0.0)

    @classmethod
    def facilitating(cls) -> ShortTermParameters:
        """Return a synapse onto a bitufted interneuron (Markram, Wang & Tsodyks 1998)."""
        return cls(U=0.03, tau_rec=130.0, tau_fac=530.0)

    @classmethod
    def working_memory(cls) -> ShortTermParameters:
        """Return a synapse that holds for a second what it carried (Mongillo et al. 2008)."""
        return cls(U=0.2, tau_rec=200.0, tau_fac=1500.0)


class ShortTermState(NamedTuple):
    """Utilisation and resources of every synapse, each in [0, 1], as of the end of the last step.

    Attributes
    ----------
    u : Tensor of shape (..., pre)
        What is left of the facilitation; 0 at rest.
    x : Tensor of shape (..., pre)
        Share of the resources at hand; 1 at rest.
    """

    u: Tensor
    x: Tensor


class SteadyState(NamedTuple):
    """What a regular train settles on, at a spike: ``u`` after its jump, ``x`` before release."""

    u: float
    x: float

    @property
    def release(self) -> float:
        """Share of all resources that every spike releases."""
        return self.u * self.x


def short_term_state(
    batch: int,
    pre: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> ShortTermState:
    """Return synapses at rest, ``[batch, pre]``."""
    rest = torch.zeros(batch, pre, dtype=dtype, device=device)
    return ShortTermState(rest, torch.ones_like(rest))


def short_term_step(
    pre: Tensor,
    state: ShortTermState | None,
    parameters: ShortTermParameters,
    *,
    dt: float = 1.0,
) -> tuple[Float[Tensor, "batch pre"], ShortTermState]:
    """Let ``dt`` pass, then let the spikes of this step release.

    Parameters
    ----------
    pre : Tensor of shape (batch, pre)
        Spikes: 0, 1, or a share between (the expectation over that many spikes).
    state : ShortTermState or None
        What the last step returned; None for synapses at rest.
    parameters : ShortTermParameters
        Of all synapses.
    dt : float
        Length of the step in ms, > 0.

    Returns
    -------
    release : Tensor of shape (batch, pre)
        ``u * x`` where there was a spike, 0 elsewhere: the efficacy that multiplies the weight.
    state : ShortTermState
        As of the end of this step.

    Raises
    ------
    ConfigError, ShapeError, DTypeError, DataError
        If ``dt`` is not positive, or the spikes do not fit the state or are outside [0, 1].

    Examples
    --------
    >>> spike, parameters = torch.ones(1, 1), ShortTermParameters.depressing()
    >>> first, state = short_term_step(spike, None, parameters)
    >>> second, state = short_term_step(spike, state, parameters, dt=50.0)
    >>> round(float(first), 4), round(float(second), 4)
    (0.5, 0.2651)
    """
    check_events(pre, "pre", axes="batch, pre", most=1.0)
    state = _checked(pre, state, dt)
    return _step(pre, state, parameters, *_decays(parameters, dt))


def short_term_window(
    pre: Tensor,
    state: ShortTermState | None,
    parameters: ShortTermParameters,
    *,
    dt: float = 1.0,
) -> tuple[Float[Tensor, "batch time pre"], ShortTermState]:
    """Return the release of a whole block; the same as :func:`short_term_step`, step by step.

    Silent steps cost nothing: only those in which any synapse has a spike are computed, since in
    between both variables relax in closed form.

    Examples
    --------
    >>> train = torch.zeros(1, 200, 1)
    >>> train[:, ::50] = 1.0
    >>> parameters = ShortTermParameters.facilitating()
    >>> release, _ = short_term_window(train, None, parameters)
    >>> [round(value, 4) for value in release[0, ::50, 0].tolist()]
    [0.03, 0.0553, 0.0757, 0.0918]
    """
    check_events(pre, "pre", axes="batch, time, pre", most=1.0)
    state = _checked(pre[:, 0], state, dt)
    release = torch.zeros_like(pre)
    steps = pre.shape[1]
    before = -1
    for now in pre.amax(dim=(0, 2)).nonzero().flatten().tolist():
        decays = _decays(parameters, dt * (now - before))
        release[:, now], state = _step(pre[:, now], state, parameters, *decays)
        before = now
    if before < steps - 1:
        decay_u, decay_x = _decays(parameters, dt * (steps - 1 - before))
        state = ShortTermState(state.u * decay_u, 1.0 - (1.0 - state.x) * decay_x)
    return release, state


def steady_state(parameters: ShortTermParameters, rate_hz: float) -> SteadyState:
    r"""Return what a regular train of ``rate_hz`` settles on.

    .. math::
        u = \frac{U}{1 - (1 - U)\,e^{-\Delta/\tau_{fac}}}, \qquad
        x = \frac{1 - e^{-\Delta/\tau_{rec}}}{1 - (1 - u)\,e^{-\Delta/\tau_{rec}}}

    Raises
    ------
    ConfigError
        If the rate is not positive.

    Examples
    --------
    >>> round(steady_state(ShortTermParameters.depressing(), 20.0).release, 4)
    0.0571
    """
    check_positive(rate_hz=rate_hz)
    decay_u, decay_x = _decays(parameters, 1000.0 / rate_hz)
    u = parameters.U / (1.0 - (1.0 - parameters.U) * decay_u)
    return SteadyState(u, (1.0 - decay_x) / (1.0 - (1.0 - u) * decay_x))


def _checked(pre: Tensor, state: ShortTermState | None, dt: float) -> ShortTermState:
    check_positive(dt=dt)
    if state is None:
        return short_term_state(*pre.shape, dtype=pre.dtype, device=pre.device)
    check_like(state.u, pre, "the state", "the spikes")
    return state


def _decays(parameters: ShortTermParameters, elapsed: float) -> tuple[float, float]:
    """Return what is left of ``u`` and of ``1 - x`` after ``elapsed`` ms."""
    u, x = (exp(-elapsed / tau) if tau else 0.0 for tau in (parameters.tau_fac, parameters.tau_rec))
    return u, x


def _step(
    pre: Tensor,
    state: ShortTermState,
    parameters: ShortTermParameters,
    decay_u: float,
    decay_x: float,
) -> tuple[Tensor, ShortTermState]:
    u = state.u * decay_u
    u = u + parameters.U * (1.0 - u) * pre
    x = 1.0 - (1.0 - state.x) * decay_x
    release = u * x * pre
    return release, ShortTermState(u, x - release)
