"""A report as a picture: what is kept, beside the naive network, and both accuracy matrices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure

from plasticish.visualization import plot_comparison, save_figure
from plasticish.visualization.curves import draw_retention
from plasticish.visualization.matrices import draw_matrix
from plasticish.visualization.style import new_figure, styled

from .output import percent

__all__ = ["draw_report"]

MOST_NUMBERED = 12  # phases of which a matrix can still be read
LEARNERS = {"brain": "This brain", "naive": "The naive network"}
LONGEST_NAME = 16


def draw_report(report: Mapping[str, Any], path: Path) -> None:
    """Write the picture of a report to ``path``.

    Raises
    ------
    CheckpointError
        If it cannot be written.
    """
    if len(report["phases"]) < 2:
        accuracy = {name: 100 * report["matrices"][who][0][0] for who, name in LEARNERS.items()}
        figure = plot_comparison(accuracy, title=_title(report))
    else:
        figure = _compose(report)
    save_figure(figure, path)


@styled
def _compose(report: Mapping[str, Any]) -> Figure:
    names = [_short(str(phase["name"])) for phase in report["phases"]]
    numbered = len(names) <= MOST_NUMBERED
    figure = new_figure(9.0, 7.2 if numbered else 3.8)
    grid = figure.subplots(2 if numbered else 1, 2, squeeze=False)
    figure.suptitle(_title(report), x=0.01, ha="left", fontweight="bold", fontsize=12)
    for column, (who, name) in enumerate(LEARNERS.items()):
        matrix = np.array(report["matrices"][who], dtype=float)
        draw_retention(grid[0, column], matrix, names)
        kept = report["learners"][who]["retention"]
        grid[0, column].set_title(f"{name} keeps {percent(kept, 0)} %")
        if numbered:
            draw_matrix(grid[1, column], matrix, names)
            final = percent(report["learners"][who]["average_accuracy"])
            grid[1, column].set_title(f"{final} % over all at the end")
    cast(Any, figure.get_layout_engine()).set(hspace=0.06, wspace=0.04)
    grid[0, 0].set_ylabel("accuracy")
    return figure


def _title(report: Mapping[str, Any]) -> str:
    source = str(report["source"]).rpartition("/")[2]
    learned = len(report["learned"])
    passes = "in one pass" if report["epochs"] == 1 else f"in {report['epochs']} passes"
    return f"{source}: {learned} classes learned one group after another, {passes}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
