"""Figures of learners, histories and reports; each returns a matplotlib Figure.

Nothing here learns, shows a window or keeps state. Figures draw plain data and protocols, so that
the floors above (training, evaluation, bench) can use them without being known here.
"""

from .activity import plot_meta_plasticity, plot_raster
from .brain_scan import BrainScan, plot_brain_scan
from .comparison import plot_comparison
from .continual import plot_accuracy_matrices, plot_learning_curves
from .curves import plot_retention
from .histories import plot_history
from .images import denormalize_imagenet
from .matrices import plot_accuracy_matrix, plot_confusion
from .memories import plot_memory_map
from .plastic import PlasticVisualizer
from .plasticity import plot_pairing_frequency, plot_stdp_window
from .protocols import HistoryLike
from .style import save_figure
from .synapses import plot_bcm, plot_short_term
from .triarchic import TriarchicVisualizer

__all__ = [
    "BrainScan",
    "HistoryLike",
    "PlasticVisualizer",
    "TriarchicVisualizer",
    "denormalize_imagenet",
    "plot_accuracy_matrices",
    "plot_accuracy_matrix",
    "plot_bcm",
    "plot_brain_scan",
    "plot_comparison",
    "plot_confusion",
    "plot_history",
    "plot_learning_curves",
    "plot_memory_map",
    "plot_meta_plasticity",
    "plot_pairing_frequency",
    "plot_raster",
    "plot_retention",
    "plot_short_term",
    "plot_stdp_window",
    "save_figure",
]
