"""Spikes, and what a controller made of plasticity, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError, check_positive
from .style import COLOURS, INK, class_colours, new_figure, percent_axis, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_meta_plasticity", "plot_raster"]

Array = NDArray[Any]
MARKS = 60_000  # more spikes than this are a grey field, and a file that no viewer opens


@styled
def plot_raster(
    spikes: Any,
    *,
    dt: float = 1.0,
    groups: Mapping[str, int] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw who fired when, and the rate of all under it.

    Parameters
    ----------
    spikes : array ``[time, neurons]``
        Not 0 where a neuron fired; of a batch give one example.
    dt : float
        Length of a step, ms.
    groups : mapping of str to int, optional
        Names of layers or populations and their numbers of neurons, bottom up.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If the spikes are not ``[time, neurons]``, or the groups do not add up.

    Examples
    --------
    >>> import torch
    >>> figure = plot_raster(torch.eye(4), dt=2.0)
    >>> figure.axes[0].get_title("left")
    '4 neurons at 125.0 Hz on average'
    """
    check_positive(dt=dt)
    fired = np.asarray(spikes) != 0
    if fired.ndim != 2 or not fired.size:
        raise ShapeError(
            "spikes have the wrong shape",
            got=str(fired.shape),
            expected="(time, neurons)",
            cure="of a batch take one example with spikes[0]",
        )
    steps, neurons = fired.shape
    named = dict(groups) if groups else {"neurons": neurons}
    if sum(named.values()) != neurons:
        raise ShapeError(
            "the groups do not add up", got=f"{sum(named.values())} neurons", expected=str(neurons)
        )
    figure = new_figure(7.2, 4.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1.0])
    rates = _draw_groups(upper, fired, named, dt)
    width = max(1, steps // 100)
    whole = steps // width * width
    binned = fired[:whole].reshape(-1, width, neurons).mean(axis=(1, 2)) * 1000 / dt
    lower.step(np.arange(len(binned)) * width * dt, binned, where="post", color=INK, linewidth=1.1)
    lower.set_ylabel("Hz")
    lower.set_ylim(bottom=0)
    lower.set_xlim(0, steps * dt)
    lower.set_xlabel("time (ms)")
    quiet_axes(lower, grid="y")
    mean = fired.mean() * 1000 / dt
    finding = f"{neurons:,} neurons at {mean:.1f} Hz on average"
    if len(named) > 1:
        finding = ", ".join(f"{name} {rate:.1f} Hz" for name, rate in rates.items())
    upper.set_title(title or finding)
    return figure


def _draw_groups(
    axis: Axes, fired: Array, groups: Mapping[str, int], dt: float
) -> dict[str, float]:
    """Draw a mark a spike, a colour a group, and return the mean rate of each in Hz."""
    steps, neurons = fired.shape
    thin = max(1, int(np.ceil(fired.sum() / MARKS)))
    size = float(np.clip(260.0 / neurons, 0.4, 5.0))
    first, rates, middles = 0, {}, []
    for colour, (name, count) in zip(class_colours(len(groups)), groups.items(), strict=True):
        times, who = np.nonzero(fired[:, first : first + count])
        axis.plot(
            times[::thin] * dt,
            who[::thin] + first,
            linestyle="none",
            marker="|" if neurons <= 80 else ".",
            markersize=max(size, 2.0) if neurons <= 80 else size,
            color=colour,
            rasterized=len(times) > 5000,
        )
        rates[name] = float(fired[:, first : first + count].mean() * 1000 / dt)
        middles.append(first + count / 2 - 0.5)
        first += count
    if len(groups) > 1:
        axis.set_yticks(middles, list(groups))
    else:
        axis.set_ylabel("neuron")
    axis.set_ylim(-0.5, neurons - 0.5)
    axis.set_xlim(0, steps * dt)
    quiet_axes(axis)
    return rates


@styled
def plot_meta_plasticity(
    learning_rate: Any,
    time_constant: Any,
    stability: Any,
    performance: Any = None,
    *,
    names: Sequence[str] | None = None,
    changes: Sequence[int] = (),
    title: str | None = None,
) -> Figure:
    """Draw what a controller made of each layer's plasticity, and how well it went meanwhile.

    Parameters
    ----------
    learning_rate, time_constant, stability : array ``[steps, layers]``
        The factors of every step; 1 leaves a layer as it is.
    performance : array ``[steps]``, optional
        In [0, 1]; NaN where nothing was measured.
    names : sequence of str, optional
        Of the layers.
    changes : sequence of int
        Steps at which the task changed, drawn as lines.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If the factors differ in shape, or performance or names do not fit them.

    Examples
    --------
    >>> import torch
    >>> steady = torch.ones(50, 2)
    >>> figure = plot_meta_plasticity(2 * steady, steady, steady, torch.linspace(0, 1, 50))
    >>> figure.axes[0].get_title("left")
    'Learning rates between 2.00 and 2.00 times their setting'
    """
    rows = {
        "learning rate": learning_rate,
        "time constant": time_constant,
        "stability": stability,
    }
    factors = {name: np.asarray(values, dtype=float) for name, values in rows.items()}
    shape = factors["learning rate"].shape
    if len(shape) != 2 or 0 in shape or any(v.shape != shape for v in factors.values()):
        raise ShapeError(
            "the factors do not belong together",
            got=", ".join(str(v.shape) for v in factors.values()),
            expected="three of (steps, layers)",
        )
    layers = list(names) if names else [f"layer {k + 1}" for k in range(shape[1])]
    went = None if performance is None else np.asarray(performance, dtype=float)
    if len(layers) != shape[1] or (went is not None and went.shape != shape[:1]):
        raise ShapeError(
            "names or performance do not fit the factors",
            got=f"{len(layers)} names, {None if went is None else went.shape}",
            expected=f"{shape[1]} names, {shape[:1]}",
        )
    count = 3 if went is None else 4
    figure = new_figure(7.2, 1.35 * count + 0.5)
    axes = figure.subplots(count, 1, sharex=True)
    for axis, (name, values) in zip(axes, factors.items(), strict=False):
        _draw_factor(axis, name, values, layers)
    if went is not None:
        measured = np.isfinite(went)
        axes[-1].plot(np.flatnonzero(measured), went[measured], color=INK, linewidth=1.2)
        axes[-1].set_ylabel("performance")
        percent_axis(axes[-1])
        quiet_axes(axes[-1], grid="y")
    for axis in axes:
        for step in changes:
            axis.axvline(step, color=COLOURS[5], linewidth=0.9, linestyle=(0, (3, 3)))
    axes[-1].set_xlim(0, max(shape[0] - 1, 1))
    axes[-1].set_xlabel("step")
    lines, labels = axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=min(len(layers), 6))
    figure.align_ylabels()
    rates = factors["learning rate"]
    finding = f"Learning rates between {rates.min():.2f} and {rates.max():.2f} times their setting"
    axes[0].set_title(title or finding)
    return figure


def _draw_factor(axis: Axes, name: str, values: Array, layers: Sequence[str]) -> None:
    """Draw one factor of every layer, on a scale where halving and doubling look alike."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for series, layer, colour in zip(values.T, layers, class_colours(len(layers)), strict=True):
        axis.plot(series, color=colour, linewidth=1.2, label=layer)
    axis.axhline(1.0, color=INK, linewidth=0.7, linestyle=(0, (1, 2)))
    if float(values.min()) > 0:
        axis.set_yscale("log", base=2)
        axis.yaxis.set_major_locator(LogLocator(base=2))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
        low, high = min(float(values.min()), 1.0), max(float(values.max()), 1.0)
        # At least one doubling either way, so that a steady factor looks steady.
        axis.set_ylim(min(low / 1.1, 0.5), max(high * 1.1, 2.0))
    axis.set_ylabel(name)
    quiet_axes(axis, grid="y")
