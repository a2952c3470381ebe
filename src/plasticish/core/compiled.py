"""How inner loops are compiled: once on a machine, kept on the disk, and not in silence.

Compiling takes seconds, in which a program seems to hang; so a terminal is told, once.
Import this module where a kernel is defined, and nowhere else: the compiler is slow to load.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit
from numba.core import event

from .progress import progress_enabled

__all__ = ["compiled", "compiler", "inlined"]

F = TypeVar("F", bound=Callable[..., Any])
NOTICE = "Compiling the inner loops for this machine; once, for up to half a minute."


def compiler(**options: Any) -> Callable[[F], F]:
    """Return a decorator that compiles a kernel with options of ``numba.njit``.

    The machine code is kept beside the source, or where Numba keeps it if nothing can be written
    there. A kernel also carries ``@no_type_check``: run-time type checks cannot enter it.

    Examples
    --------
    >>> @compiler(fastmath=True)
    ... def twice(x):
    ...     return x + x
    >>> twice(21)
    42
    """

    def decorate(function: F) -> F:
        return njit(function, cache=_has_a_file(function), **options)  # type: ignore[no-any-return]

    return decorate


def compiled(function: F) -> F:
    """Compile a kernel as it stands (:func:`compiler` without options)."""
    return compiler()(function)


def inlined(function: F) -> F:
    """Compile a kernel that is pasted into its callers."""
    return compiler(inline="always")(function)


def _has_a_file(function: Callable[..., Any]) -> bool:
    # What is typed into a session or a doctest has no source file to stand beside.
    return not function.__code__.co_filename.startswith("<")


class _Notice(event.Listener):
    """Say so when a kernel is compiled that was not found on the disk."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said and progress_enabled():
            print(NOTICE, file=sys.stderr, flush=True)
            self.said = True

    def on_end(self, event: Any) -> None: ...


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]
