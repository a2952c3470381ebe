"""Windows of spikes, the change that they should make, and everybody's way to compute it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType

import torch
from torch import Tensor

from plasticish.core import make_generator, spawn_seed
from plasticish.rules.reward import RewardParameters, reward_step, reward_window
from plasticish.rules.stdp import STDPParameters, stdp_step, stdp_window
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.stdp_rules import ClassicalSTDP, HomeostaticSTDP, TripletSTDP

from ..peers import bindsnet, norse, snntorch, spikingjelly

BATCH, TIME, DENSITY = 32, 100, 0.1
RULE = STDPParameters(reduction="sum")  # as the peers sum over the batch
REWARD_RULE = RewardParameters(reduction="sum")
Window = Callable[[], object]
"""A window that is ready to be computed."""
Prepare = Callable[[Tensor, Tensor], Window]
"""From spikes of input and output to a window."""
PairRule = Callable[[Tensor, Tensor], Callable[[], Tensor]]
"""The same, where the window is pair STDP and gives its change."""


def spikes(sizes: tuple[int, int], seed: int) -> tuple[Tensor, Tensor]:
    """Return Bernoulli spikes of the input and the output of a layer."""
    pre, post = (
        torch.rand(BATCH, TIME, width, generator=make_generator(spawn_seed(seed, side))) < DENSITY
        for side, width in enumerate(sizes)
    )
    return pre.float(), post.float()


def reference(pre: Tensor, post: Tensor, rule: STDPParameters) -> Tensor:
    """Return the change summed over the batch, by a double loop over pairs of steps in float64."""
    pre, post = pre.double(), post.double()
    change = pre.new_zeros(post.shape[-1], pre.shape[-1])
    ages = torch.arange(pre.shape[1], dtype=torch.float64)
    plus, minus = (torch.exp(-ages / tau) for tau in (rule.tau_plus, rule.tau_minus))
    for late in range(pre.shape[1]):
        for early in range(late):
            age = late - early
            change += rule.a_plus * plus[age] * (post[:, late].T @ pre[:, early])
            change -= rule.a_minus * minus[age] * (post[:, early].T @ pre[:, late])
    return change


def deviation(change: Tensor, expected: Tensor) -> float:
    """Return the largest difference as a share of the largest change.

    A change depends on its two neurons alone, so ``expected`` may be a corner of the matrix.
    """
    corner = change[: expected.shape[0], : expected.shape[1]].double()
    return float((corner - expected).abs().max() / expected.abs().max())


def own_window(pre: Tensor, post: Tensor) -> Callable[[], Tensor]:
    """Return the pair rule over the whole window."""
    return lambda: stdp_window(pre, post, None, RULE)[0]


def own_steps(pre: Tensor, post: Tensor) -> Callable[[], Tensor]:
    """Return the pair rule step by step."""
    steps = list(zip(pre.unbind(1), post.unbind(1), strict=True))

    def run() -> Tensor:
        change, state = stdp_step(*steps[0], None, RULE)
        for now in steps[1:]:
            more, state = stdp_step(*now, state, RULE)
            change = change + more
        return change

    return run


def own_layer(pre: Tensor, post: Tensor) -> Window:
    """Return what a user calls: the layer with its checks, its bounds and its report."""
    layer = STDPLayer(pre.shape[-1], post.shape[-1], ClassicalSTDP(learning_rate=1e-3))
    return partial(layer.update_weights_stdp, pre, post)


def own_triplet(pre: Tensor, post: Tensor) -> Window:
    """Return the full triplet rule over the window."""
    return partial(TripletSTDP.visual_cortex_all_to_all_full().window, pre, post, None)


def own_homeostatic(pre: Tensor, post: Tensor) -> Window:
    """Return the homeostatic rule over the window."""
    return partial(HomeostaticSTDP.zenke_2013().window, pre, post, None)


def rewards(pre: Tensor, *, shared: bool) -> Tensor:
    """Return a reward for every step, of each example or of all."""
    shape = pre.shape[1:2] if shared else pre.shape[:2]
    return torch.randn(shape, generator=make_generator(3))


def reward_whole(pre: Tensor, post: Tensor, *, shared: bool) -> Callable[[], Tensor]:
    """Return the rewarded rule over the whole window."""
    reward = rewards(pre, shared=shared)
    return lambda: reward_window(pre, post, reward, None, REWARD_RULE)[0]


def reward_steps(pre: Tensor, post: Tensor, *, shared: bool) -> Callable[[], Tensor]:
    """Return the rewarded rule step by step."""
    reward = rewards(pre, shared=shared)
    steps = list(zip(pre.unbind(1), post.unbind(1), reward.unbind(-1), strict=True))

    def run() -> Tensor:
        change, state = reward_step(*steps[0], None, REWARD_RULE)
        for now in steps[1:]:
            more, state = reward_step(*now, state, REWARD_RULE)
            change = change + more
        return change

    return run


MULTI, SINGLE = "SpikingJelly, multi-step", "SpikingJelly, single-step"
SNNTORCH, NORSE, BINDSNET = "snnTorch", "Norse", "BindsNET"
PEERS = (MULTI, SINGLE, SNNTORCH, NORSE, BINDSNET)


def peers() -> tuple[dict[str, PairRule], list[str]]:
    """Return the libraries that are here, each by its row, and notes on those that are not."""
    rows: dict[str, tuple[ModuleType, PairRule]] = {
        MULTI: (spikingjelly, partial(spikingjelly.pair_window, rule=RULE, multi_step=True)),
        SINGLE: (spikingjelly, partial(spikingjelly.pair_window, rule=RULE, multi_step=False)),
        SNNTORCH: (snntorch, partial(snntorch.pair_window, rule=RULE)),
        NORSE: (norse, partial(norse.pair_window, rule=RULE)),
        BINDSNET: (bindsnet, partial(bindsnet.pair_window, rule=RULE)),
    }
    missing = {row: peer.available() for row, (peer, _) in rows.items()}
    here = {row: prepare for row, (_, prepare) in rows.items() if missing[row] is None}
    return here, [f"Without {row}: {why}." for row, why in missing.items() if why is not None]
