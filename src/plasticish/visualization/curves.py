"""Retention: how much of each task is left as more are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .matrices import check_matrix, kept_finding, kept_share
from .style import class_colours, new_figure, percent_axis, quiet_axes, spread_labels, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_retention"]

Array = NDArray[Any]


@styled
def plot_retention(
    R: Any,
    names: Sequence[str] | None = None,
    *,
    baseline: Any = None,
    name: str = "this brain",
    baseline_name: str = "naive network",
    title: str | None = None,
) -> Figure:
    """Draw the accuracy on each task from when it was learned to the end of the stream.

    Parameters
    ----------
    R : array ``[tasks, tasks]``
        R[i, j] = accuracy in [0, 1] on task j after task i.
    names : sequence of str, optional
        Names of the tasks.
    baseline : array ``[tasks, tasks]``, optional
        The same of another learner, drawn beside it on the same axes.
    name, baseline_name : str
        What the two are called.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If a matrix is not square, or they differ in size.

    Examples
    --------
    >>> figure = plot_retention([[0.9, 0.0], [0.85, 0.95]], ["cats", "dogs"])
    >>> figure.axes[0].get_title("left")
    'Earlier tasks keep 94 % of their accuracy'
    """
    matrix, labels = check_matrix(R, names)
    other = None if baseline is None else check_matrix(baseline, labels)[0]
    if len(matrix) < 2:
        raise ShapeError("nothing came after the first task", got="1 task", expected=">= 2 tasks")
    figure = new_figure(8.6 if other is not None else 5.6, 3.4)
    count = 1 if other is None else 2
    axes = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    draw_retention(axes[0], matrix, labels)
    kept = 100 * kept_share(matrix)
    if other is None:
        axes[0].set_title(title or kept_finding(matrix))
    else:
        draw_retention(axes[1], other, labels)
        axes[0].set_title(f"{_capital(name)} keeps {kept:.0f} %")
        axes[1].set_title(f"{_capital(baseline_name)} keeps {100 * kept_share(other):.0f} %")
        figure.suptitle(
            title or "Accuracy on each task while later ones are learned",
            x=0.01,
            ha="left",
            fontweight="bold",
            fontsize=11,
        )
    axes[0].set_ylabel("accuracy")
    return figure


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def draw_retention(axis: Axes, matrix: Array, names: Sequence[str]) -> None:
    """Draw the accuracy on each task, from when it was learned, into ``axis``."""
    tasks = len(matrix)
    colours = class_colours(tasks)
    last = matrix[-1].tolist()
    heights = spread_labels(last, gap=0.08, low=0.0, high=1.0)
    for task in range(tasks):
        x = np.arange(task, tasks)
        axis.plot(
            x, matrix[task:, task], color=colours[task], marker="o", markersize=4.5, clip_on=False
        )
        axis.annotate(
            f"{names[task]}  {100 * last[task]:.0f} %",
            (tasks - 1, heights[task]),
            xytext=(9, 0),
            textcoords="offset points",
            color=colours[task],
            va="center",
            annotation_clip=False,
        )
    axis.set_xticks(range(tasks), list(names))
    if max(map(len, names)) * tasks > 36:
        axis.set_xticks(range(tasks), [str(i + 1) for i in range(tasks)])
    axis.set_xlim(-0.15, tasks - 1)
    axis.set_xlabel("after learning")
    percent_axis(axis)
    quiet_axes(axis, grid="y")
