"""The accuracy matrix and the confusion matrix, with their numbers in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .style import GREY, INK, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_accuracy_matrix", "plot_confusion"]

Array = NDArray[Any]


@styled
def plot_accuracy_matrix(
    R: Any, names: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Draw R ``[tasks, tasks]``, R[i, j] = accuracy in [0, 1] on task j after task i.

    Tasks that had not been learned yet are in grey. NaN is left empty.

    Parameters
    ----------
    R : array ``[tasks, tasks]``
        The accuracy matrix.
    names : sequence of str, optional
        Names of the tasks.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If R is not square or the names do not match it.

    Examples
    --------
    >>> plot_accuracy_matrix([[0.9, 0.1], [0.8, 0.95]], ["cats", "dogs"]).axes[0].get_title("left")
    'Task cats: 90 → 80 % after 1 more task'
    """
    matrix, labels = check_matrix(R, names)
    size = max(3.4, 0.62 * len(matrix) + 1.6)
    figure = new_figure(size + 0.6, size)
    axis = figure.add_subplot()
    draw_matrix(axis, matrix, labels)
    learned, now, later = matrix[0, 0], matrix[-1, 0], len(matrix) - 1
    finding = (
        f"Task {labels[0]}: {100 * learned:.0f} → {100 * now:.0f} % "
        f"after {later} more task{'s' if later != 1 else ''}"
    )
    axis.set_title(title or finding)
    return figure


def check_matrix(R: Any, names: Sequence[str] | None) -> tuple[Array, list[str]]:
    """Return a square float array and one name for each of its rows."""
    matrix: Array = np.asarray(R, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ShapeError("R is not square", got=str(matrix.shape), expected="(tasks, tasks)")
    labels = [str(n) for n in names] if names else [str(i + 1) for i in range(len(matrix))]
    if len(labels) != len(matrix):
        raise ShapeError(
            "the names do not match R", got=f"{len(labels)} names", expected=str(len(matrix))
        )
    return matrix, labels


def kept_share(matrix: Array) -> float:
    """Return the accuracy on all tasks but the last at the end, over that when each was learned.

    A ratio of means, not a mean of ratios: a task that was hardly learned has little to say.

    Examples
    --------
    >>> kept_share(np.array([[0.8, 0.0], [0.4, 1.0]]))
    0.5
    """
    learned, now = np.diag(matrix)[:-1].mean(), matrix[-1, :-1].mean()
    return float(now / learned) if learned > 0 else 1.0


def kept_finding(matrix: Array) -> str:
    """Say what became of the earlier tasks, in one line."""
    share = 100 * kept_share(matrix)
    verb = "keep" if round(share) <= 100 else "grew to"
    return f"Earlier tasks {verb} {share:.0f} % of their accuracy"


def draw_matrix(axis: Axes, matrix: Array, names: Sequence[str]) -> None:
    """Draw an accuracy matrix into ``axis``."""
    learned = np.tril(np.ones_like(matrix, dtype=bool))
    shown = np.ma.masked_where(~learned | ~np.isfinite(matrix), matrix)
    axis.imshow(shown, cmap="Blues", vmin=0.0, vmax=1.15, aspect="auto")
    for i, j in zip(*np.nonzero(np.isfinite(matrix)), strict=True):
        value = matrix[i, j]
        dark = bool(learned[i, j]) and value > 0.6
        colour = "white" if dark else INK if learned[i, j] else GREY
        axis.text(j, i, f"{100 * value:.0f}", ha="center", va="center", color=colour)
    _name_axes(axis, names, names)
    axis.set_xlabel("accuracy (%) on")
    axis.set_ylabel("after learning")


@styled
def plot_confusion(
    counts: Any, names: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Draw a confusion matrix as shares of each true class.

    Parameters
    ----------
    counts : array ``[classes, classes]``
        counts[i, j] = examples of class i that were called j.
    names : sequence of str, optional
        Names of the classes.
    title : str, optional
        Replaces the finding that the title states.

    Raises
    ------
    ShapeError
        If ``counts`` is not square or the names do not match.
    """
    matrix, labels = check_matrix(counts, names)
    total = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(total, 1.0)
    size = max(3.6, 0.5 * len(matrix) + 1.4)
    figure = new_figure(size + 0.6, size)
    axis = figure.add_subplot()
    axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.15)
    for i, j in zip(*np.nonzero(shares >= 0.005), strict=True):
        colour = "white" if shares[i, j] > 0.6 else INK
        axis.text(j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", color=colour)
    _name_axes(axis, labels, labels)
    axis.set_xlabel("answer (% of the true class)")
    axis.set_ylabel("true class")
    axis.set_title(title or _confusion_finding(matrix, labels))
    return figure


def _confusion_finding(counts: Array, names: Sequence[str]) -> str:
    right = 100 * float(np.trace(counts)) / max(float(counts.sum()), 1.0)
    errors = counts * (1 - np.eye(len(counts)))
    if not errors.any():
        return f"{right:.1f} % right"
    i, j = divmod(int(errors.argmax()), len(errors))
    return f"{right:.1f} % right; most often, {names[i]} is called {names[j]}"


def _name_axes(axis: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    long = max((len(name) for name in columns), default=0) * len(columns) > 40
    axis.set_xticks(range(len(columns)), list(columns))
    if long:
        axis.tick_params(axis="x", rotation=40)
        for label in axis.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    axis.set_yticks(range(len(rows)), list(rows))
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
