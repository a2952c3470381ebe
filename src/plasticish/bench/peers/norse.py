"""Norse's functional STDP step, in a loop over time.

References
----------
Pehle & Pedersen (2021), Norse: a deep learning library for spiking neural networks. Zenodo.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

from plasticish.core import import_extra
from plasticish.rules.stdp import STDPParameters

__all__ = ["available", "pair_window"]

_MS = 1e-3  # Norse counts in seconds


def available() -> str | None:
    """Return why Norse cannot be used here, or None if it can."""
    return None if find_spec("norse") else "norse is not installed"


def pair_window(pre: Tensor, post: Tensor, rule: STDPParameters) -> Callable[[], Tensor]:
    """Return a call that computes the change of one window, summed over the batch.

    Its traces are low-pass filters whose step is ``dt / tau`` high; ``a_pre`` and ``a_post`` undo
    that. Without bounds, so that the change can be told from the weight.
    """
    stdp = import_extra("norse.torch.functional.stdp", "bench", "the comparison with Norse")
    tau_plus, tau_minus = rule.tau_plus * _MS, rule.tau_minus * _MS
    parameters = stdp.STDPParameters(
        a_pre=torch.tensor(tau_plus / _MS),
        a_post=torch.tensor(tau_minus / _MS),
        tau_pre_inv=torch.tensor(1 / tau_plus),
        tau_post_inv=torch.tensor(1 / tau_minus),
        eta_plus=torch.tensor(rule.a_plus),
        eta_minus=torch.tensor(rule.a_minus),
        hardbound=False,
    )
    before, after = pre.unbind(1), post.unbind(1)

    def run() -> Tensor:
        weight = pre.new_zeros(post.shape[-1], pre.shape[-1])
        state = stdp.STDPState(torch.zeros_like(before[0]), torch.zeros_like(after[0]))
        for z_pre, z_post in zip(before, after, strict=True):
            weight, state = stdp.stdp_step_linear(z_pre, z_post, weight, state, parameters, _MS)
        return weight

    return run
