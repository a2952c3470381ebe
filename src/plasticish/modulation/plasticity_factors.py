"""What a controller of plasticity says: by how much each layer's plasticity is to be multiplied."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PlasticityFactors"]


@dataclass(frozen=True)
class PlasticityFactors:
    """Multipliers of the plasticity of each layer; 1 leaves it as it is.

    Attributes
    ----------
    learning_rate : Tensor of shape (layers,) or (lives, layers)
        Of the learning rate of the layer's rule.
    time_constant : Tensor of the same shape
        Of the time constants of the rule's traces.
    stability : Tensor of the same shape
        Of the protection of consolidated weights.

    Examples
    --------
    >>> PlasticityFactors.ones(2).learning_rate
    tensor([1., 1.])
    """

    learning_rate: Tensor
    time_constant: Tensor
    stability: Tensor

    @classmethod
    def ones(cls, *shape: int) -> PlasticityFactors:
        """Return factors that change nothing."""
        return cls(*(torch.ones(shape) for _ in range(3)))

    @classmethod
    def unpack(cls, factors: Tensor) -> PlasticityFactors:
        """Return the factors that a policy gave as the last axis of one tensor."""
        return cls(*factors.unbind(-1))
