"""Names for things that plug in: learners, scenarios, and whatever a user adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .errors import ConfigError

__all__ = ["LEARNERS", "Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """A named table that things enter by decorator and leave by name.

    Examples
    --------
    >>> colours = Registry[int]("colour")
    >>> colours.add("red", 1)
    1
    >>> colours["red"]
    1
    >>> colours["blue"]
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: unknown colour: got 'blue', expected one of: red
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Register ``entry``; a name is permanent (a reloaded module may give it again)."""
        if name in self._entries and _origin(self._entries[name]) != _origin(entry):
            raise ConfigError(
                f"{self.kind} {name!r} is registered already", cure="choose another name"
            )
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers what it decorates."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigError(
                f"unknown {self.kind}",
                got=repr(name),
                expected="one of: " + ", ".join(sorted(self._entries)),
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)


def _origin(entry: object) -> object:
    # Only classes and functions have a name of their own: an instance has just its class's module.
    name = getattr(entry, "__qualname__", None)
    return (getattr(entry, "__module__", None), name) if name else entry


LEARNERS: Registry[type] = Registry("learner")
"""Every learner class by its permanent name; a checkpoint's ``kind`` is such a name."""
