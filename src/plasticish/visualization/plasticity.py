"""Rules of spike timing as the experiments show them: by distance, and by frequency.

The figures ask a rule itself: spike times are played through its step function, so that what is
drawn is what a layer would learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core import ConfigError, ShapeError
from ..rules.protocols import SpikeTimes, pairing, play
from .style import GREY, class_colours, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SJOSTROM_2001", "plot_pairing_frequency", "plot_stdp_window"]

Array = NDArray[Any]

SJOSTROM_2001: Mapping[float, tuple[Sequence[float], Sequence[float], Sequence[float]]] = {
    10.0: ((0.1, 10, 20, 40, 50), (-0.04, 0.14, 0.29, 0.53, 0.56), (0.05, 0.10, 0.14, 0.11, 0.26)),
    -10.0: (
        (0.1, 10, 20, 40, 50),
        (-0.29, -0.41, -0.34, 0.56, 0.75),
        (0.08, 0.11, 0.1, 0.32, 0.19),
    ),
}
"""Layer 5 of visual cortex, 60 pairs by delay in ms: frequencies in Hz, mean change, its error
(Sjöström, Turrigiano & Nelson 2001, as Pfister & Gerstner 2006 fitted it)."""


LAGS = 40  # distances that a window is drawn at, on either side


@runtime_checkable
class SpikeRule(Protocol):
    """What is needed of a rule: how it changes a weight, and its learning rate."""

    @property
    def learning_rate(self) -> float: ...

    def step(
        self, pre: Tensor, post: Tensor, state: Any, weight: Tensor, dt: float
    ) -> tuple[Tensor, Any]: ...

    def window(
        self, pre: Tensor, post: Tensor, state: Any, weight: Tensor, dt: float
    ) -> tuple[Tensor, Any]: ...


@styled
def plot_stdp_window(
    rules: SpikeRule | Mapping[str, SpikeRule],
    *,
    reach: float = 100.0,
    pairs: int = 60,
    rate_hz: float = 1.0,
    weight: float = 0.5,
    title: str | None = None,
) -> Figure:
    """Draw the change of a weight against the time between pre- and postsynaptic spike.

    Parameters
    ----------
    rules : rule, or mapping of str to rule
        Such as ``ClassicalSTDP()``; several are drawn into one picture.
    reach : float
        Longest distance of the two spikes, ms.
    pairs : int
        How many pairs are played, one after another.
    rate_hz : float
        How often: the distance must be short beside the pause.
    weight : float
        The weight, which matters to soft bounds only.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ConfigError
        If the pairs would overlap, or a rule waits for a reward.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> figure = plot_stdp_window(ClassicalSTDP())
    >>> figure.axes[0].get_title("left")
    '60 pairs change the weight by −0.25 to +0.67'
    """
    named = _named(rules)
    if 2.1 * reach * rate_hz >= 1000:
        raise ConfigError(
            "the pairs overlap",
            got=f"reach={reach:g} ms at {rate_hz:g} Hz",
            expected=f"reach < {1000 / 2.1 / rate_hz:g} ms",
            cure="take a lower rate_hz",
        )
    # At 0 the two spikes coincide, which is another question.
    lags = np.delete(np.linspace(-reach, reach, 2 * LAGS + 1), LAGS)
    figure = new_figure(5.6, 3.5)
    axis = figure.add_subplot()
    lowest, highest = 0.0, 0.0
    for colour, (name, rule) in zip(class_colours(len(named)), named.items(), strict=True):
        change = _window(rule, reach, pairs, 1000.0 / rate_hz, weight)
        for side in (lags < 0, lags > 0):
            axis.plot(lags[side], change[side], color=colour, label=name if side[0] else None)
        lowest, highest = min(lowest, *change), max(highest, *change)
    axis.axhline(0.0, color=GREY, linewidth=0.8)
    axis.axvline(0.0, color=GREY, linewidth=0.8)
    axis.set_xlim(-reach, reach)
    axis.set_xlabel("postsynaptic after presynaptic spike (ms)")
    axis.set_ylabel("change of the weight")
    quiet_axes(axis, grid="y")
    if len(named) > 1:
        axis.legend(loc="upper left")
    several = f"{pairs} pairs change" if pairs > 1 else "One pair changes"
    finding = f"{several} the weight by {lowest:+.2f} to {highest:+.2f}".replace("-", "−")
    axis.set_title(title or finding)
    return figure


@styled
def plot_pairing_frequency(
    rules: SpikeRule | Mapping[str, SpikeRule],
    *,
    data: Mapping[float, tuple[Sequence[float], Sequence[float], Sequence[float]]] = SJOSTROM_2001,
    pairs: int = 60,
    weight: float = 0.5,
    title: str | None = None,
) -> Figure:
    """Draw the change of a weight against the frequency of pairs, beside measurements.

    Parameters
    ----------
    rules : rule, or mapping of str to rule
        Such as ``TripletSTDP()``.
    data : mapping of float to (frequencies, means, errors)
        By delay of the postsynaptic spike in ms; the curves are drawn for the same delays.
    pairs : int
        How many pairs were given.
    weight : float
        The weight, which matters to soft bounds only.
    title : str, optional
        Replaces the finding that the title states: how far each rule is off the data.

    Raises
    ------
    ShapeError, ConfigError
        If there is no data; if a rule waits for a reward.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import TripletSTDP
    >>> figure = plot_pairing_frequency(TripletSTDP())
    >>> figure.axes[0].get_title("left")
    'Off the data (root mean square): the rule 0.14'
    """
    named = _named(rules)
    if not data:
        raise ShapeError("there is no data to draw", got="no delay", expected="at least one")
    figure = new_figure(5.8, 3.6)
    axis = figure.add_subplot()
    errors: dict[str, list[float]] = {name: [] for name in named}
    for colour, (delay, (measured_at, means, spread)) in zip(
        class_colours(len(data)), data.items(), strict=True
    ):
        axis.errorbar(
            measured_at,
            means,
            spread,
            fmt="o",
            markersize=5,
            color=colour,
            linewidth=1.2,
            capsize=3,
        )
        grid = np.unique([*np.linspace(min(measured_at), max(measured_at), 11), *measured_at])
        protocols = [pairing(pairs, float(rate), delay) for rate in grid]
        for name, style in zip(named, ("-", "--", ":", "-."), strict=False):
            change = _played(named[name], protocols, weight)
            axis.plot(grid, change, style, color=colour)
            at = np.isin(grid, np.asarray(measured_at, dtype=float))
            errors[name].extend(change[at] - np.asarray(means))
        axis.plot(
            [],
            [],
            color=colour,
            label=f"post {abs(delay):g} ms {'after' if delay > 0 else 'before'} pre",
        )
    if len(named) > 1:
        for name, style in zip(named, ("-", "--", ":", "-."), strict=False):
            axis.plot([], [], style, color=GREY, label=name)
    axis.axhline(0.0, color=GREY, linewidth=0.8)
    axis.set_xlabel("frequency of the pairs (Hz)")
    axis.set_ylabel(f"change of the weight by {pairs} pairs")
    axis.legend(loc="upper left")
    quiet_axes(axis, grid="y")
    off = [f"{name} {np.sqrt(np.mean(np.square(e))):.2f}" for name, e in errors.items()]
    axis.set_title(title or f"Off the data (root mean square): {', '.join(off)}")
    return figure


def _named(rules: SpikeRule | Mapping[str, SpikeRule]) -> Mapping[str, SpikeRule]:
    named = rules if isinstance(rules, Mapping) else {"the rule": rules}
    if not named:
        raise ConfigError("there is no rule to draw", expected="at least one")
    for name, rule in named.items():
        if getattr(rule, "takes_reward", False):
            raise ConfigError(
                f"{name} changes nothing without a reward",
                got=type(rule).__name__,
                cure="draw the pair rule that makes it eligible",
            )
    return named


def _played(rule: SpikeRule, protocols: Sequence[SpikeTimes], weight: float) -> Array:
    """Return what each protocol changes; every one has a pair of neurons of its own."""
    count = len(protocols)
    weights = torch.full((count, count), weight, dtype=torch.float64)

    def step(pre: Tensor, post: Tensor, state: Any, dt: float) -> tuple[Tensor, Any]:
        return rule.step(pre, post, state, weights, dt)

    change, _ = play(step, [times.pre for times in protocols], [times.post for times in protocols])
    moved: Array = rule.learning_rate * change.diagonal().numpy()
    return moved


def _window(rule: SpikeRule, reach: float, pairs: int, period: float, weight: float) -> Array:
    """Return what pairs at every distance change: one presynaptic neuron, a postsynaptic one each.

    A pair is a window on a grid of distances, and the pause between two of them one silent step.
    """
    steps, neurons, dt = 2 * LAGS + 1, 2 * LAGS, reach / LAGS
    pre = torch.zeros(1, steps, 1, dtype=torch.float64)
    pre[0, LAGS, 0] = 1.0
    post = torch.eye(steps, dtype=torch.float64)[None]
    post = torch.cat([post[..., :LAGS], post[..., LAGS + 1 :]], dim=-1)
    weights = torch.full((neurons, 1), weight, dtype=torch.float64)
    total, state = torch.zeros_like(weights), None
    for _ in range(pairs):
        change, state = rule.window(pre, post, state, weights, dt)
        pause = period - steps * dt
        settled, state = rule.step(0 * pre[:, 0], 0 * post[:, 0], state, weights, pause)
        total += change + settled
    moved: Array = rule.learning_rate * total[:, 0].numpy()
    return moved
