"""Progress for anything over two seconds: a bar in a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

__all__ = ["progress_enabled", "quiet", "track"]

T = TypeVar("T")
_quiet: ContextVar[bool] = ContextVar("plasticish_quiet", default=False)


def progress_enabled() -> bool:
    """Whether a bar would be drawn: a terminal on stderr, and nobody asked for quiet."""
    return not _quiet.get() and sys.stderr.isatty()


@contextmanager
def quiet(enabled: bool = True) -> Iterator[None]:
    """Draw no progress inside this block (``--quiet`` and ``--json`` use it).

    Examples
    --------
    >>> with quiet():
    ...     progress_enabled()
    False
    """
    token = _quiet.set(enabled or _quiet.get())
    try:
        yield
    finally:
        _quiet.reset(token)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield from ``items`` under a progress bar on stderr.

    Parameters
    ----------
    items : iterable
        What is worked through.
    description : str
        What is being done, shown beside the bar.
    total : int, optional
        Number of items, if ``len(items)`` is not known.

    Examples
    --------
    >>> list(track(range(3), "counting"))
    [0, 1, 2]
    """
    if not progress_enabled():
        yield from items
        return
    from rich.console import Console  # loaded only where a bar is drawn
    from rich.progress import track as rich_track

    yield from rich_track(
        items, description=description, total=total, console=Console(stderr=True), transient=True
    )
