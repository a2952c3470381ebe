"""The sum over a batch and its time steps of outer products, which is what most windows come to."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .parameters import RuleParameters
from .spike_checks import Sizes

__all__ = ["events_pay", "example_products", "reduced", "spike_product"]


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
    of_left, of_right = events_pay(left, right), events_pay(right, left)
    if of_left and (not of_right or _density(left) <= _density(right)):
        return _event_product(left, right)
    return _event_product(right, left).T if of_right else left.T @ right


def events_pay(
    spikes: Float[Tensor, "*rows neurons"], values: Float[Tensor, "*rows others"], *more: Tensor
) -> bool:
    """Return whether a sum over the events of ``spikes`` is possible and beats a dense product.

    ``more`` is what else enters the sum. It has no gradient, and runs on the CPU alone.

    Examples
    --------
    >>> events_pay(torch.zeros(32, 100, 784), torch.rand(32, 100, 400))
    True
    """
    if spikes.numel() * values.shape[-1] < WORTHWHILE or spikes.device.type != "cpu":
        return False
    if torch.is_grad_enabled() and any(t.requires_grad for t in (spikes, values, *more)):
        return False
    # The dense product has the threads of torch, the sum over events has one.
    return _density(spikes.flatten(0, -2)) * torch.get_num_threads() < SPARSE


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
