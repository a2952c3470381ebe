r"""The derivative that a spike does not have.

A neuron fires when :math:`u = v - v_{th} > 0`. The forward value is that step, exactly 0 or 1; the
derivative, which is zero almost everywhere, is replaced by that of a smooth step whose slope at
threshold is 1:

.. math:: \text{fast sigmoid:}\; \frac{1}{(1 + k|u|)^2}, \qquad
          \text{arctan:}\; \frac{1}{1 + (\pi k u / 2)^2}

The larger :math:`k`, the narrower the band of potentials around threshold that learns.

References
----------
Zenke, F. & Ganguli, S. (2018). SuperSpike: supervised learning in multilayer spiking neural
networks. Neural Computation 30 (the fast sigmoid).
Fang, W. et al. (2021). Incorporating learnable membrane time constant to enhance learning of
spiking neural networks. ICCV (the arctangent).
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import Registry

__all__ = ["SURROGATES", "ArcTan", "FastSigmoid", "fire"]


class _Step(torch.autograd.Function):
    """A step forward; what its derivative is taken to be is up to the subclass."""

    # torch derives the batching rule itself, so per-example gradients (vmap of grad) work.
    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, slope: float) -> Tensor:
        return (u > 0).to(u.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        u, ctx.slope = inputs
        ctx.save_for_backward(u)


class FastSigmoid(_Step):
    """Step whose derivative is taken to be ``1 / (1 + slope * |u|)**2``."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return gradients[0] / (1.0 + ctx.slope * u.abs()) ** 2, None


class ArcTan(_Step):
    """Step whose derivative is taken to be ``1 / (1 + (pi * slope * u / 2)**2)``."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return gradients[0] / (1.0 + (0.5 * pi * ctx.slope * u) ** 2), None


SURROGATES: Registry[type[torch.autograd.Function]] = Registry(
    "surrogate gradient", "plasticish.surrogates"
)
"""Spike functions by name; one's own takes ``(u, slope)`` as :class:`FastSigmoid` does."""
SURROGATES.add("fast_sigmoid", FastSigmoid)
SURROGATES.add("arctan", ArcTan)


def fire(
    u: Float[Tensor, "*shape"], surrogate: str = "fast_sigmoid", slope: float = 10.0
) -> Float[Tensor, "*shape"]:
    """Return 1 where ``u > 0`` and 0 elsewhere, with a surrogate derivative.

    Parameters
    ----------
    u : Tensor
        Membrane potential minus threshold, in units of the threshold.
    surrogate : {"fast_sigmoid", "arctan"}
        A name of :data:`SURROGATES`.
    slope : float
        Steepness ``k`` > 0 of the surrogate.

    Raises
    ------
    ConfigError
        If the surrogate is unknown.

    Examples
    --------
    >>> u = torch.tensor([-0.1, 0.0, 0.2], requires_grad=True)
    >>> spikes = fire(u)
    >>> spikes.tolist()
    [0.0, 0.0, 1.0]
    >>> spikes.sum().backward()
    >>> [round(slope, 4) for slope in u.grad.tolist()]
    [0.25, 1.0, 0.1111]
    """
    # torch leaves apply untyped.
    step = cast(Callable[[Tensor, float], Tensor], SURROGATES[surrogate].apply)
    return step(u, slope)
