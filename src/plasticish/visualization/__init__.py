"""Figures of learners, histories and reports; each returns a matplotlib Figure.

Nothing here learns, shows a window or keeps state. Figures draw plain data and protocols, so that
the floors above (training, evaluation, bench) can use them without being known here.
"""

from .histories import plot_history
from .matrices import plot_accuracy_matrix, plot_confusion
from .style import save_figure

__all__ = ["plot_accuracy_matrix", "plot_confusion", "plot_history", "save_figure"]
