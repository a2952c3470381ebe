"""Pairing protocols of the experiments, and how to play spike times to a rule.

The experiments that rules are fitted to give spike *times*. :func:`play` takes them to the step
function of any rule: event by event, which is exact for any times since every rule decays exactly,
or on a grid of ``dt``, as a simulation would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from plasticish.core import ConfigError, DataError, ShapeError, check_positive

__all__ = ["SpikeTimes", "pairing", "play", "spike_trains", "triplets"]

S = TypeVar("S")
Step = Callable[[Tensor, Tensor, S | None, float], tuple[Tensor, S]]
Times = Sequence[Sequence[float]]


class SpikeTimes(NamedTuple):
    """Spike times of one pre- and one postsynaptic neuron, in ms."""

    pre: tuple[float, ...]
    post: tuple[float, ...]


def pairing(pairs: int, rate_hz: float, delay: float) -> SpikeTimes:
    """Return ``pairs`` pairs at ``rate_hz``, the postsynaptic spike ``delay`` ms after the other.

    Examples
    --------
    >>> pairing(2, 10.0, -10.0)
    SpikeTimes(pre=(10.0, 110.0), post=(0.0, 100.0))
    """
    first = max(-delay, 0.0)
    return _repeated((first,), (first + delay,), pairs, rate_hz)


def triplets(
    repeats: int, rate_hz: float, first: float, second: float, *, middle: str
) -> SpikeTimes:
    """Return triplets of spikes, each given by two distances post minus pre, in ms.

    Parameters
    ----------
    repeats : int
        Number of triplets.
    rate_hz : float
        How often they come.
    first, second : float
        Time of the postsynaptic less that of the presynaptic spike, in the first and in the
        second pair of the triplet: (5, -5) for pre-post-pre, (-5, 5) for post-pre-post.
    middle : {"pre", "post"}
        The neuron with one spike.

    Examples
    --------
    >>> triplets(1, 1.0, 5.0, -15.0, middle="post")
    SpikeTimes(pre=(0.0, 20.0), post=(5.0,))
    """
    if middle not in ("pre", "post"):
        raise ConfigError("unknown middle", got=repr(middle), expected="'pre' or 'post'")
    before, after = (first, -second) if middle == "post" else (-first, second)
    if before < 0 or after < 0:
        raise ConfigError(
            f"these distances put no {middle} spike in the middle",
            got=f"({first!r}, {second!r})",
            expected="(+, -) around a post spike, (-, +) around a pre spike",
        )
    outer, inner = (0.0, before + after), (before,)
    pre, post = (outer, inner) if middle == "post" else (inner, outer)
    return _repeated(pre, post, repeats, rate_hz)


def _repeated(
    pre: tuple[float, ...], post: tuple[float, ...], repeats: int, rate_hz: float
) -> SpikeTimes:
    check_positive(repeats=repeats, rate_hz=rate_hz)
    starts = [1000.0 * k / rate_hz for k in range(repeats)]
    return SpikeTimes(
        tuple(start + time for start in starts for time in pre),
        tuple(start + time for start in starts for time in post),
    )


def spike_trains(
    times: Times, dt: float, steps: int, *, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return spike times as trains ``[1, time, neurons]``; two at one time count as 2.

    Parameters
    ----------
    times : sequence of sequences of float
        Times of every neuron, in ms >= 0, multiples of ``dt``.
    dt : float
        Length of a step, ms.
    steps : int
        Length of the trains; a spike at time 0 is in the first step.

    Raises
    ------
    DataError
        If a time is off the grid or outside the trains.

    Examples
    --------
    >>> spike_trains([[0.0, 1.0], [0.5]], dt=0.5, steps=3)[0].tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    check_positive(dt=dt)
    trains = torch.zeros(1, steps, len(times), dtype=dtype)
    for neuron, own in enumerate(times):
        for time in own:
            step = _on_grid(time, dt)
            if not 0 <= step < steps:
                raise DataError(
                    "a spike is outside the trains",
                    got=f"{time!r} ms",
                    expected=f"0 <= time < {steps * dt:g}",
                )
            trains[0, step, neuron] += 1.0
    return trains


def play(
    step: Step[S],
    pre: Times,
    post: Times,
    *,
    dt: float | None = None,
    silence: float = inf,
    state: S | None = None,
    dtype: torch.dtype = torch.float64,
) -> tuple[Tensor, S | None]:
    """Play spike times to a rule and return the sum of its changes, and its state at the end.

    Parameters
    ----------
    step : callable
        ``step(pre[1, pre], post[1, post], state, dt) -> (change, state)``.
    pre, post : sequence of sequences of float
        Spike times of every neuron, in ms >= 0.
    dt : float, optional
        Length of a step; every time has to be a multiple. By default there is one step an event,
        as long as the time since the one before.
    silence : float
        With ``dt``: a silence is stepped through for so many ms only, and the rest of it is one
        step. Nothing but a rule whose decay is not exact can tell the difference.
    state : tuple of Tensor, optional
        What the rule starts from; None for a long silence.
    dtype : torch.dtype
        Of the spikes.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Not multiplied by a learning rate; the weight is what ``step`` takes it to be.
    state : tuple of Tensor or None
        None if there was no spike at all.

    Raises
    ------
    ShapeError, DataError
        If there is no neuron on a side, or a time is negative or off the grid.

    Examples
    --------
    >>> from plasticish.rules.stdp import STDPParameters, stdp_step
    >>> def rule(pre, post, state, dt):
    ...     return stdp_step(pre, post, state, STDPParameters(), dt=dt)
    >>> times = pairing(60, 1.0, 10.0)
    >>> change, _ = play(rule, [times.pre], [times.post])
    >>> round(change.item(), 4)  # 0.777 exp(-10 / 16.8)
    0.4285
    """
    if not pre or not post:
        raise ShapeError(
            "a side has no neurons", got=f"{len(pre)} and {len(post)}", expected="at least one"
        )
    events = _events(pre, post, dt, dtype)
    quiet = (torch.zeros(1, len(pre), dtype=dtype), torch.zeros(1, len(post), dtype=dtype))
    change = torch.zeros(len(post), len(pre), dtype=dtype)
    before = 0.0
    for time in sorted(events):
        for length, last in _steps(time - before, dt, silence):
            moved, state = step(*(events[time] if last else quiet), state, length)
            change = change + moved
        before = time
    return change, state


def _events(
    pre: Times, post: Times, dt: float | None, dtype: torch.dtype
) -> dict[float, tuple[Tensor, Tensor]]:
    """Return the spikes of every time at which there are any."""
    events: dict[float, tuple[Tensor, Tensor]] = {}
    for side, neurons in enumerate((pre, post)):
        for neuron, times in enumerate(neurons):
            for time in times:
                if not 0 <= time < inf:
                    raise DataError("a spike time is out of range", got=repr(time), expected=">= 0")
                # On a grid the time is the step, so that rounding cannot split an event in two.
                key = time if dt is None else _on_grid(time, dt) * dt
                if key not in events:
                    events[key] = (
                        torch.zeros(1, len(pre), dtype=dtype),
                        torch.zeros(1, len(post), dtype=dtype),
                    )
                events[key][side][0, neuron] += 1.0
    return events


def _on_grid(time: float, dt: float) -> int:
    step = round(time / dt)
    if abs(step * dt - time) > 1e-6 * dt:
        raise DataError(
            "a spike time is off the grid",
            got=f"{time!r} ms",
            expected=f"a multiple of dt={dt!r}",
            cure="take a dt that divides every time, or dt=None",
        )
    return step


def _steps(gap: float, dt: float | None, silence: float) -> Iterator[tuple[float, bool]]:
    """Yield the lengths of the steps that cross a gap, and whether each is the one of the event."""
    if dt is None or gap <= 0:
        # The very first event may be at time 0, and a step needs a length.
        yield gap if gap > 0 else dt or 1.0, True
        return
    count = round(gap / dt)
    walked = count if gap <= silence else max(int(silence / dt), 1)
    for index in range(1, walked + 1):
        yield dt, index == count
    if walked < count:
        yield (count - walked) * dt, True
