"""A rule as an object: what a layer needs of it, whatever the rule.

The mathematics lives in :mod:`plasticish.rules` as pure functions. A rule object is a frozen
dataclass that *is* the parameters of such functions and binds them, so that it can be handed to a
layer, compared, written as JSON and made again from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from plasticish.core import ConfigError, Registry
from plasticish.rules.bounds import bounded
from plasticish.rules.parameters import RuleParameters

__all__ = [
    "RULES",
    "BoundRule",
    "PlasticityRule",
    "RuleFunctions",
    "RuleObject",
    "rule_from_dict",
]

S = TypeVar("S")
R = TypeVar("R", bound="RuleObject")


@runtime_checkable
class PlasticityRule(Protocol[S]):
    """What a layer needs of a rule; every method is pure.

    Attributes
    ----------
    kind : str
        Permanent registered name.
    takes_reward : bool
        Whether :meth:`step` and :meth:`window` take ``reward`` as a further keyword.
    learning_rate, w_min, w_max, bounds, reduction
        As in :class:`plasticish.rules.parameters.RuleParameters`.
    """

    kind: ClassVar[str]
    takes_reward: ClassVar[bool]

    @property
    def learning_rate(self) -> float: ...
    @property
    def w_min(self) -> float: ...
    @property
    def w_max(self) -> float: ...
    @property
    def bounds(self) -> str: ...
    @property
    def reduction(self) -> str: ...

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> S:
        """Return the state after a long silence."""
        ...

    def step(
        self, pre: Tensor, post: Tensor, state: S | None, weight: Tensor, dt: float = 1.0
    ) -> tuple[Tensor, S]:
        """Return ``(change[post, pre], state)`` for one step of spikes ``[batch, neurons]``."""
        ...

    def window(
        self, pre: Tensor, post: Tensor, state: S | None, weight: Tensor, dt: float = 1.0
    ) -> tuple[Tensor, S]:
        """Return ``(change[post, pre], state)`` for spikes ``[batch, time, neurons]``."""
        ...

    def applied(self, weight: Tensor, change: Tensor) -> Tensor:
        """Return the weight after the change, within its bounds."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return what :func:`rule_from_dict` makes an equal rule of; JSON holds it."""
        ...


RULES: Registry[type[PlasticityRule[Any]]] = Registry("plasticity rule", "plasticish.rules")
"""Every rule class by its permanent name."""


class RuleObject(RuleParameters):
    """What all rule objects do alike; a base beside the parameters of the rule.

    A subclass adds ``kind``, ``initial_state``, ``step`` and ``window``; :class:`BoundRule` does
    where a rule is three plain functions.
    """

    kind: ClassVar[str]
    takes_reward: ClassVar[bool] = False

    def applied(self, weight: Tensor, change: Tensor) -> Tensor:
        """Return ``weight + learning_rate * change``, clipped to the bounds."""
        return bounded(weight, change, self)

    def modulated(self: R, learning_rate: float = 1.0, time_constant: float = 1.0) -> R:
        """Return the rule with its learning rate and its time constants multiplied.

        Parameters
        ----------
        learning_rate, time_constant : float
            Factors; the second one, > 0, on every field called ``tau_*``.
        """
        scaled = {
            field.name: getattr(self, field.name) * time_constant
            for field in fields(self)
            if field.name.startswith("tau_")
        }
        return replace(self, learning_rate=self.learning_rate * learning_rate, **scaled)

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the fields of the rule, as JSON can hold them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # JSON has no word for infinity, which means "no bound" here.
        plain = {
            name: str(value) if value in (float("inf"), float("-inf")) else value
            for name, value in values.items()
        }
        return {"kind": self.kind, **plain}


class RuleFunctions(NamedTuple):
    """The three functions of :mod:`plasticish.rules` that make a rule.

    Attributes
    ----------
    rest : callable
        From the sizes to the state after a long silence.
    step, window : callable
        As every rule file has them.
    """

    rest: Callable[..., Any]
    step: Callable[..., Any]
    window: Callable[..., Any]


class BoundRule(RuleObject, Generic[S]):
    """A rule object that binds the functions of its rule file; ``S`` is the state they carry.

    ``class TripletSTDP(TripletParameters, BoundRule[TripletTraces])`` adds ``kind`` and
    ``functions``.
    """

    functions: ClassVar[RuleFunctions]

    def initial_state(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> S:
        """Return the state after a long silence."""
        state: S = self.functions.rest(batch, pre, post, dtype=dtype, device=device)
        return state

    def step(
        self,
        pre: Tensor,
        post: Tensor,
        state: S | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, S]:
        """Return ``(change[post, pre], state)``, as the ``*_step`` function of the rule file."""
        change, after = self.functions.step(pre, post, state, self, dt=dt, weight=weight)
        return change, after

    def window(
        self,
        pre: Tensor,
        post: Tensor,
        state: S | None,
        weight: Tensor | None = None,
        dt: float = 1.0,
    ) -> tuple[Tensor, S]:
        """Return ``(change[post, pre], state)``, as the ``*_window`` function of the rule file."""
        change, after = self.functions.window(pre, post, state, self, dt=dt, weight=weight)
        return change, after


def rule_from_dict(written: Mapping[str, Any]) -> PlasticityRule[Any]:
    """Return the rule that ``to_dict`` described.

    Raises
    ------
    ConfigError
        If the kind is unknown, or a field is not one of the rule or out of range.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> rule = ClassicalSTDP(w_max=float("inf"), learning_rate=0.01)
    >>> rule_from_dict(rule.to_dict()) == rule
    True
    """
    named = dict(written)
    kind = named.pop("kind", None)
    rule: Any = RULES[str(kind)]
    known = {field.name for field in fields(rule)}
    if strangers := sorted(set(named) - known):
        raise ConfigError(
            f"the rule {kind!r} has no such field",
            got=", ".join(strangers),
            expected=", ".join(sorted(known)),
        )
    infinite = ("inf", "-inf")  # a tuple, for a value may be unhashable
    made: PlasticityRule[Any] = rule(
        **{name: float(v) if v in infinite else v for name, v in named.items()}
    )
    return made
