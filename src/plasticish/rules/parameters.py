"""What every rule that moves a bounded weight has in common."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any, Literal, TypeVar, get_args

from plasticish.core import ConfigError, check_positive

__all__ = ["BoundsKind", "Reduction", "RuleParameters", "check_choice"]

BoundsKind = Literal["hard", "soft", "multiplicative"]
Reduction = Literal["mean", "sum"]
P = TypeVar("P", bound="RuleParameters")


def check_choice(name: str, value: object, choices: Any) -> None:
    """Raise :class:`ConfigError` unless ``value`` is one of the strings of a ``Literal``."""
    if value not in get_args(choices):
        expected = ", ".join(repr(choice) for choice in get_args(choices))
        raise ConfigError(f"unknown {name}", got=repr(value), expected=f"one of: {expected}")


@dataclass(frozen=True, kw_only=True)
class RuleParameters:
    """Rate, bounds and batch reduction; a rule's own parameters are added by subclasses.

    Attributes
    ----------
    learning_rate : float
        Factor on every change; with 1 the amplitudes of the rule are those of its paper.
    w_min, w_max : float
        Bounds of the weight, in its own unit; ``-inf`` and ``inf`` for none (hard bounds only).
    bounds : {"hard", "soft", "multiplicative"}
        How the bounds are kept; see :mod:`plasticish.rules.bounds`.
    mu : float
        Exponent of soft bounds, > 0; 1 is linear.
    reduction : {"mean", "sum"}
        What the changes of the examples of a batch make together: their mean (so that repeating a
        batch changes nothing), or their sum (as if they had come one after another).

    Raises
    ------
    ConfigError
        If a value is outside its range; the message names the field.

    Examples
    --------
    >>> RuleParameters(w_min=1.0, w_max=0.0)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: the bounds of the weight are empty: got w_min=1.0, \
w_max=0.0, expected w_min < w_max
    """

    learning_rate: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    bounds: str = "hard"
    mu: float = 1.0
    reduction: str = "mean"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # The constructors of the prototype took numbers of any kind; NaN is never meant.
            if isinstance(value, float) and value != value:
                raise ConfigError(f"{field.name} is NaN", expected="a number")
        check_positive(mu=self.mu)
        if not isfinite(self.learning_rate) or self.learning_rate < 0:
            raise ConfigError(
                "learning_rate is out of range",
                got=repr(self.learning_rate),
                expected="a finite number >= 0",
            )
        if not self.w_min < self.w_max:
            raise ConfigError(
                "the bounds of the weight are empty",
                got=f"w_min={self.w_min!r}, w_max={self.w_max!r}",
                expected="w_min < w_max",
            )
        check_choice("bounds", self.bounds, BoundsKind)
        check_choice("reduction", self.reduction, Reduction)
        if self.bounds != "hard" and not (isfinite(self.w_min) and isfinite(self.w_max)):
            raise ConfigError(
                f"{self.bounds} bounds need both ends",
                got=f"w_min={self.w_min!r}, w_max={self.w_max!r}",
                expected="finite numbers",
                cure="give them, or take bounds='hard'",
            )

    def but(self: P, **changes: Any) -> P:
        """Return a copy with some fields changed, checked anew.

        Examples
        --------
        >>> RuleParameters().but(w_max=2.0).w_max
        2.0
        """
        return replace(self, **changes)
