r"""The rule of Bienenstock, Cooper and Munro: a threshold that slides with what the neuron does.

.. math::
    \dot w_{ji} = a\,x_i\,y_j\,(y_j - \theta_j), \qquad
    \tau_\theta \dot\theta_j = \frac{y_j^2}{y_0} - \theta_j

Activity above the threshold strengthens, activity below it weakens, and since the threshold grows
with the square of the activity it overtakes any run-away (the quadratic form of Intrator & Cooper
1992; BCM 1982 have the square of the mean, which is the same for one pattern). A neuron shown K
orthonormal patterns equally often settles on answering :math:`K y_0` to one and 0 to the others.

The triplet rule under Poisson trains is this rule, with :math:`a = A_3^+ \tau_+ \tau_y` (Pfister &
Gerstner 2006): :meth:`BCMParameters.visual_cortex` is the one that acts like it on spikes.

References
----------
Bienenstock, E. L., Cooper, L. N. & Munro, P. W. (1982). Theory for the development of neuron
selectivity: orientation specificity and binocular interaction in visual cortex. J. Neurosci. 2.
Intrator, N. & Cooper, L. N. (1992). Objective function formulation of the BCM theory of visual
cortical plasticity: statistical connections, stability conditions. Neural Networks 5.
Pfister, J.-P. & Gerstner, W. (2006). Triplets of spikes in a model of spike timing-dependent
plasticity. Journal of Neuroscience 26.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import check_positive

from .products import reduced
from .rates import RateRuleParameters, activity_product, mean_rates, sliding_mean
from .spike_checks import check_input, check_spikes

__all__ = ["BCMParameters", "BCMState", "bcm_state", "bcm_step", "bcm_window", "phi"]

P = TypeVar("P", bound="BCMParameters")


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
    amplitude : float
        :math:`a` > 0: the change per ms where all other factors are 1.

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
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(
            tau_theta=self.tau_theta, target_rate=self.target_rate, amplitude=self.amplitude
        )

    @classmethod
    def visual_cortex(cls: type[P], **other: Any) -> P:
        """Return the rule on spikes that equals the minimal all-to-all triplet rule on average.

        The amplitude is :math:`A_3^+ \\tau_+ \\tau_y` of Pfister & Gerstner (2006, Table 4), in
        ms²; the threshold slides, with a target of 10 Hz unless another is given.

        Examples
        --------
        >>> round(BCMParameters.visual_cortex().amplitude, 2)
        12.45
        """
        given = {"tau_rate": 100.0, "target_rate": 0.01, "amplitude": 6.5e-3 * 16.8 * 114.0}
        return cls(**{**given, **other})


class BCMState(NamedTuple):
    """Estimates as of the end of the last step.

    Attributes
    ----------
    pre_rate, post_rate : Tensor of shape (batch, pre) and (batch, post)
        Traces of the spikes, per ms; unused, 0, where activities are rates.
    threshold : Tensor of shape (post,)
        :math:`\\theta`, one for each neuron, float64: the mean runs over time and over the batch.
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
    rates = [torch.zeros(batch, n, dtype=dtype, device=device) for n in (pre, post)]
    return BCMState(rates[0], rates[1], torch.zeros(post, dtype=torch.float64, device=device))


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
    sizes, state, given = check_input(
        pre, post, state, parameters, dt, weight, rest=bcm_state, axes=3
    )
    x, pre_rate = mean_rates(pre, state.pre_rate, parameters.tau_rate, dt)
    y, post_rate = mean_rates(post, state.post_rate, parameters.tau_rate, dt)
    power = y.square().mean(dim=0) / parameters.target_rate
    found, threshold = sliding_mean(power, state.threshold, parameters.tau_theta, dt)
    change = activity_product(phi(y, found), x, given, parameters)
    change = reduced(change, sizes, parameters) * (parameters.amplitude * dt)
    return change, BCMState(pre_rate, post_rate, threshold)


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
