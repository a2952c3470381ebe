"""Speed is a ratio: measured side by side, interleaved, on one thread, the best of several runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from plasticish.core import check_positive, one_thread

__all__ = ["Timing", "side_by_side"]


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs.

    Attributes
    ----------
    seconds : tuple of float
        One a run. Other work on the machine only ever adds, so the minimum is the fair figure.

    Examples
    --------
    >>> Timing((3.0, 1.0, 2.0)).best, Timing((3.0, 1.0, 2.0)).median
    (1.0, 2.0)
    """

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The shortest run."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle run: far above the best, it says that the machine was busy."""
        return median(self.seconds)


def side_by_side(
    callables: Mapping[str, Callable[..., object]],
    repeats: int = 5,
    *,
    setup: Mapping[str, Callable[[], Any]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time several callables in turns, so that a busy moment hits all of them.

    Parameters
    ----------
    callables : mapping of str to callable
        What is timed.
    repeats : int
        Rounds; each round calls every one once.
    setup : mapping of str to callable, optional
        Makes a fresh argument for its callable before each call, outside the time.
    clock : callable
        Gives seconds.

    Returns
    -------
    dict of str to Timing

    Examples
    --------
    >>> times = side_by_side({"sum": lambda: sum(range(100)), "nothing": lambda: None}, repeats=3)
    >>> len(times["sum"].seconds)
    3
    """
    check_positive(repeats=repeats)
    seconds: dict[str, list[float]] = {name: [] for name in callables}
    with one_thread():
        for _ in range(repeats):
            for name, call in callables.items():
                arguments = (setup[name](),) if setup and name in setup else ()
                start = clock()
                call(*arguments)
                seconds[name].append(clock() - start)
    return {name: Timing(tuple(spent)) for name, spent in seconds.items()}
