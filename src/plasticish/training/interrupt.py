"""Ctrl-C without torn state: the step in hand is finished first."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["InterruptGuard"]


class InterruptGuard:
    """Turn the first Ctrl-C inside the block into a request; a second one raises at once.

    A brain that is stopped in the middle of a step is half changed. The trainer asks
    :attr:`requested` between steps. Outside the main thread, where signals never arrive, this
    does nothing.

    Examples
    --------
    >>> with InterruptGuard() as guard:
    ...     guard.requested
    False
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> InterruptGuard:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
