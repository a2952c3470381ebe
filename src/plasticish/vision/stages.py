"""Which stages of a backbone make the features, in the words that a user writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from ..core import ConfigError

__all__ = ["Stages", "choose_stages", "list_stages"]

Stages = str | int | Sequence[int]
"""``"last"``, ``"all"``, ``"last3"`` or ``3`` (the last three), or indices such as ``(0, -1)``."""


def list_stages(stages: Stages) -> Stages:
    """Return ``stages`` with indices as a tuple, whatever sequence they came in."""
    return tuple(stages) if isinstance(stages, list | range) else stages


def choose_stages(stages: Stages, count: int) -> tuple[int, ...]:
    """Return the indices, of ``count`` stages, that ``stages`` asks for.

    Raises
    ------
    ConfigError
        If it asks for none, for one twice, or for one that is not there.

    Examples
    --------
    >>> choose_stages("last", 7), choose_stages("last3", 7), choose_stages((0, -1), 7)
    ((6,), (4, 5, 6), (0, 6))
    """
    wanted: tuple[int, ...] = ()
    if isinstance(stages, str):
        number = stages.removeprefix("last")
        if stages == "all":
            wanted = tuple(range(count))
        elif stages == "last":
            wanted = (count - 1,)
        elif stages.startswith("last") and number.isdecimal():
            wanted = _last(int(number), count)
    elif isinstance(stages, int):
        wanted = () if isinstance(stages, bool) else _last(stages, count)
    elif isinstance(stages, Sequence) and _are_whole(stages):
        inside = all(-count <= s < count for s in stages)
        wanted = tuple(s % count for s in stages) if inside else ()
    if not wanted or len(set(wanted)) != len(wanted):
        raise ConfigError(
            "stages are not there",
            got=repr(stages),
            expected=f"'last', 'all', 'last1' to 'last{count}', a number from 1 to {count}, "
            f"or different indices below {count}",
        )
    return wanted


def _are_whole(stages: Sequence[object]) -> TypeGuard[Sequence[int]]:
    return all(isinstance(s, int) and not isinstance(s, bool) for s in stages)


def _last(number: int, count: int) -> tuple[int, ...]:
    return tuple(range(count - number, count)) if 0 < number <= count else ()
