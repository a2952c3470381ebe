"""Clocks that do not run backwards, whatever the one of the machine does."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["forward"]


class _Forward:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = self._now = clock()

    def __call__(self) -> float:
        seen = self._clock()
        self._now += max(0.0, seen - self._last)
        self._last = seen
        return self._now


def forward(clock: Callable[[], float]) -> Callable[[], float]:
    """Return a clock that goes on from where it was when ``clock`` jumps back.

    No interval that is measured with it is negative, and nothing that is due in a while has to
    wait until the clock has caught up with itself.

    Parameters
    ----------
    clock : callable
        Returns seconds.

    Examples
    --------
    >>> readings = iter([100.0, 101.0, 41.0, 43.0])
    >>> now = forward(lambda: next(readings))
    >>> [now(), now(), now()]
    [101.0, 101.0, 103.0]
    """
    return clock if isinstance(clock, _Forward) else _Forward(clock)
