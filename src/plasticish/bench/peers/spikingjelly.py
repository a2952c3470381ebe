"""SpikingJelly's STDP learner, given spikes that were already fired.

References
----------
Fang et al. (2023), SpikingJelly: an open-source machine learning infrastructure platform for
spike-based intelligence. Science Advances 9.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from torch import Tensor, nn

from plasticish.core import import_extra
from plasticish.rules.stdp import STDPParameters

__all__ = ["available", "pair_window"]


def available() -> str | None:
    """Return why SpikingJelly cannot be used here, or None if it can."""
    return None if find_spec("spikingjelly") else "spikingjelly is not installed"


def pair_window(
    pre: Tensor, post: Tensor, rule: STDPParameters, *, multi_step: bool
) -> Callable[[], Tensor]:
    """Return a call that computes the change of one window, summed over the batch.

    What the learner's monitors record during a forward pass is put there beforehand, so that the
    call is :meth:`STDPLearner.step` and nothing else.
    """
    learning = import_extra(
        "spikingjelly.activation_based.learning", "bench", "the comparison with SpikingJelly"
    )
    learner = learning.STDPLearner(
        step_mode="m" if multi_step else "s",
        synapse=nn.Linear(pre.shape[-1], post.shape[-1], bias=False),
        sn=nn.Identity(),
        tau_pre=rule.tau_plus,
        tau_post=rule.tau_minus,
        f_pre=lambda weight: rule.a_minus,
        f_post=lambda weight: rule.a_plus,
    )
    for monitor, spikes in (
        (learner.in_spike_monitor, pre),
        (learner.out_spike_monitor, post),
    ):
        steps = spikes.transpose(0, 1).contiguous()
        monitor.records.extend([steps] if multi_step else steps.unbind(0))

    def run() -> Tensor:
        change: Tensor = learner.step(on_grad=False)
        return change

    return run
