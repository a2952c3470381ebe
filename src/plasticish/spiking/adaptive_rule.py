r"""A rule whose plasticity is itself plastic: rate, time constants and protection are factors.

.. math:: \Delta w = \frac{\Delta w_{base}(F_\tau\,\tau)}{1 + F_s\,\Omega}, \qquad
          w \leftarrow \mathrm{bounded}(w + F_\eta\,\eta\,\Delta w)

:math:`F_\eta, F_\tau, F_s` multiply learning rate, time constants and stability; the importance
:math:`\Omega \ge 0` of each synapse, 1 on average, says how much of what the layer knows rests on
it: important synapses are consolidated and move less (Fusi, Drew & Abbott 2005), the more so the
greater the stability.

References
----------
Abraham, W. C. & Bear, M. F. (1996). Metaplasticity: the plasticity of synaptic plasticity.
Trends in Neurosciences 19.
Fusi, S., Drew, P. J. & Abbott, L. F. (2005). Cascade models of synaptically stored memories.
Neuron 45.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, check_positive

from .plasticity_rule import RULES, PlasticityRule, RuleObject, rule_from_dict

__all__ = ["AdaptiveSTDPRule"]


@RULES.register("adaptive")
@dataclass(frozen=True, eq=False)
class AdaptiveSTDPRule:
    """Any rule object with factors on its learning rate, time constants and stability.

    Frozen as every rule: :meth:`with_factors` and :meth:`protecting` return another one.

    Attributes
    ----------
    base_rule : PlasticityRule, or what its ``to_dict`` returned
        What happens at factors of 1 where nothing is important.
    learning_rate_factor, time_constant_factor, stability_factor : float
        :math:`F_\\eta \\ge 0`, :math:`F_\\tau > 0`, :math:`F_s \\ge 0`.
    importance : Tensor of shape (post, pre), optional
        :math:`\\Omega`, >= 0; None protects nothing. It belongs to the layer, not to the rule:
        :meth:`to_dict` leaves it out.

    Raises
    ------
    DTypeError, ConfigError, DataError
        If the base is no rule (or takes a reward), a factor is out of range, or the importance is
        negative or NaN.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> rule = AdaptiveSTDPRule(ClassicalSTDP(learning_rate=0.1, tau_plus=20.0))
    >>> fast = rule.with_factors(learning_rate=3.0, time_constant=0.5)
    >>> round(fast.learning_rate, 3), fast.effective.tau_plus
    (0.3, 10.0)
    """

    base_rule: Any
    learning_rate_factor: float = 1.0
    time_constant_factor: float = 1.0
    stability_factor: float = 1.0
    importance: Tensor | None = None

    kind: ClassVar[str] = "adaptive"
    takes_reward: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.base_rule, Mapping):
            object.__setattr__(self, "base_rule", rule_from_dict(self.base_rule))
        if not isinstance(self.base_rule, RuleObject) or not isinstance(
            self.base_rule, PlasticityRule
        ):
            raise DTypeError(
                "the base is no rule that factors could modulate",
                got=type(self.base_rule).__name__,
                expected="such as ClassicalSTDP() or HomeostaticSTDP()",
            )
        if self.base_rule.takes_reward:
            raise ConfigError(
                "a rule that takes a reward cannot be adaptive",
                got=self.base_rule.kind,
                cure="modulate it yourself with rule.modulated(…)",
            )
        check_positive(time_constant_factor=self.time_constant_factor)
        for name in ("learning_rate_factor", "stability_factor"):
            if getattr(self, name) != 0:
                check_positive(**{name: getattr(self, name)})
        if self.importance is not None and not bool((self.importance >= 0).all()):
            raise DataError("an importance is negative or NaN", expected="numbers >= 0")
        modulated = cast(RuleObject, self.base_rule).modulated(
            self.learning_rate_factor, self.time_constant_factor
        )
        object.__setattr__(self, "_effective", modulated)

    @property
    def effective(self) -> Any:
        """The base rule with its learning rate and time constants multiplied."""
        return self._effective  # type: ignore[attr-defined]

    @property
    def learning_rate(self) -> float:
        """Learning rate in force."""
        return float(self.effective.learning_rate)

    @property
    def w_min(self) -> float:
        """Lower bound of the weight."""
        return float(self.base_rule.w_min)

    @property
    def w_max(self) -> float:
        """Upper bound of the weight."""
        return float(self.base_rule.w_max)

    @property
    def bounds(self) -> str:
        """How the bounds are kept."""
        return str(self.base_rule.bounds)

    @property
    def reduction(self) -> str:
        """How the changes of a batch are reduced."""
        return str(self.base_rule.reduction)

    def with_factors(
        self, learning_rate: float = 1.0, time_constant: float = 1.0, stability: float = 1.0
    ) -> AdaptiveSTDPRule:
        """Return the rule with these factors in the place of the ones it has."""
        return replace(
            self,
            learning_rate_factor=float(learning_rate),
            time_constant_factor=float(time_constant),
            stability_factor=float(stability),
        )

    def protecting(self, importance: Tensor | None) -> AdaptiveSTDPRule:
        """Return the rule with another importance of the synapses, [post, pre]."""
        return replace(self, importance=importance)

    def modulated(self, learning_rate: float = 1.0, time_constant: float = 1.0) -> AdaptiveSTDPRule:
        """Return the rule with its factors multiplied, as every rule has it."""
        return replace(
            self,
            learning_rate_factor=self.learning_rate_factor * learning_rate,
            time_constant_factor=self.time_constant_factor * time_constant,
        )

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Any:
        """Return the state of the base rule after a long silence."""
        return self.effective.initial_state(batch, pre, post, dtype=dtype, device=device)

    def step(
        self, pre: Tensor, post: Tensor, state: Any, weight: Tensor | None = None, dt: float = 1.0
    ) -> tuple[Tensor, Any]:
        """Return the protected change of one step, and the state of the base rule."""
        change, state = self.effective.step(pre, post, state, weight, dt)
        return self._protected(change), state

    def window(
        self, pre: Tensor, post: Tensor, state: Any, weight: Tensor | None = None, dt: float = 1.0
    ) -> tuple[Tensor, Any]:
        """Return the protected change of a window, and the state of the base rule."""
        change, state = self.effective.window(pre, post, state, weight, dt)
        return self._protected(change), state

    def applied(self, weight: Tensor, change: Tensor) -> Tensor:
        """Return the weight after the change, within its bounds."""
        fresh: Tensor = self.effective.applied(weight, change)
        return fresh

    def _protected(self, change: Tensor) -> Tensor:
        if self.importance is None:
            return change
        if self.importance.shape != change.shape:
            raise ShapeError(
                "the importance does not fit the weight",
                got=str(tuple(self.importance.shape)),
                expected=str(tuple(change.shape)),
            )
        return change / (1.0 + self.stability_factor * self.importance.to(change))

    def to_dict(self) -> dict[str, Any]:
        """Return what :func:`plasticish.spiking.plasticity_rule.rule_from_dict` takes."""
        return {
            "kind": self.kind,
            "base_rule": self.base_rule.to_dict(),
            "learning_rate_factor": self.learning_rate_factor,
            "time_constant_factor": self.time_constant_factor,
            "stability_factor": self.stability_factor,
        }
