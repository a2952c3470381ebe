"""The rules of activity as objects, set up for spikes; the equations are in the rules package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plasticish.rules.bcm import BCMParameters, BCMState, bcm_state, bcm_step, bcm_window
from plasticish.rules.hebbian import HebbParameters, hebb_step, hebb_window
from plasticish.rules.oja import OjaParameters, oja_step, oja_window
from plasticish.rules.rates import ActivityState, activity_state

from .plasticity_rule import RULES, BoundRule, RuleFunctions

__all__ = ["BCMRule", "HebbRule", "OjaRule"]

TAU_RATE = 100.0
"""A rate is a count over about so many ms: long beside an interval, short beside the learning."""


@RULES.register("bcm")
@dataclass(frozen=True, kw_only=True)
class BCMRule(BCMParameters, BoundRule[BCMState]):
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
    >>> import torch
    >>> rule = BCMRule(learning_rate=0.01, target_rate=0.1)
    >>> change, state = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> rule.applied(torch.rand(3, 4), change).shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "bcm"
    functions: ClassVar[RuleFunctions] = RuleFunctions(bcm_state, bcm_step, bcm_window)
    w_min: float = 0.0
    w_max: float = 1.0
    tau_rate: float = TAU_RATE
    target_rate: float = 0.01
    amplitude: float = BCMParameters.visual_cortex().amplitude


@RULES.register("hebb")
@dataclass(frozen=True, kw_only=True)
class HebbRule(HebbParameters, BoundRule[ActivityState]):
    """Hebb on spikes; the fields are those of :class:`plasticish.rules.hebbian.HebbParameters`.

    Examples
    --------
    >>> import torch
    >>> rule = HebbRule(tau_mean=1000.0)  # the covariance rule
    >>> change, _ = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> change.shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "hebb"
    functions: ClassVar[RuleFunctions] = RuleFunctions(activity_state, hebb_step, hebb_window)
    w_min: float = 0.0
    w_max: float = 1.0
    tau_rate: float = TAU_RATE


@RULES.register("oja")
@dataclass(frozen=True, kw_only=True)
class OjaRule(OjaParameters, BoundRule[ActivityState]):
    """Oja on spikes; the fields are those of :class:`plasticish.rules.oja.OjaParameters`.

    Weights may be of both signs, as those of a principal component are.

    Examples
    --------
    >>> import torch
    >>> rule = OjaRule(units="sanger")
    >>> change, _ = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None, torch.rand(3, 4))
    >>> change.shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "oja"
    functions: ClassVar[RuleFunctions] = RuleFunctions(activity_state, oja_step, oja_window)
    tau_rate: float = TAU_RATE
