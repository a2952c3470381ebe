"""snnTorch's STDP learner, given spikes that were already fired.

References
----------
Eshraghian et al. (2023), Training spiking neural networks using lessons from deep learning.
Proceedings of the IEEE 111.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from plasticish.core import import_extra
from plasticish.rules.stdp import STDPParameters

__all__ = ["available", "pair_window"]


def available() -> str | None:
    """Return why snnTorch cannot be used here, or None if it can."""
    return None if find_spec("snntorch") else "snntorch is not installed"


def pair_window(pre: Tensor, post: Tensor, rule: STDPParameters) -> Callable[[], Tensor]:
    """Return a call that computes the change of one window, summed over the batch."""
    module = import_extra(
        "snntorch.functional.stdp_learner", "bench", "the comparison with snnTorch"
    )
    learner = module.STDPLearner(
        nn.Linear(pre.shape[-1], post.shape[-1], bias=False),
        nn.Identity(),
        rule.tau_plus,
        rule.tau_minus,
        f_pre=lambda weight: rule.a_minus,
        f_post=lambda weight: rule.a_plus,
    )
    learner.in_spike_monitor.records.extend(pre.unbind(1))
    learner.out_spike_monitor.records.extend(post.unbind(1))

    def run() -> Tensor:
        with torch.no_grad():
            change: Tensor = learner.step(on_grad=False)
        return change

    return run
