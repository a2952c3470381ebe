"""Arguments of a configuration: sizes that have to be whole, names that have to be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from plasticish.core import ConfigError

__all__ = ["check_known", "check_sizes"]

LARGEST = 10_000_000


def check_sizes(**values: int) -> None:
    """Raise :class:`ConfigError` for the first named value that is no whole number in range."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
            raise ConfigError(
                f"{name} is out of range",
                got=repr(value),
                expected=f"a whole number from 1 to {LARGEST:,}",
            )


def check_known(what: str, names: Iterable[str], configuration: Any) -> None:
    """Raise :class:`ConfigError` for the first name that is no field of a dataclass."""
    known = [entry.name for entry in fields(configuration)]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"unknown field of {what}", got=repr(name), expected="one of: " + ", ".join(known)
            )
