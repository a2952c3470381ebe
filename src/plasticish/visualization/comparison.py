"""Learners side by side: bars with their spread over runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import ShapeError
from .style import COLOURS, GREY, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_comparison"]

Array = NDArray[Any]


@styled
def plot_comparison(
    results: Any,
    *,
    unit: str = "%",
    highlight: str | None = None,
    reference: tuple[str, float] | None = None,
    lower_is_better: bool = False,
    title: str | None = None,
    digits: int = 1,
) -> Figure:
    """Draw learners side by side: one bar each, best first, whiskers of one standard deviation.

    Parameters
    ----------
    results : mapping of str to float or sequence of float
        By learner, its result or those of several runs; runs are drawn as points.
    unit : str
        Of the results.
    highlight : str, optional
        The learner in colour; the others are grey. By default the first given.
    reference : (str, float), optional
        A line to be judged against, with its name.
    lower_is_better : bool
        Whether the smallest comes first.
    title : str, optional
        Replaces the finding that the title states.
    digits : int
        Decimals of the figures beside the bars.

    Raises
    ------
    ShapeError
        If there is nothing to compare.

    Examples
    --------
    >>> figure = plot_comparison({"brain": [80.1, 80.5], "naive": [19.0, 20.0]})
    >>> figure.axes[0].get_title("left")
    'brain: 80.3 %, 60.8 ahead of naive'
    """
    runs = {name: np.atleast_1d(np.asarray(v, dtype=float)) for name, v in dict(results).items()}
    if not runs or any(len(v) == 0 for v in runs.values()):
        raise ShapeError("there is nothing to compare", got=f"{len(runs)} learners")
    chosen = highlight if highlight is not None else next(iter(runs))
    sign = 1 if lower_is_better else -1
    order = sorted(runs, key=lambda name: sign * float(runs[name].mean()))
    figure = new_figure(6.4, 0.36 * len(order) + 1.15)
    axis = figure.add_subplot()
    high = max(float(v.max()) for v in runs.values())
    high = max(high, reference[1]) if reference else high
    for row, name in enumerate(order):
        _draw_bar(axis, row, runs[name], digits, own=name == chosen, high=high)
    if reference:
        axis.axvline(reference[1], color=COLOURS[5], linewidth=1.2, zorder=2)
        axis.annotate(
            f"{reference[0]} {reference[1]:.{digits}f}",
            (reference[1], -0.5),
            xytext=(-4, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=COLOURS[5],
            fontsize=8.5,
        )
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.45, -0.55 - (0.45 if reference else 0.0))
    axis.set_xlim(0, 1.16 * high if high > 0 else 1)
    axis.set_xlabel(unit)
    quiet_axes(axis)
    axis.spines["left"].set_visible(False)
    axis.set_title(title or _comparison_finding(runs, order, chosen, unit))
    return figure


def _draw_bar(axis: Axes, row: int, values: Array, digits: int, *, own: bool, high: float) -> None:
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    colour = COLOURS[0] if own else "#C3CACF"
    axis.barh(row, mean, height=0.64, color=colour, zorder=1)
    if len(values) > 1:
        axis.errorbar(mean, row, xerr=spread, color="#444444", linewidth=1.1, capsize=2.5, zorder=3)
    text = f"{mean:.{digits}f}" + (f" ± {spread:.{digits}f}" if len(values) > 1 else "")
    axis.text(
        mean + spread + 0.016 * high,
        row,
        text,
        va="center",
        # On white, so that the reference line does not strike the number through.
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        zorder=4,
        fontweight="bold" if own else "normal",
        color=COLOURS[0] if own else GREY if mean == 0 else "#444444",
    )


def _comparison_finding(runs: dict[str, Array], order: list[str], chosen: str, unit: str) -> str:
    mean = {name: float(values.mean()) for name, values in runs.items()}
    others = [name for name in order if name != chosen]
    if chosen not in mean or not others:
        return f"{order[0]}: {mean[order[0]]:.1f} {unit}"
    rival = others[0]
    gap = abs(mean[chosen] - mean[rival])
    word = "ahead of" if order.index(chosen) < order.index(rival) else "behind"
    return f"{chosen}: {mean[chosen]:.1f} {unit}, {gap:.1f} {word} {rival}"
