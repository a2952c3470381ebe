"""A report as a picture: what is kept, beside the naive network, and the accuracy matrix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plasticish.visualization import plot_comparison, plot_retention, save_figure

__all__ = ["draw_report"]


def draw_report(report: Mapping[str, Any], path: Path) -> None:
    """Write the picture of a report to ``path``.

    Raises
    ------
    CheckpointError
        If it cannot be written.
    """
    names = [str(phase["name"]) for phase in report["phases"]]
    matrices = report["matrices"]
    if len(names) < 2:
        accuracy = {"this brain": 100 * matrices["brain"][0][0]}
        accuracy["naive network"] = 100 * matrices["naive"][0][0]
        save_figure(plot_comparison(accuracy), path)
        return
    brain, naive = (np.array(matrices[who], dtype=float) for who in ("brain", "naive"))
    save_figure(plot_retention(brain, names, baseline=naive), path)
