"""Baselines on the very same features: what a figure of ours has to stand beside.

Each is self-written and small, cites its paper, grows its classes as labels appear, and has
``learn``, ``predict`` and ``sleep`` of the learner protocol. None of them is tuned to win or lose.
"""

from .base import Baseline
from .discriminant import SLDA
from .joint import JointLogistic, signed_sqrt
from .naive import NaiveSoftmax
from .nearest import KNN, NCM
from .ridge import RanPAC, StreamingRidge

__all__ = [
    "KNN",
    "NCM",
    "SLDA",
    "Baseline",
    "JointLogistic",
    "NaiveSoftmax",
    "RanPAC",
    "StreamingRidge",
    "signed_sqrt",
]
