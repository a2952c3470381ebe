"""The rules of spike timing as objects; the equations are in :mod:`plasticish.rules`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from plasticish.rules.stdp import PairTraces, STDPParameters, pair_traces, stdp_step, stdp_window

from .plasticity_rule import RULES, RuleObject

__all__ = ["ClassicalSTDP"]


@RULES.register("classical")
@dataclass(frozen=True, kw_only=True)
class ClassicalSTDP(STDPParameters, RuleObject):
    """Pair STDP (Bi & Poo 1998); the fields are those of :class:`STDPParameters`.

    Examples
    --------
    >>> rule = ClassicalSTDP(learning_rate=0.01, tau_plus=20.0, w_max=1.0)
    >>> change, traces = rule.window(torch.rand(2, 9, 4), torch.rand(2, 9, 3), None)
    >>> rule.applied(torch.rand(3, 4), change).shape
    torch.Size([3, 4])
    """

    kind: ClassVar[str] = "classical"

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> PairTraces:
        """Return traces after a long silence."""
        return pair_traces(batch, pre, post, dtype=dtype, device=device)

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: PairTraces | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, PairTraces]:
        """As :func:`plasticish.rules.stdp.stdp_step`."""
        return stdp_step(pre, post, state, self, dt=dt, weight=weight)

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: PairTraces | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, PairTraces]:
        """As :func:`plasticish.rules.stdp.stdp_window`."""
        return stdp_window(pre, post, state, self, dt=dt, weight=weight)
