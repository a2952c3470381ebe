"""The rules of spike timing as objects; the equations are in :mod:`plasticish.rules`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from plasticish.core import ConfigError
from plasticish.rules.homeostatic import (
    HomeostaticParameters,
    HomeostaticTraces,
    homeostatic_step,
    homeostatic_traces,
    homeostatic_window,
)
from plasticish.rules.reward import (
    RewardParameters,
    RewardTraces,
    reward_step,
    reward_traces,
    reward_window,
)
from plasticish.rules.stdp import PairTraces, STDPParameters, pair_traces, stdp_step, stdp_window
from plasticish.rules.triplet import (
    TripletParameters,
    TripletTraces,
    triplet_step,
    triplet_traces,
    triplet_window,
)

from .plasticity_rule import RULES, BoundRule, RuleFunctions, RuleObject

__all__ = ["ClassicalSTDP", "HomeostaticSTDP", "RewardModulatedSTDP", "TripletSTDP"]

Device = torch.device | str | None


@RULES.register("classical")
@dataclass(frozen=True, kw_only=True)
class ClassicalSTDP(STDPParameters, BoundRule[PairTraces]):
    """Pair STDP (Bi & Poo 1998); the fields are those of :class:`STDPParameters`.

    Examples
    --------
    >>> rule = ClassicalSTDP(learning_rate=0.01, tau_plus=20.0, w_max=1.0)
    >>> change, traces = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> rule.applied(torch.rand(3, 4), change).shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "classical"
    functions: ClassVar[RuleFunctions] = RuleFunctions(pair_traces, stdp_step, stdp_window)


@RULES.register("triplet")
@dataclass(frozen=True, kw_only=True)
class TripletSTDP(TripletParameters, BoundRule[TripletTraces]):
    """Triplet STDP (Pfister & Gerstner 2006); the fields are those of :class:`TripletParameters`.

    Examples
    --------
    >>> TripletSTDP.hippocampus_all_to_all_full(learning_rate=0.1).a3_plus
    0.0067
    """

    kind: ClassVar[str] = "triplet"
    functions: ClassVar[RuleFunctions] = RuleFunctions(triplet_traces, triplet_step, triplet_window)


@RULES.register("homeostatic")
@dataclass(frozen=True, kw_only=True)
class HomeostaticSTDP(HomeostaticParameters, BoundRule[HomeostaticTraces]):
    """Homeostatic STDP (Zenke et al. 2013); the fields are those of :class:`HomeostaticParameters`.

    Examples
    --------
    >>> rule = HomeostaticSTDP(learning_rate=0.01, target_rate=0.1)
    >>> rule.but(homeostatic_rate=0.002).target_rate
    0.1
    """

    kind: ClassVar[str] = "homeostatic"
    functions: ClassVar[RuleFunctions] = RuleFunctions(
        homeostatic_traces, homeostatic_step, homeostatic_window
    )


@RULES.register("reward_modulated")
@dataclass(frozen=True, kw_only=True)
class RewardModulatedSTDP(RewardParameters, RuleObject):
    """Reward-modulated STDP (Izhikevich 2007); the fields are those of :class:`RewardParameters`.

    Examples
    --------
    >>> rule = RewardModulatedSTDP(tau_e=500.0)
    >>> pre, post = torch.rand(2, 9, 4), torch.rand(2, 9, 3)
    >>> change, state = rule.window(pre, post, None, reward=torch.zeros(2, 9))
    >>> bool(change.any()), state.eligibility.shape
    (False, torch.Size([2, 3, 4]))
    """

    kind: ClassVar[str] = "reward_modulated"
    takes_reward: ClassVar[bool] = True

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        shared: bool = False,
        dtype: torch.dtype | None = None,
        device: Device = None,
    ) -> RewardTraces:
        """Return traces after a long silence; ``shared`` for a reward without a batch axis."""
        return reward_traces(batch, pre, post, shared=shared, dtype=dtype, device=device)

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: RewardTraces | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
        *,
        reward: Tensor | float | None = None,
    ) -> tuple[Tensor, RewardTraces]:
        """As :func:`plasticish.rules.reward.reward_step`; a number is shared by all examples."""
        given = _modulator(reward, pre, ())
        return reward_step(pre, post, given, state, self, dt=dt, weight=weight)

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: RewardTraces | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
        *,
        reward: Tensor | float | None = None,
    ) -> tuple[Tensor, RewardTraces]:
        """As :func:`plasticish.rules.reward.reward_window`; a number holds for all steps."""
        given = _modulator(reward, pre, pre.shape[1:2])
        return reward_window(pre, post, given, state, self, dt=dt, weight=weight)


def _modulator(reward: Tensor | float | None, like: Tensor, time: tuple[int, ...]) -> Tensor:
    if reward is None:
        raise ConfigError(
            "the rule 'reward_modulated' learns by reward",
            got="reward=None",
            expected="a number, or a tensor of shape (time,) or (batch, time)",
            cure="pass reward=…",
        )
    return reward if isinstance(reward, Tensor) else like.new_full(time, reward)
