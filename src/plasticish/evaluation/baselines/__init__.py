"""Baselines on the very same features: what a figure of ours has to stand beside.

Each is self-written and small, cites its paper, grows its classes as labels appear, and has
``learn``, ``predict`` and ``sleep`` of the learner protocol. None of them is tuned to win or lose.
"""

from .base import Baseline
from .discriminant import SLDA
from .joint import JointLogistic
from .naive import NaiveSoftmax
from .nearest import KNN, NCM
from .ridge import RanPAC, StreamingRidge
from .transformed import PowerTransformed, signed_sqrt

__all__ = [
    "KNN",
    "NCM",
    "SLDA",
    "Baseline",
    "JointLogistic",
    "NaiveSoftmax",
    "PowerTransformed",
    "RanPAC",
    "StreamingRidge",
    "signed_sqrt",
]
