"""The sum over a batch and its time steps of outer products, which is what most windows come to."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .parameters import RuleParameters
from .spike_checks import Sizes

__all__ = ["example_products", "reduced", "spike_product"]


SPARSE = 0.15
"""Share of events below which summing over events beats one thread of a dense product."""
WORTHWHILE = 2**24
"""Multiplications of a dense product below which the choice does not matter."""


def spike_product(
    left: Float[Tensor, "batch time left"], right: Float[Tensor, "batch time right"]
) -> Float[Tensor, "left right"]:
    r"""Return :math:`\sum_{b,t} l_{bt} r_{bt}^\top`.

    A large product on the CPU of which one side is sparse is summed over its events.

    Examples
    --------
    >>> left, right = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]), torch.tensor([[[3.0], [4.0]]])
    >>> spike_product(left, right).tolist()
    [[3.0], [8.0]]
    """
    left, right = left.flatten(0, 1), right.flatten(0, 1)
    if left.numel() * right.shape[1] >= WORTHWHILE and _compiled(left, right):
        of_left, of_right = _density(left), _density(right)
        # The dense product has the threads of torch, the sum over events has one.
        if min(of_left, of_right) * torch.get_num_threads() < SPARSE:
            if of_left <= of_right:
                return _event_product(left, right)
            return _event_product(right, left).T
    return left.T @ right


def _compiled(left: Tensor, right: Tensor) -> bool:
    traced = torch.is_grad_enabled() and (left.requires_grad or right.requires_grad)
    return left.device.type == "cpu" and not traced


def _density(values: Tensor) -> float:
    # A look at every 64th row decides nothing but the speed.
    return float((values[::64] != 0).float().mean())


def _event_product(spikes: Tensor, values: Tensor) -> Tensor:
    from .events import event_product  # the compiler is slow to load, and often not needed

    return torch.from_numpy(
        event_product(spikes.detach().contiguous().numpy(), values.detach().contiguous().numpy())
    )


def example_products(
    left: Float[Tensor, "batch time left"], right: Float[Tensor, "batch time right"]
) -> Float[Tensor, "batch left right"]:
    r"""Return :math:`\sum_t l_{bt} r_{bt}^\top` of every example."""
    return left.mT @ right


def reduced(change: Tensor, sizes: Sizes, parameters: RuleParameters) -> Tensor:
    """Return a change that is summed over the batch as the reduction wants it."""
    return change / sizes.batch if parameters.reduction == "mean" else change
