"""The rules of activity as objects, set up for spikes; the equations are in the rules package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from plasticish.rules.bcm import BCMParameters, BCMState, bcm_state, bcm_step, bcm_window
from plasticish.rules.hebbian import HebbParameters, hebb_step, hebb_window
from plasticish.rules.oja import OjaParameters, oja_step, oja_window
from plasticish.rules.rates import ActivityState, activity_state

from .plasticity_rule import RULES, RuleObject

__all__ = ["BCMRule", "HebbRule", "OjaRule"]

TAU_RATE = 100.0
"""A rate is a count over about so many ms: long beside an interval, short beside the learning."""


@RULES.register("bcm")
@dataclass(frozen=True, kw_only=True)
class BCMRule(BCMParameters, RuleObject):
    """BCM on spikes; the fields are those of :class:`plasticish.rules.bcm.BCMParameters`.

    The defaults are those of :meth:`~plasticish.rules.bcm.BCMParameters.visual_cortex`, with
    weights in [0, 1]: the rule changes as much as the triplet rule does at the same rates.

    Attributes
    ----------
    target_rate : float
        Mean rate that the threshold holds, in spikes per ms; at dt = 1 this is the share of the
        steps with a spike.

    Examples
    --------
    >>> rule = BCMRule(learning_rate=0.01, target_rate=0.1)
    >>> change, state = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> rule.applied(torch.rand(3, 4), change).shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "bcm"
    w_min: float = 0.0
    w_max: float = 1.0
    tau_rate: float = TAU_RATE
    target_rate: float = 0.01
    amplitude: float = BCMParameters.visual_cortex().amplitude

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> BCMState:
        """Return the state after a long silence."""
        return bcm_state(batch, pre, post, dtype=dtype, device=device)

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: BCMState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, BCMState]:
        """As :func:`plasticish.rules.bcm.bcm_step`."""
        return bcm_step(pre, post, state, self, dt=dt, weight=weight)

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: BCMState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, BCMState]:
        """As :func:`plasticish.rules.bcm.bcm_window`."""
        return bcm_window(pre, post, state, self, dt=dt, weight=weight)


class _ActivityRule(RuleObject):
    """What Hebb's and Oja's rule share: the state."""

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> ActivityState:
        """Return the state after a long silence."""
        return activity_state(batch, pre, post, dtype=dtype, device=device)


@RULES.register("hebb")
@dataclass(frozen=True, kw_only=True)
class HebbRule(HebbParameters, _ActivityRule):
    """Hebb on spikes; the fields are those of :class:`plasticish.rules.hebbian.HebbParameters`.

    Examples
    --------
    >>> rule = HebbRule(tau_mean=1000.0)  # the covariance rule
    >>> change, _ = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> change.shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "hebb"
    w_min: float = 0.0
    w_max: float = 1.0
    tau_rate: float = TAU_RATE

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: ActivityState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, ActivityState]:
        """As :func:`plasticish.rules.hebbian.hebb_step`."""
        return hebb_step(pre, post, state, self, dt=dt, weight=weight)

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: ActivityState | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, ActivityState]:
        """As :func:`plasticish.rules.hebbian.hebb_window`."""
        return hebb_window(pre, post, state, self, dt=dt, weight=weight)


@RULES.register("oja")
@dataclass(frozen=True, kw_only=True)
class OjaRule(OjaParameters, _ActivityRule):
    """Oja on spikes; the fields are those of :class:`plasticish.rules.oja.OjaParameters`.

    Weights may be of both signs, as those of a principal component are.

    Examples
    --------
    >>> rule = OjaRule(units="sanger")
    >>> change, _ = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None, torch.rand(3, 4))
    >>> change.shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "oja"
    tau_rate: float = TAU_RATE

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: ActivityState | None,
        weight: Tensor,
        dt: float = 1.0,
    ) -> tuple[Tensor, ActivityState]:
        """As :func:`plasticish.rules.oja.oja_step`."""
        return oja_step(pre, post, state, self, dt=dt, weight=weight)

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: ActivityState | None,
        weight: Tensor,
        dt: float = 1.0,
    ) -> tuple[Tensor, ActivityState]:
        """As :func:`plasticish.rules.oja.oja_window`."""
        return oja_window(pre, post, state, self, dt=dt, weight=weight)
