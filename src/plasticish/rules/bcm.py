r"""The rule of Bienenstock, Cooper and Munro: a threshold that slides with what the neuron does.

.. math::
    \dot w_{ji} = x_i\,y_j\,(y_j - \theta_j), \qquad
    \tau_\theta \dot\theta_j = \frac{y_j^2}{y_0} - \theta_j

Activity above the threshold strengthens, activity below it weakens, and since the threshold grows
with the square of the activity it overtakes any run-away (the quadratic form of Intrator & Cooper
1992; BCM 1982 have the square of the mean, which is the same for one pattern). A neuron shown K
orthonormal patterns equally often settles on answering :math:`K y_0` to one and 0 to the others.

References
----------
Bienenstock, E. L., Cooper, L. N. & Munro, P. W. (1982). Theory for the development of neuron
selectivity: orientation specificity and binocular interaction in visual cortex. J. Neurosci. 2.
Intrator, N. & Cooper, L. N. (1992). Objective function formulation of the BCM theory of visual
cortical plasticity: statistical connections, stability conditions. Neural Networks 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import check_positive

from .rates import RateRuleParameters, activity_product, mean_rates, reduced, sliding_mean
from .spike_checks import check_spikes, check_state, check_weight

__all__ = ["BCMParameters", "BCMState", "bcm_state", "bcm_step", "bcm_window", "phi"]


@dataclass(frozen=True, kw_only=True)
class BCMParameters(RateRuleParameters):
    """Parameters of the BCM rule.

    Attributes
    ----------
    tau_theta : float
        Time constant of the sliding threshold in ms, > 0. It has to be long enough to see all
        patterns, and short beside the learning, or the weight oscillates.
    target_rate : float
        :math:`y_0` > 0, in the unit of the activity (spikes per ms where ``tau_rate`` is not 0):
        the mean activity that the threshold holds.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> BCMParameters(target_rate=0.1).tau_theta
    1000.0
    """

    tau_theta: float = 1000.0
    target_rate: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(tau_theta=self.tau_theta, target_rate=self.target_rate)


class BCMState(NamedTuple):
    """Estimates as of the end of the last step.

    Attributes
    ----------
    pre_rate, post_rate : Tensor of shape (batch, pre) and (batch, post)
        Traces of the spikes, per ms; unused, 0, where activities are rates.
    threshold : Tensor of shape (post,)
        :math:`\\theta`, one for each neuron: the mean runs over time and over the batch.
    """

    pre_rate: Tensor
    post_rate: Tensor
    threshold: Tensor


def bcm_state(
    batch: int,
    pre: int,
    post: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> BCMState:
    """Return the state after a long silence: zeros, in which all activity strengthens."""
    shapes = ((batch, pre), (batch, post), (post,))
    return BCMState(*(torch.zeros(shape, dtype=dtype, device=device) for shape in shapes))


def phi(y: Tensor, threshold: Tensor) -> Tensor:
    r"""Return :math:`\phi = y\,(y - \theta)`, what a unit of presynaptic activity changes.

    Examples
    --------
    >>> phi(torch.tensor([0.5, 1.0, 2.0]), torch.tensor(1.0))
    tensor([-0.2500,  0.0000,  2.0000])
    """
    return y * (y - threshold)


def bcm_window(
    pre: Tensor,
    post: Tensor,
    state: BCMState | None,
    parameters: BCMParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], BCMState]:
    """Return the change over a window, the weight held fixed while the threshold slides.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Activities, or spikes where ``parameters.tau_rate`` is not 0.
    state : BCMState or None
        What the last window returned; None for silence before.
    parameters : BCMParameters
        The rule.
    dt : float
        Length of a step in ms, > 0.
    weight : Tensor of shape (post, pre), optional
        Needed unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Summed over time and reduced over the batch; neither multiplied by the learning rate nor
        clipped, see :func:`plasticish.rules.bounds.bounded`.
    state : BCMState

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.spike_checks.check_spikes` and its neighbours refuse.

    Examples
    --------
    At the threshold nothing changes, below it activity weakens:

    >>> state = bcm_state(1, 1, 1)._replace(threshold=torch.tensor([1.0]))
    >>> one, half = torch.ones(1, 1, 1), torch.full((1, 1, 1), 0.5)
    >>> [bcm_window(one, y, state, BCMParameters())[0].item() for y in (one, half)]
    [0.0, -0.25]
    """
    sizes = check_spikes(pre, post, axes=3, dt=dt)
    check_weight(weight, sizes, pre, needed=parameters.bounds != "hard")
    rest = bcm_state(sizes.batch, sizes.pre, sizes.post, dtype=pre.dtype, device=pre.device)
    if state is None:
        state = rest
    check_state(state, rest)
    x, pre_rate = mean_rates(pre, state.pre_rate, parameters.tau_rate, dt)
    y, post_rate = mean_rates(post, state.post_rate, parameters.tau_rate, dt)
    power = y.square().mean(dim=0) / parameters.target_rate
    found, threshold = sliding_mean(power, state.threshold, parameters.tau_theta, dt)
    change = activity_product(phi(y, found), x, weight, parameters) * dt
    return reduced(change, sizes, parameters), BCMState(pre_rate, post_rate, threshold)


def bcm_step(
    pre: Tensor,
    post: Tensor,
    state: BCMState | None,
    parameters: BCMParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], BCMState]:
    """Return the change over one step of activities ``[batch, neurons]``.

    As :func:`bcm_window` in all else.

    Examples
    --------
    >>> active = torch.ones(1, 1)
    >>> change, state = bcm_step(active, active, None, BCMParameters(), dt=100.0)
    >>> change.item(), round(state.threshold.item(), 4)  # 1 - exp(-100 / 1000)
    (100.0, 0.0952)
    """
    check_spikes(pre, post, axes=2, dt=dt)
    return bcm_window(pre[:, None], post[:, None], state, parameters, dt=dt, weight=weight)
