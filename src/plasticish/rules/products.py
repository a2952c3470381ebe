"""The sum over a batch and its time steps of outer products, which is what most windows come to."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["spike_product"]


def spike_product(
    spikes: Float[Tensor, "batch time left"], values: Float[Tensor, "batch time right"]
) -> Float[Tensor, "left right"]:
    r"""Return :math:`\sum_{b,t} s_{bt} v_{bt}^\top`.

    Examples
    --------
    >>> import torch
    >>> spikes, values = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]), torch.tensor([[[3.0], [4.0]]])
    >>> spike_product(spikes, values).tolist()
    [[3.0], [8.0]]
    """
    return spikes.flatten(0, 1).T @ values.flatten(0, 1)
