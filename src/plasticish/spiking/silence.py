"""Why an update changed no weight: the silence that users ask about most."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .plasticity_rule import PlasticityRule

__all__ = ["silent_cause"]


def silent_cause(
    rule: PlasticityRule[Any],
    weight: Tensor,
    change: Tensor,
    pre: Tensor,
    post: Tensor,
    existing: int,
) -> str:
    """Say why ``change`` left every weight as it was.

    Parameters
    ----------
    rule : PlasticityRule
        The rule that made the change.
    weight, change : Tensor of shape (post, pre)
        The weight, and what the rule would have added at a learning rate of 1.
    pre, post : Tensor
        The spikes.
    existing : int
        Number of connections that exist.

    Examples
    --------
    >>> import torch
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> one, none = torch.ones(1, 1), torch.zeros(1, 1)
    >>> silent_cause(ClassicalSTDP(), one, none, none, one, 1)
    'there are no presynaptic spikes'
    """
    if not existing:
        return "its mask lets no connection exist"
    if rule.learning_rate == 0:
        return "the learning rate is 0"
    if not bool(pre.any()):
        return "there are no presynaptic spikes"
    if not bool(post.any()):
        return "there are no postsynaptic spikes"
    low, high = weight <= rule.w_min, weight >= rule.w_max
    if not bool(change.any()):
        if bool((low | high).all()):
            return "every weight is at a bound, where this rule does not move it"
        return "no two spikes met within reach of the rule, or what they did was scaled by 0"
    if bool((((change > 0) & high) | ((change < 0) & low) | (change == 0)).all()):
        return "every weight is at the bound that its change would cross"
    return f"every change is below the rounding of {weight.dtype}"
