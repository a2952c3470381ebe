"""How the inner loops of this package are compiled: once, and kept beside the source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

__all__ = ["compiled", "inlined"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a kernel with numba and cache the machine code on disk.

    A kernel also carries ``@no_type_check``: run-time type checks cannot enter compiled code.

    Examples
    --------
    >>> @compiled
    ... def twice(x):
    ...     return x + x
    >>> twice(21)
    42
    """
    return njit(function, cache=_has_a_file(function))  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """Compile a kernel that is pasted into its callers."""
    return njit(function, cache=_has_a_file(function), inline="always")  # type: ignore[no-any-return]


def _has_a_file(function: Callable[..., Any]) -> bool:
    # What is typed into a session or a doctest has no source file to stand beside.
    return not function.__code__.co_filename.startswith("<")
