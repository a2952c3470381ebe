"""A report as a picture: what is kept, beside the naive network, and both accuracy matrices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from plasticish.visualization import plot_comparison, save_figure
from plasticish.visualization.curves import draw_retention
from plasticish.visualization.matrices import draw_matrix
from plasticish.visualization.style import new_figure, styled

from .output import percent

__all__ = ["draw_report"]

MOST_NUMBERED = 12  # phases of which a matrix can still be read
MOST_ON_AN_AXIS = 36  # characters
LEARNERS = {"brain": "This brain", "naive": "The naive network"}
LONGEST_NAME = 20


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
    long = sum(map(len, names)) > MOST_ON_AN_AXIS
    if long:  # the axes bear numbers then, and the numbers stand with the names
        names = [f"{i + 1} {name}" for i, name in enumerate(names)]
    numbered = len(names) <= MOST_NUMBERED
    figure = new_figure(10.5 if long else 9.0, 7.2 if numbered else 3.8)
    figure.suptitle(_title(report), x=0.01, ha="left", fontweight="bold", fontsize=12)
    # Rows are laid out apart: names beside a curve must not narrow the matrix below it.
    rows = figure.subfigures(2, 1, squeeze=False) if numbered else [[figure]]
    _draw_curves(rows[0][0], report, names)
    if numbered:
        _draw_matrices(rows[1][0], report, names, long)
    return figure


def _draw_curves(figure: Any, report: Mapping[str, Any], names: list[str]) -> None:
    axes = figure.subplots(1, 2)
    for axis, (who, name) in zip(axes, LEARNERS.items(), strict=True):
        draw_retention(axis, np.array(report["matrices"][who], dtype=float), names)
        axis.set_title(f"{name} keeps {percent(report['learners'][who]['retention'], 0)} %")
    axes[0].set_ylabel("accuracy")


def _draw_matrices(figure: Any, report: Mapping[str, Any], names: list[str], long: bool) -> None:
    axes = figure.subplots(1, 2)
    for axis, who in zip(axes, LEARNERS, strict=True):
        draw_matrix(axis, np.array(report["matrices"][who], dtype=float), names)
        final = percent(report["learners"][who]["average_accuracy"])
        axis.set_title(f"{final} % over all at the end")
        if long:
            axis.set_xticks(range(len(names)), [str(i + 1) for i in range(len(names))])
            axis.tick_params(axis="x", rotation=0)
    axes[1].set_ylabel("")


def _title(report: Mapping[str, Any]) -> str:
    source = str(report["source"]).rpartition("/")[2]
    learned = len(report["learned"])
    groups = " one group after another" if len(report["phases"]) > 1 else ""
    passes = "in one pass" if report["epochs"] == 1 else f"in {report['epochs']} passes"
    return f"{source}: {learned} classes learned{groups}, {passes}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
