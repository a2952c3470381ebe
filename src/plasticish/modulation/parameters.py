"""What the frozen parameters of a neuromodulator have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from numbers import Real
from typing import Any, TypeVar

from plasticish.core import ConfigError, DTypeError

__all__ = ["as_parameters", "check_share"]

P = TypeVar("P")


def check_share(least: float = 0.0, most: float = 1.0, **values: float) -> None:
    """Raise :class:`ConfigError` for the first named value outside ``[least, most]``."""
    for name, value in values.items():
        number = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
        if not number or not least <= value <= most:
            upper = f" <= {most:g}" if isfinite(most) else ""
            raise ConfigError(
                f"{name} is out of range", got=repr(value), expected=f"{least:g} <= {name}{upper}"
            )


def as_parameters(kind: type[P], given: P | Mapping[str, Any] | None) -> P:
    """Return ``given``, or the parameters that a checkpoint wrote as a mapping.

    Raises
    ------
    DTypeError, ConfigError
        If it is neither, or names a field that there is not.
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping | None):
        raise DTypeError(
            "these are no parameters",
            got=type(given).__name__,
            expected=f"{kind.__name__}, or a mapping of its fields",
        )
    values = dict(given or {})
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise ConfigError(
            f"{kind.__name__} has no such field",
            got=", ".join(map(repr, unknown)),
            expected="some of: " + ", ".join(sorted(known)),
        )
    return kind(**values)
