r"""Oja's rule, and its two extensions to several units.

With :math:`y = W x`,

.. math::
    \text{independent:} \quad \dot w_j &= y_j\,(x - \alpha\,y_j w_j) \\
    \text{subspace:} \quad \dot w_j &= y_j\,(x - \alpha \textstyle\sum_k y_k w_k) \\
    \text{Sanger:} \quad \dot w_j &= y_j\,(x - \alpha \textstyle\sum_{k \le j} y_k w_k)

On centred inputs a unit turns to the first principal component, with length :math:`1/\sqrt\alpha`;
independent units all do. By the subspace rule they span the leading subspace together, and by
Sanger's unit j becomes component j.

References
----------
Oja, E. (1982). A simplified neuron model as a principal component analyzer. J. Math. Biol. 15.
Sanger, T. D. (1989). Optimal unsupervised learning in a single-layer linear feedforward neural
network. Neural Networks 2.
Oja, E. (1989). Neural networks, principal components, and subspaces. Int. J. Neural Systems 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .parameters import check_choice
from .products import reduced, spike_product
from .rates import ActivityState, CorrelationParameters, activities
from .spike_checks import check_spikes

__all__ = ["OjaParameters", "oja_step", "oja_window"]

Units = Literal["independent", "subspace", "sanger"]


@dataclass(frozen=True, kw_only=True)
class OjaParameters(CorrelationParameters):
    """Parameters of Oja's rule; its own decay bounds the weight, so that bounds can only be hard.

    Attributes
    ----------
    alpha : float
        Strength of the decay, > 0; the weight settles on the length ``alpha ** -0.5``.
    units : {"independent", "subspace", "sanger"}
        What several units subtract: each its own part, all parts (Oja 1989), or those of the units
        before it and its own (Sanger 1989).

    Raises
    ------
    ConfigError
        If a value is outside its range.
    """

    alpha: float = 1.0
    units: str = "independent"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(alpha=self.alpha)
        check_choice("units", self.units, Units)
        if self.bounds != "hard":
            raise ConfigError(
                "Oja's rule bounds the weight itself",
                got=f"bounds={self.bounds!r}",
                expected="bounds='hard'",
            )


def oja_window(
    pre: Tensor,
    post: Tensor,
    state: ActivityState | None,
    parameters: OjaParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], ActivityState]:
    """Return the change by Oja's rule over a window, the weight held fixed.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Activities, or spikes where ``parameters.tau_rate`` is not 0. For principal components
        ``post`` is ``pre @ weight.T`` and the inputs are centred, or ``tau_mean`` centres them.
    state : ActivityState or None
        What the last window returned; None for silence before.
    parameters : OjaParameters
        The rule.
    dt : float
        Length of a step in ms, > 0.
    weight : Tensor of shape (post, pre)
        What decays; the rule cannot do without it.

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
    A weight of unit length along the only input is where the rule rests:

    >>> weight = torch.tensor([[0.6, 0.8]])
    >>> pre = 3.0 * weight[:, None]
    >>> change, _ = oja_window(pre, pre @ weight.T, None, OjaParameters(), weight=weight)
    >>> bool(change.abs().max() < 1e-5)
    True
    """
    if weight is None:
        raise ConfigError(
            "Oja's rule decays the weight",
            got="weight=None",
            expected="a tensor of shape (post, pre)",
            cure="pass weight=…",
        )
    sizes, x, y, state, _ = activities(pre, post, state, parameters, dt, weight)
    overlap = spike_product(y, y)
    if parameters.units == "independent":
        overlap = torch.diag(overlap.diagonal())
    elif parameters.units == "sanger":
        overlap = overlap.tril()
    change = spike_product(y, x) - parameters.alpha * (overlap @ weight)
    return reduced(change * dt, sizes, parameters), state


def oja_step(
    pre: Tensor,
    post: Tensor,
    state: ActivityState | None,
    parameters: OjaParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], ActivityState]:
    """Return the change by Oja's rule over one step of activities ``[batch, neurons]``.

    As :func:`oja_window` in all else.

    Examples
    --------
    >>> pre, weight = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.5, 0.5]])
    >>> oja_step(pre, pre @ weight.T, None, OjaParameters(), weight=weight)[0]
    tensor([[ 1.5000, -0.5000]])
    """
    check_spikes(pre, post, axes=2, dt=dt)
    return oja_window(pre[:, None], post[:, None], state, parameters, dt=dt, weight=weight)
