"""A result as a figure: one metric of every row, drawn by ``visualization``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from plasticish.core import ConfigError
from plasticish.visualization import plot_comparison

from .results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["digest", "draw_result", "plot_result"]


def plot_result(result: Result, metric: str | None = None) -> Figure:
    """Draw one metric of a result: a bar a row, with the spread over seeds.

    Parameters
    ----------
    result : Result
        What is drawn.
    metric : str, optional
        Which column; by default the first that any row has.

    Raises
    ------
    ConfigError
        If no row has that metric.
    """
    chosen = metric or _first(result)
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
        digits=described.digits,
    )


def digest(result: Result, metric: str) -> str:
    """Return a digest of the figures that a picture of ``metric`` shows."""
    shown = {row: list(values.get(metric, ())) for row, values in result.rows.items()}
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def draw_result(result: Result, path: Path, metric: str | None = None) -> Path:
    """Draw one metric into a PNG that carries the digest of what it shows, and return its path.

    Raises
    ------
    ConfigError
        If no row has that metric.
    """
    chosen = metric or _first(result)
    figure = plot_result(result, chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A long title may reach beyond the canvas: the picture is cut to what is drawn, not to that.
    about = {"Description": digest(result, chosen)}
    figure.savefig(path, dpi=110, bbox_inches="tight", metadata=about)
    return path


def _first(result: Result) -> str:
    """Return the first metric that any row has; of an empty result, the first of all."""
    shown = {name for values in result.rows.values() for name in values}
    names = [metric.name for metric in result.metrics]
    return next((name for name in names if name in shown), names[0])
