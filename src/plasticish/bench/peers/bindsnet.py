"""BindsNET's pair rule on a connection between two layers whose spikes are given.

References
----------
Hazan et al. (2018), BindsNET: a machine learning-oriented spiking neural networks library in
Python. Frontiers in Neuroinformatics 12.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from torch import Tensor

from plasticish.core import import_extra
from plasticish.rules.stdp import STDPParameters

from .avalanche import _declare_detection_operators

__all__ = ["available", "pair_window"]


def available() -> str | None:
    """Return why BindsNET cannot be used here, or None if it can."""
    return None if find_spec("bindsnet") else "bindsnet is not installed"


def pair_window(pre: Tensor, post: Tensor, rule: STDPParameters) -> Callable[[], Tensor]:
    """Return a call that computes the change of one window, summed over the batch.

    Both layers are inputs with additive traces, so that no neuron model is in the time.
    """
    _declare_detection_operators()  # it imports torchvision for data sets that are not used here
    network = import_extra("bindsnet.network", "bench", "the comparison with BindsNET")
    learning = import_extra("bindsnet.learning", "bench", "the comparison with BindsNET")
    layers = [
        network.nodes.Input(n=spikes.shape[-1], traces=True, traces_additive=True, tc_trace=tau)
        for spikes, tau in ((pre, rule.tau_plus), (post, rule.tau_minus))
    ]
    for layer in layers:
        layer.compute_decays(dt=1.0)
        layer.set_batch_size(pre.shape[0])
    connection = network.topology.Connection(
        *layers,
        update_rule=learning.PostPre,
        nu=(rule.a_minus, rule.a_plus),
        w=pre.new_zeros(pre.shape[-1], post.shape[-1]),
    )
    source, target = layers
    before, after = pre.bool().unbind(1), post.bool().unbind(1)

    def run() -> Tensor:
        for s_pre, s_post in zip(before, after, strict=True):
            source.forward(s_pre)
            target.forward(s_post)
            connection.update(learning=True)
        change: Tensor = connection.w.detach().T
        return change

    return run
