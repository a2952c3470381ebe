"""Names for things that plug in: learners, scenarios, and whatever a user adds to them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from .errors import ConfigError

__all__ = ["LEARNERS", "Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """A named table that things enter by decorator and leave by name.

    What packages announce as entry points of its group is in it too. Each is imported when it is
    asked for by name and is not known yet; a built-in name cannot be taken.

    Parameters
    ----------
    kind : str
        What its entries are, for messages.
    group : str, optional
        Group of the entry points, such as ``"plasticish.learners"``.

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

    def __init__(self, kind: str, group: str | None = None) -> None:
        self.kind, self.group = kind, group
        self._entries: dict[str, T] = {}
        self._announced: dict[str, EntryPoint] | None = None

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
        # A name out of a file may be anything, a list for instance, which no table could look up.
        if not isinstance(name, str) or name not in self._entries:
            self._load(name)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._entries or name in self._plugins())

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._entries, *self._plugins()}))

    def __len__(self) -> int:
        return len({*self._entries, *self._plugins()})

    def _load(self, name: str) -> None:
        """Import what another package announced by this name.

        Raises
        ------
        ConfigError
            If nobody did, or it cannot be imported.
        """
        plugin = self._plugins().get(name) if isinstance(name, str) else None
        if plugin is None:
            raise ConfigError(
                f"unknown {self.kind}", got=repr(name), expected="one of: " + ", ".join(self)
            )
        try:
            entry = plugin.load()
        except Exception as error:  # another package's code may fail in any way
            raise ConfigError(
                f"{self.kind} {name!r} cannot be imported",
                got=f"{plugin.value}: {type(error).__name__}: {error}",
                cure="mend or uninstall the package that announces it",
            ) from error
        self._entries.setdefault(name, entry)  # its module may have registered it by decorator

    def _plugins(self) -> dict[str, EntryPoint]:
        """Return what other packages announce, by name; it is looked up once."""
        if self._announced is None:
            self._announced = {}
            found = entry_points(group=self.group) if self.group else ()
            for plugin in sorted(found, key=lambda one: not one.value.startswith("plasticish.")):
                first = self._announced.setdefault(plugin.name, plugin)
                if first.value != plugin.value:
                    warnings.warn(
                        f"two packages announce the {self.kind} {plugin.name!r}: {first.value} is "
                        f"taken, {plugin.value} is not; uninstall one of them",
                        stacklevel=3,
                    )
        return self._announced


def _origin(entry: object) -> object:
    # Only classes and functions have a name of their own: an instance has just its class's module.
    name = getattr(entry, "__qualname__", None)
    return (getattr(entry, "__module__", None), name) if name else entry


LEARNERS: Registry[type] = Registry("learner", "plasticish.learners")
"""Every learner class by its permanent name; a checkpoint's ``kind`` is such a name."""
