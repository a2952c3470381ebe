r"""Hebb's rule, and its covariance form.

With presynaptic activity :math:`x`, postsynaptic activity :math:`y` and their running means,

.. math::
    \text{Hebb:} \quad \dot w_{ji} &= y_j\,x_i - \lambda\,w_{ji} \\
    \text{covariance:} \quad \dot w_{ji} &= (y_j - \bar y_j)(x_i - \bar x_i) - \lambda\,w_{ji}

Hebb's own has no term that weakens: without decay or bounds the weight of an active pair grows
without end.

References
----------
Hebb, D. O. (1949). The Organization of Behavior. Wiley.
Sejnowski, T. J. (1977). Storing covariance with nonlinearly interacting neurons. J. Math. Biol. 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError

from .products import reduced
from .rates import ActivityState, CorrelationParameters, activities, activity_product
from .spike_checks import check_spikes

__all__ = ["HebbParameters", "hebb_step", "hebb_window"]


@dataclass(frozen=True, kw_only=True)
class HebbParameters(CorrelationParameters):
    """Parameters of Hebb's rule.

    Attributes
    ----------
    decay : float
        :math:`\\lambda`, share of the weight that is lost per ms, >= 0; the bounds do not scale it.

    Raises
    ------
    ConfigError
        If a value is outside its range.
    """

    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isfinite(self.decay) and self.decay >= 0):
            raise ConfigError(
                "decay is out of range", got=repr(self.decay), expected="a finite number >= 0"
            )


def hebb_window(
    pre: Tensor,
    post: Tensor,
    state: ActivityState | None,
    parameters: HebbParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], ActivityState]:
    """Return the change by Hebb's rule over a window, the weight held fixed.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Activities, or spikes where ``parameters.tau_rate`` is not 0.
    state : ActivityState or None
        What the last window returned; None for silence before.
    parameters : HebbParameters
        The rule.
    dt : float
        Length of a step in ms, > 0.
    weight : Tensor of shape (post, pre), optional
        Needed for a decay, and unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Summed over time and reduced over the batch; neither multiplied by the learning rate nor
        clipped, see :func:`plasticish.rules.bounds.bounded`.
    state : ActivityState

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.spike_checks.check_spikes` and its neighbours refuse.

    Examples
    --------
    >>> import torch
    >>> pre, post = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0]]])
    >>> hebb_window(pre, post, None, HebbParameters(), dt=2.0)[0]
    tensor([[ 6., 12.]])
    """
    if weight is None and parameters.decay > 0:
        raise ConfigError(
            "the decay takes a share of the weight",
            got="weight=None",
            expected="a tensor of shape (post, pre)",
            cure="pass weight=…, or take decay=0",
        )
    sizes, x, y, state, w = activities(pre, post, state, parameters, dt, weight)
    change = activity_product(y, x, w, parameters) * dt
    if parameters.decay > 0:
        change = change - (sizes.batch * sizes.time * dt * parameters.decay) * w
    return reduced(change, sizes, parameters), state


def hebb_step(
    pre: Tensor,
    post: Tensor,
    state: ActivityState | None,
    parameters: HebbParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], ActivityState]:
    """Return the change by Hebb's rule over one step of activities ``[batch, neurons]``.

    As :func:`hebb_window` in all else.

    Examples
    --------
    The covariance rule knows a silence from an absence of change:

    >>> import torch
    >>> rule, active = HebbParameters(tau_mean=10.0), torch.ones(1, 1)
    >>> _, state = hebb_step(active, active, None, rule, dt=1000.0)
    >>> change, _ = hebb_step(active, active, state, rule)
    >>> round(change.item(), 6)
    0.0
    """
    check_spikes(pre, post, axes=2, dt=dt)
    return hebb_window(pre[:, None], post[:, None], state, parameters, dt=dt, weight=weight)
