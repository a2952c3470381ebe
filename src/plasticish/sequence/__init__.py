"""Learners of sequences: the abstraction tree of what was seen, and what it predicts.

Here live the alphabet, the tree, the experts with their mixer, and :class:`PlasticMemory`, which is
all of them together. Sequences are text, bytes, or lists of integers or words; images, spikes and
replies are elsewhere.
"""

from .alphabet import Alphabet, Encoded
from .experts import EXPERTS, Expert
from .memory import PlasticMemory
from .prediction import Prediction, Reason, Why
from .predictor import Predictor
from .tree import AbstractionTree, Node

__all__ = [
    "EXPERTS",
    "AbstractionTree",
    "Alphabet",
    "Encoded",
    "Expert",
    "Node",
    "PlasticMemory",
    "Prediction",
    "Predictor",
    "Reason",
    "Why",
]
