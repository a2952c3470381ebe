"""A stream of tasks, with and without protection: both accuracy matrices, and both courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import NotReadyError, ShapeError
from .histories import shade_phases, smoothed
from .matrices import check_matrix, draw_matrix, kept_share
from .protocols import HistoryLike
from .style import GREY, class_colours, new_figure, percent_axis, quiet_axes, spread_labels, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_accuracy_matrices", "plot_learning_curves"]

Array = NDArray[Any]

MOST_ON_AN_AXIS = 34  # characters of names


@styled
def plot_accuracy_matrices(
    matrices: Mapping[str, Any],
    names: Sequence[str] | None = None,
    *,
    measure: str = "accuracy",
    title: str | None = None,
) -> Figure:
    """Draw the accuracy matrices of several learners of one stream side by side.

    Parameters
    ----------
    matrices : mapping of str to array ``[tasks, tasks]``
        R of each learner, R[i, j] = score in [0, 1] on task j after task i; NaN is left empty.
    names : sequence of str, optional
        Names of the tasks.
    measure : str
        What the score is called.
    title : str, optional
        Stands above them all.

    Raises
    ------
    ShapeError
        If there is none, one is not square, or the names do not match.

    Examples
    --------
    >>> figure = plot_accuracy_matrices({"with": [[1, 0], [0.9, 1]], "without": [[1, 0], [0, 1]]})
    >>> [axis.get_title("left") for axis in figure.axes]
    ['With keeps 90 %', 'Without keeps 0 %']
    """
    if not matrices:
        raise ShapeError("there is no matrix to draw", got="0", expected="at least one")
    checked = {name: check_matrix(R, names) for name, R in matrices.items()}
    tasks = max(len(R) for R, _ in checked.values())
    size = max(3.2, 0.62 * tasks + 1.7)
    figure = new_figure(size * len(checked) + 0.6, size + (0.3 if title else 0.0))
    axes = figure.subplots(1, len(checked), squeeze=False)[0]
    for axis, (name, (R, labels)) in zip(axes, checked.items(), strict=True):
        _draw_one_matrix(axis, R, labels, measure)
        axis.set_title(_kept(name, R))
    for axis in axes[1:]:
        axis.set_ylabel("")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
    return figure


@styled
def plot_learning_curves(
    histories: Mapping[str, HistoryLike],
    *,
    measure: str = "accuracy",
    title: str | None = None,
) -> Figure:
    """Draw how the score on every task and the loss went, a column for each learner.

    Parameters
    ----------
    histories : mapping of str to HistoryLike
        Runs over one stream, such as :attr:`plasticish.training.ContinualLearningTrainer.history`.
        Evaluations are drawn per task; the series ``loss`` below, smoothed.
    measure : str
        What the score is called.
    title : str, optional
        Stands above them all.

    Raises
    ------
    NotReadyError
        If a run has not taken a step.
    """
    if not histories or any(not history.series.get("phase") for history in histories.values()):
        raise NotReadyError(
            "there is nothing to draw", got="a run of 0 steps", cure="call train_on_task first"
        )
    figure = new_figure(5.4 * len(histories) + 0.4, 4.9)
    above, below = figure.subplots(
        2, len(histories), squeeze=False, sharey="row", gridspec_kw={"height_ratios": (2.2, 1.0)}
    )
    for scores, losses, (name, history) in zip(above, below, histories.items(), strict=True):
        _draw_scores(scores, history)
        scores.set_title(name[:1].upper() + name[1:], pad=20)
        _draw_losses(losses, history)
    below[0].set_ylim(bottom=0.0)  # once all are drawn: the axes share their limits
    above[0].set_ylabel(measure)
    below[0].set_ylabel("training loss")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
    return figure


def _kept(name: str, R: Array) -> str:
    if len(R) < 2:
        return name[:1].upper() + name[1:]
    return f"{name[:1].upper()}{name[1:]} keeps {100 * kept_share(R):.0f} %"


def _draw_one_matrix(axis: Axes, R: Array, labels: list[str], measure: str) -> None:
    long = sum(map(len, labels)) > MOST_ON_AN_AXIS
    rows = [f"{i + 1} {label}" for i, label in enumerate(labels)] if long else labels
    draw_matrix(axis, R, rows)
    if long:  # the axis below bears the numbers that stand with the names at the side
        axis.set_xticks(range(len(labels)), [str(i + 1) for i in range(len(labels))])
        axis.tick_params(axis="x", rotation=0)
    axis.set_xlabel(f"{measure} (%) on")


def _draw_scores(axis: Axes, history: HistoryLike) -> None:
    steps = len(history.series["phase"])
    short = sum(map(len, history.phase_names)) <= MOST_ON_AN_AXIS
    shade_phases(axis, history, steps, named=short)
    curves = _curves(history)
    colours = class_colours(max(len(history.phase_names), len(curves)))
    heights = spread_labels([y[-1] for _, y in curves.values()], gap=0.075, low=0.0, high=1.0)
    for (name, (x, y)), height in zip(curves.items(), heights, strict=True):
        colour = colours[list(history.phase_names).index(name)]
        axis.plot(x, y, color=colour, marker="o", markersize=3.2, clip_on=False, zorder=3)
        label = f"{name}  {100 * y[-1]:.0f} %"
        place = axis.get_yaxis_transform()
        axis.text(1.015, height, label, color=colour, transform=place, va="center")
    percent_axis(axis)
    quiet_axes(axis, grid="y")
    axis.set_xticklabels([])


def _curves(history: HistoryLike) -> dict[str, tuple[list[int], list[float]]]:
    """Return steps and scores of each task from the first look at it while it was learned."""
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for look in history.evaluations:
        for name, score in look.accuracy.items():
            x, y = curves.setdefault(name, ([], []))
            x.append(look.step)
            y.append(score)
    return {name: curves[name] for name in history.phase_names if name in curves}


def _draw_losses(axis: Axes, history: HistoryLike) -> None:
    steps = len(history.series["phase"])
    shade_phases(axis, history, steps, named=False)
    losses = smoothed(history.series.get("loss", [float("nan")] * steps), max(5, steps // 60))
    axis.plot(np.arange(1, steps + 1), losses, color=GREY, linewidth=1.2)
    quiet_axes(axis, grid="y")
    axis.set_xlabel("step")
