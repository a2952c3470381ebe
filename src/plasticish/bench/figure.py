"""A result as a figure: one metric of every row, drawn by ``visualization``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plasticish.core import ConfigError
from plasticish.visualization import plot_comparison

from .results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_result"]


def plot_result(result: Result, metric: str | None = None) -> Figure:
    """Draw one metric of a result: a bar a row, with the spread over seeds.

    Parameters
    ----------
    result : Result
        What is drawn.
    metric : str, optional
        Which column; by default the first.

    Raises
    ------
    ConfigError
        If no row has that metric.
    """
    chosen = metric or result.metrics[0].name
    rows = {name: values[chosen] for name, values in result.rows.items() if chosen in values}
    if not rows:
        raise ConfigError(
            f"{result.id} has no such figures",
            got=repr(chosen),
            expected="one of: " + ", ".join(m.name for m in result.metrics),
        )
    described = next(m for m in result.metrics if m.name == chosen)
    ours = next((name for name in rows if name not in result.baselines), None)
    return plot_comparison(
        rows,
        unit=described.unit,
        highlight=ours,
        lower_is_better=described.higher_is_better is False,
        title=f"{result.title}: {chosen}",
    )
