"""Arguments of a configuration: sizes that have to be whole, names that have to be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from plasticish.core import ConfigError

__all__ = ["check_known", "check_sizes"]


def check_sizes(**values: int) -> None:
    """Raise :class:`ConfigError` for the first named value that is not a whole number >= 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(
                f"{name} is out of range", got=repr(value), expected="a whole number >= 1"
            )


def check_known(what: str, names: Iterable[str], configuration: Any) -> None:
    """Raise :class:`ConfigError` for the first name that is no field of a dataclass."""
    known = [entry.name for entry in fields(configuration)]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"unknown field of {what}", got=repr(name), expected="one of: " + ", ".join(known)
            )
