"""A training run as a picture: accuracy, what it kept, and what went on inside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..core import NotReadyError
from .matrices import draw_matrix, kept_finding
from .protocols import HistoryLike
from .style import (
    COLOURS,
    GREY,
    INK,
    PALE,
    new_figure,
    percent_axis,
    quiet_axes,
    spread_labels,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_history"]

Array = NDArray[Any]


@styled
def plot_history(history: HistoryLike, title: str | None = None) -> Figure:
    """Draw a training run.

    Above, the accuracy of each batch before it was learned, and of the evaluation loaders; below,
    the inside of the brain (memory fill, mature neurons, context energy), and the accuracy matrix
    where the run measured one.

    Parameters
    ----------
    history : HistoryLike
        Such as :class:`plasticish.training.TrainingHistory`.
    title : str, optional
        Replaces the finding that the title states.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotReadyError
        If no step was taken.
    """
    steps = len(history.series.get("phase", ()))
    if steps == 0:
        raise NotReadyError("there is nothing to draw", got="0 steps", cure="call train() first")
    matrix = _matrix(history)
    figure = new_figure(9.0, 5.6)
    grid = figure.add_gridspec(2, 5, height_ratios=(1.25, 1.0))
    top = figure.add_subplot(grid[0, :])
    bottom = figure.add_subplot(grid[1, :3] if matrix is not None else grid[1, :])
    shade_phases(top, history, steps, named=True)
    _draw_accuracy(top, history)
    top.set_title(title or _finding(history, matrix), pad=20)
    shade_phases(bottom, history, steps, named=False)
    _draw_inside(bottom, history)
    if matrix is not None:
        beside = figure.add_subplot(grid[1, 3:])
        draw_matrix(beside, matrix, list(history.phase_names)[: len(matrix)])
        beside.set_title("accuracy on each task", fontsize=9, fontweight="normal")
    return figure


def smoothed(values: Sequence[float], window: int) -> Array:
    """Return the running mean over at most ``window`` past values, NaN left out.

    Examples
    --------
    >>> smoothed([1.0, float("nan"), 0.0], window=2).tolist()
    [1.0, 1.0, 0.0]
    """
    data = np.asarray(values, dtype=float)
    known = np.isfinite(data)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, data, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    last = np.arange(1, len(data) + 1)
    first = np.maximum(last - window, 0)
    there = count[last] - count[first]
    mean = (total[last] - total[first]) / np.maximum(there, 1)
    return np.where(there > 0, mean, np.nan)


def _matrix(history: HistoryLike) -> Array | None:
    try:
        matrix: Array = np.asarray(cast(Any, history).accuracy_matrix, dtype=float)
    except (NotReadyError, AttributeError):
        return None
    return matrix if len(matrix) > 1 else None


def _finding(history: HistoryLike, matrix: Array | None) -> str:
    if matrix is not None:
        return kept_finding(matrix)
    ends = [e for e in history.evaluations if e.phase_end and e.accuracy]
    if ends:
        name, value = next(iter(ends[-1].accuracy.items()))
        return f"{100 * value:.1f} % right on {name!r} at the end"
    return "Accuracy while learning"


def shade_phases(axis: Axes, history: HistoryLike, steps: int, *, named: bool) -> None:
    """Tell the phases apart by a pale background, and name them above the plot."""
    edges = [0, *history.boundaries]
    if edges[-1] < steps:
        edges.append(steps)  # an interrupted phase
    for index, (start, stop) in enumerate(pairwise(edges)):
        if index % 2 == 0:
            axis.axvspan(start, stop, color=PALE, zorder=0, linewidth=0)
        if named and stop > start:
            axis.text(
                (start + stop) / 2,
                1.02,
                history.phase_names[index],
                transform=axis.get_xaxis_transform(),
                ha="center",
                va="bottom",
                color=INK,
                fontsize=9,
            )
    axis.set_xlim(0, steps)


def _draw_accuracy(axis: Axes, history: HistoryLike) -> None:
    steps = len(history.series["phase"])
    online = history.series.get("accuracy", [])
    window = max(5, steps // 40)
    ends: list[tuple[float, str, Any]] = []
    if np.isfinite(online).any():
        curve = smoothed(online, window)
        axis.plot(np.arange(1, steps + 1), curve, color=GREY, linewidth=1.2)
        ends.append((float(curve[np.isfinite(curve)][-1]), "each batch, before learning it", GREY))
    names = list(dict.fromkeys(name for e in history.evaluations for name in e.accuracy))
    for index, name in enumerate(names):
        points = [(e.step, e.accuracy[name]) for e in history.evaluations if name in e.accuracy]
        colour = COLOURS[index % len(COLOURS)]
        x, y = zip(*points, strict=True)
        axis.plot(x, y, color=colour, marker="o", markersize=5, clip_on=False, zorder=3)
        ends.append((y[-1], name, colour))
    heights = spread_labels([end[0] for end in ends], gap=0.085, low=0.0, high=1.0)
    for (_, name, colour), height in zip(ends, heights, strict=True):
        axis.text(
            1.012, height, name, color=colour, transform=axis.get_yaxis_transform(), va="center"
        )
    percent_axis(axis)
    quiet_axes(axis, grid="y")
    axis.set_ylabel("accuracy")


def _draw_inside(axis: Axes, history: HistoryLike) -> None:
    steps = np.arange(1, len(history.series["phase"]) + 1)
    shares = [
        ("memory_fill", "memory in use", COLOURS[0]),
        ("mature", "mature neurons", COLOURS[2]),
    ]
    drawn = False
    for name, label, colour in shares:
        values = np.asarray(history.series.get(name, []), dtype=float)
        if np.isfinite(values).any():
            axis.plot(steps, values, color=colour, label=label, clip_on=False, zorder=3)
            drawn = True
    percent_axis(axis)
    energy = np.asarray(history.series.get("context_energy", []), dtype=float)
    if np.isfinite(energy).any():
        other = axis.twinx() if drawn else axis
        other.plot(steps, energy, color=COLOURS[5], label="context energy", linewidth=1.2)
        top = float(np.nanmax(energy)) or 1.0
        other.set_ylim(0, 1.08 * top)
        if not drawn:
            from matplotlib.ticker import ScalarFormatter

            other.yaxis.set_major_formatter(ScalarFormatter())
        other.set_ylabel("context energy", color=COLOURS[5])
        other.tick_params(colors=COLOURS[5], axis="y")
        quiet_axes(other)
    if drawn:
        axis.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=2,
            borderaxespad=0.2,
            handlelength=1.2,
        )
    quiet_axes(axis, grid="y")
    axis.set_xlabel("step")
