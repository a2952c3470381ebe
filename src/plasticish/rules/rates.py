r"""Rates: what rules of activity, not of spike timing, have in common.

Such a rule integrates products of the presynaptic activity :math:`x` and the postsynaptic activity
:math:`y` over time. Activities come in as they are (``tau_rate=0``), each constant over its step,
or are estimated from spikes by a trace of unit area,

.. math:: \dot x = -x/\tau_{rate} + \frac{1}{\tau_{rate}} \sum_k \delta(t - t_k)

in spikes per ms. A step of length dt multiplies the mean activities over the interval before its
own spikes, so that spikes at the same times give the same change at every dt, up to a term in
:math:`(dt/\tau_{rate})^2`, and coincident spikes do not pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, isfinite
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError

from .bounds import scaled_change
from .parameters import RuleParameters
from .products import spike_product
from .spike_checks import Sizes, check_input
from .traces import trace_window

__all__ = [
    "ActivityState",
    "CorrelationParameters",
    "RateRuleParameters",
    "activities",
    "activity_product",
    "activity_state",
    "check_tau",
    "mean_rates",
    "sliding_mean",
]


def check_tau(**values: float) -> None:
    """Raise :class:`ConfigError` for the first time constant that is not finite and >= 0."""
    for name, value in values.items():
        if isinstance(value, bool) or not (isfinite(value) and value >= 0):
            raise ConfigError(
                f"{name} is out of range",
                got=repr(value),
                expected="a finite number >= 0, in ms",
            )


@dataclass(frozen=True, kw_only=True)
class RateRuleParameters(RuleParameters):
    """What rules of activity have in common; the weight is unbounded unless bounds are given.

    Attributes
    ----------
    tau_rate : float
        0: the activities given are rates, in any unit and of any sign. > 0: they are spikes, from
        which rates in spikes per ms are estimated with this time constant in ms.
    """

    w_min: float = float("-inf")
    w_max: float = float("inf")
    tau_rate: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tau(tau_rate=self.tau_rate)


def mean_rates(
    activity: Float[Tensor, "batch time neurons"],
    trace: Float[Tensor, "batch neurons"],
    tau_rate: float,
    dt: float,
) -> tuple[Float[Tensor, "batch time neurons"], Float[Tensor, "batch neurons"]]:
    """Return the mean rate over every step of a window, and the trace at its end.

    Examples
    --------
    >>> spike = torch.tensor([[[1.0], [0.0], [0.0]]])
    >>> rates, _ = mean_rates(spike, torch.zeros(1, 1), tau_rate=10.0, dt=1.0)
    >>> rates.flatten()
    tensor([0.0000, 0.0952, 0.0861])
    """
    if tau_rate == 0:
        return activity, trace
    after, end = trace_window(activity / tau_rate, trace, exp(-dt / tau_rate), read_after=True)
    before = torch.cat([trace[:, None], after[:, :-1]], dim=1)
    return before * (-expm1(-dt / tau_rate) * tau_rate / dt), end


def sliding_mean(
    series: Float[Tensor, "time neurons"], start: Float[Tensor, " neurons"], tau: float, dt: float
) -> tuple[Float[Tensor, "time neurons"], Float[Tensor, " neurons"]]:
    r"""Return the running mean as each step finds it, and as the last one leaves it.

    :math:`\tau \dot m = s - m`, exact for a series that is constant over each step. It runs in
    float64, which is what it is left in: the step of a slow mean is less than float32 can tell.

    Examples
    --------
    >>> found, end = sliding_mean(torch.ones(2, 1), torch.zeros(1), tau=1.0, dt=1.0)
    >>> found.flatten(), end
    (tensor([0.0000, 0.6321]), tensor([0.8647], dtype=torch.float64))
    """
    gain = -expm1(-dt / tau)
    scaled = (gain * series.double())[None]
    after, end = trace_window(scaled, start.double()[None], exp(-dt / tau), read_after=True)
    return torch.cat([start.double()[None], after[0, :-1]]).to(series.dtype), end[0]


def activity_product(
    post: Float[Tensor, "batch time post"],
    pre: Float[Tensor, "batch time pre"],
    weight: Tensor,
    parameters: RuleParameters,
) -> Float[Tensor, "post pre"]:
    """Return the sum over batch and time of ``post * pre``, scaled by the bounds.

    Hard bounds take one product. Others scale what strengthens and what weakens differently, so
    that the two have to be summed apart.
    """
    if parameters.bounds == "hard":
        return spike_product(post, pre)
    up, down = post.relu(), (-post).relu()
    high, low = pre.relu(), (-pre).relu()
    potentiation = spike_product(up, high) + spike_product(down, low)
    depression = spike_product(up, low) + spike_product(down, high)
    return scaled_change(potentiation, depression, weight, parameters)


@dataclass(frozen=True, kw_only=True)
class CorrelationParameters(RateRuleParameters):
    """What Hebb's and Oja's rule share.

    Attributes
    ----------
    tau_mean : float
        Time constant in ms of the running means that are subtracted (covariance); 0 subtracts
        nothing. The means run over time and over the batch.
    """

    tau_mean: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tau(tau_mean=self.tau_mean)


class ActivityState(NamedTuple):
    """Estimates as of the end of the last step.

    Attributes
    ----------
    pre_rate, post_rate : Tensor of shape (batch, pre) and (batch, post)
        Traces of the spikes, per ms; unused, 0, where activities are rates.
    pre_mean, post_mean : Tensor of shape (pre,) and (post,)
        Running means of the rates, float64; unused, 0, without ``tau_mean``.
    """

    pre_rate: Tensor
    post_rate: Tensor
    pre_mean: Tensor
    post_mean: Tensor


def activity_state(
    batch: int,
    pre: int,
    post: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> ActivityState:
    """Return the state after a long silence: zeros."""
    rates = (torch.zeros(batch, n, dtype=dtype, device=device) for n in (pre, post))
    means = (torch.zeros(n, dtype=torch.float64, device=device) for n in (pre, post))
    return ActivityState(*rates, *means)


def activities(
    pre: Tensor,
    post: Tensor,
    state: ActivityState | None,
    parameters: CorrelationParameters,
    dt: float,
    weight: Tensor | None,
) -> tuple[Sizes, Tensor, Tensor, ActivityState, Tensor]:
    """Return sizes, activities less their means, the state after the window, and the weight.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.spike_checks.check_input`.
    """
    sizes, state, given = check_input(
        pre, post, state, parameters, dt, weight, rest=activity_state, axes=3
    )
    x, pre_rate = mean_rates(pre, state.pre_rate, parameters.tau_rate, dt)
    y, post_rate = mean_rates(post, state.post_rate, parameters.tau_rate, dt)
    pre_mean, post_mean = state.pre_mean, state.post_mean
    if parameters.tau_mean > 0:
        found, pre_mean = sliding_mean(x.mean(0), pre_mean, parameters.tau_mean, dt)
        expected, post_mean = sliding_mean(y.mean(0), post_mean, parameters.tau_mean, dt)
        x, y = x - found, y - expected
    return sizes, x, y, ActivityState(pre_rate, post_rate, pre_mean, post_mean), given
