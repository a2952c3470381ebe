"""What a synapse and its threshold do over time: the BCM rule, and short-term plasticity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core import ConfigError, ShapeError
from ..rules.bcm import phi
from ..rules.short_term import ShortTermParameters, short_term_step, steady_state
from .style import COLOURS, GREY, INK, class_colours, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_bcm", "plot_short_term"]

Array = NDArray[Any]


@styled
def plot_bcm(activity: Any, threshold: Any, *, dt: float = 1.0, title: str | None = None) -> Figure:
    """Draw the function of the BCM rule, and how its threshold slid under a neuron's activity.

    Parameters
    ----------
    activity : array ``[steps]`` or ``[steps, patterns]``
        What the neuron did, or would answer to each pattern.
    threshold : array ``[steps]``
        Its threshold.
    dt : float
        Length of a step, ms.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If they differ in length, or are empty.

    Examples
    --------
    >>> figure = plot_bcm([0.5, 1.0, 1.5], [0.2, 0.5, 1.0])
    >>> figure.axes[1].get_title("left")
    'The threshold went from 0.2 to 1'
    """
    y, theta = (np.asarray(values, dtype=float) for values in (activity, threshold))
    if y.ndim not in (1, 2) or theta.ndim != 1 or len(y) != len(theta) or not y.size:
        raise ShapeError(
            "activity and threshold do not belong together",
            got=f"{y.shape} and {theta.shape}",
            expected="(steps,) or (steps, patterns), and (steps,)",
        )
    figure = new_figure(8.4, 3.3)
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.5])
    high = 1.15 * max(float(y.max()), float(theta.max()), 1e-9)
    _draw_phi(left, theta, high)
    time = np.arange(len(y)) * dt
    answers = y[:, None] if y.ndim == 1 else y
    for index, answer in enumerate(answers.T):
        name = "activity" if y.ndim == 1 else "answer to each pattern"
        right.plot(time, answer, color=COLOURS[0], label=None if index else name)
    right.plot(time, theta, color=COLOURS[5], label="threshold θ")
    right.set_xlabel("time (ms)")
    right.set_xlim(0, max(time[-1], dt))
    right.legend(loc="upper left")
    right.set_ylim(top=1.1 * high)  # room for the legend above the curves
    quiet_axes(right, grid="y")
    right.set_title(title or f"The threshold went from {theta[0]:.2g} to {theta[-1]:.2g}")
    return figure


def _draw_phi(axis: Axes, theta: Array, high: float) -> None:
    """Draw the change against the activity, for the threshold at three times."""
    y = torch.linspace(0.0, high, 200, dtype=torch.float64)
    moments = (
        (0, "start", 0.35),
        (len(theta) // 2, "half-way", 0.65),
        (len(theta) - 1, "end", 1.0),
    )
    for index, name, alpha in moments:
        change = phi(y, torch.tensor(theta[index]))
        axis.plot(y, change, color=COLOURS[5], alpha=alpha, label=f"{name}, θ = {theta[index]:.2g}")
    axis.axhline(0.0, color=GREY, linewidth=0.8)
    axis.set_xlim(0, high)
    axis.set_xlabel("activity y")
    axis.set_ylabel("change, y (y − θ)")
    axis.legend(loc="upper left")
    axis.set_title("Above θ activity strengthens")
    quiet_axes(axis, grid="y")


@styled
def plot_short_term(
    synapses: Mapping[str, ShortTermParameters] | None = None,
    *,
    rate_hz: float = 20.0,
    spikes: int = 10,
    pause: float = 500.0,
    title: str | None = None,
) -> Figure:
    """Draw what each spike of a train releases, and one more after a pause.

    Parameters
    ----------
    synapses : mapping of str to ShortTermParameters, optional
        One row each; by default a depressing and a facilitating one.
    rate_hz : float
        Of the train.
    spikes : int
        In the train.
    pause : float
        Until the last spike, ms.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ConfigError
        If there is no spike or no synapse.

    Examples
    --------
    >>> figure = plot_short_term()
    >>> [axis.get_title("left") for axis in figure.axes]
    ['Depressing settles at 11 % of the first release', 'Facilitating settles at 552 % of ...']
    """
    rows = synapses or {
        "depressing": ShortTermParameters.depressing(),
        "facilitating": ShortTermParameters.facilitating(),
    }
    if spikes < 1:
        raise ConfigError("there is nothing to draw", got=f"spikes={spikes}", expected=">= 1")
    gap = 1000.0 / rate_hz
    gaps = [gap] * spikes + [pause]
    times = np.cumsum([0.0, *gaps[1:]])
    figure = new_figure(6.0, 1.75 * len(rows) + 0.5)
    axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    spike = torch.ones(1, 1, dtype=torch.float64)
    for axis, (name, synapse), colour in zip(
        axes, rows.items(), class_colours(len(rows)), strict=True
    ):
        released, state = [], None
        for length in gaps:
            release, state = short_term_step(spike, state, synapse, dt=length)
            released.append(release.item())
        steady = steady_state(synapse, rate_hz).release
        axis.vlines(times, 0.0, released, color=colour, linewidth=2.5)
        axis.plot(times, released, "o", color=colour, markersize=4.5)
        axis.axhline(steady, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        axis.annotate(
            "steady",
            (1.0, steady),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
        axis.set_ylim(0.0, 1.15 * max(*released, steady))
        axis.set_ylabel("release")
        share = 100 * steady / released[0]
        axis.set_title(title or f"{_capital(name)} settles at {share:.0f} % of the first release")
        quiet_axes(axis, grid="y")
    axes[-1].set_xlabel(f"time (ms), {rate_hz:g} Hz and one spike {pause:g} ms later")
    return figure


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
