r"""The policy of meta-plasticity: from features of a layer's recent life to its plasticity factors.

.. math::
    a = A f + \tfrac{1}{\sqrt H} C \tanh(B f + b) + d_l, \qquad
    \log F = l + (u - l)\,\sigma(k a + c)

:math:`f` are the features of layer :math:`l` (:mod:`plasticish.modulation.meta_history`),
:math:`A` starts as the prior (*surprise raises plasticity, calm lowers it*), :math:`C` and the
bias :math:`d_l` of each layer start at zero, so that an unlearned policy is its prior. The last
line keeps every factor within ``bounds = (e^l, e^u)``; ``k`` and ``c`` make :math:`F = e^a` near
:math:`a = 0`. All layers share ``A, B, b, C``: what is learned in one network serves another.

References
----------
Abraham, W. C. & Bear, M. F. (1996). Metaplasticity: the plasticity of synaptic plasticity.
Trends in Neurosciences 19.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, make_generator

from .meta_history import FEATURES

__all__ = ["OUTPUTS", "MetaPolicy"]

OUTPUTS = ("learning_rate", "time_constant", "stability")
PRIOR: Mapping[str, Mapping[str, float]] = {
    "learning_rate": {"one": 1.5, "age": -2.5, "loss fast": 0.5},
    "time_constant": {},
    "stability": {"one": -1.0, "age": 1.5, "loss fast": -0.5},
}
"""Weights of the features in each log factor, before anything is learned."""


@dataclass(frozen=True)
class MetaPolicy:
    """Shape, prior and bounds of the policy; its parameters are one flat vector.

    Attributes
    ----------
    num_layers : int
        Layers to be steered.
    hidden_dim : int
        Hidden units.
    bounds : tuple of float
        Smallest and largest factor, around 1.

    Examples
    --------
    >>> policy = MetaPolicy(num_layers=2, hidden_dim=8)
    >>> theta = policy.initial(seed=0)
    >>> calm = torch.zeros(1, 2, len(FEATURES))
    >>> policy.factors(policy.actions(theta[None], calm)).shape
    torch.Size([1, 2, 3])
    """

    num_layers: int
    hidden_dim: int = 128
    bounds: tuple[float, float] = (0.1, 10.0)

    def __post_init__(self) -> None:
        low, high = self.bounds
        if not 0 < low < 1 < high < math.inf:
            raise ConfigError(
                "the bounds of the factors are unusable",
                got=repr(self.bounds),
                expected="0 < low < 1 < high, both finite",
                cure="a factor of 1 leaves plasticity as it is and must be possible",
            )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each part of the parameters, in their order."""
        features, outputs = len(FEATURES), len(OUTPUTS)
        return {
            "skip": (outputs, features),
            "inner": (self.hidden_dim, features),
            "inner_bias": (self.hidden_dim,),
            "outer": (outputs, self.hidden_dim),
            "layer_bias": (self.num_layers, outputs),
        }

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def split(self, theta: Tensor) -> dict[str, Tensor]:
        """Return the parts of the parameters as views, each with the leading axes of ``theta``."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        parts = torch.split(theta, sizes, dim=-1)
        return {
            name: part.reshape(*part.shape[:-1], *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def initial(self, seed: int) -> Float[Tensor, " size"]:
        """Return parameters whose answers are those of the prior."""
        theta = torch.zeros(self.size)
        parts = self.split(theta)
        for row, name in enumerate(OUTPUTS):
            for feature, weight in PRIOR[name].items():
                parts["skip"][row, FEATURES.index(feature)] = weight
        drawn = torch.randn(parts["inner"].shape, generator=make_generator(seed))
        parts["inner"].copy_(drawn)
        return theta

    def actions(
        self, theta: Float[Tensor, "lives size"], features: Float[Tensor, "lives layers features"]
    ) -> Float[Tensor, "lives layers outputs"]:
        """Return the unbounded log factors of every layer of every life."""
        parts = self.split(theta)
        inner = torch.baddbmm(
            parts["inner_bias"][:, None], features, parts["inner"].transpose(1, 2)
        )
        outer = torch.tanh(inner) @ parts["outer"].transpose(1, 2)
        direct = features @ parts["skip"].transpose(1, 2)
        return direct + outer / math.sqrt(self.hidden_dim) + parts["layer_bias"]

    def factors(self, actions: Tensor) -> Tensor:
        """Return ``exp`` of the actions, squashed into the bounds."""
        low, high = (math.log(bound) for bound in self.bounds)
        share = -low / (high - low)
        slope = 1.0 / ((high - low) * share * (1.0 - share))
        centre = math.log(share / (1.0 - share))
        squashed = low + (high - low) * torch.sigmoid(slope * actions + centre)
        # The exponential may round to a hair beyond the bound that it came from.
        return torch.exp(squashed).clamp(*self.bounds)
