"""Learners of sequences: the abstraction tree of what was seen, and what it predicts.

Here live the alphabet, the tree, the library of concepts, the experts with their mixer, and
:class:`PlasticMemory`, which is all of them together. Sequences are text, bytes, or lists of
integers or words; images, spikes and replies are elsewhere.
"""

from .alphabet import Alphabet, Encoded
from .drawing import Picture
from .experts import EXPERTS, Expert, classes_of
from .growth import Animation, animate_growth
from .library import Concept, ConceptLibrary
from .memory import PlasticMemory
from .prediction import NamedConcept, Prediction, Reason, Why
from .predictor import Predictor
from .recognising import Context, RecognisingMemory
from .tree import AbstractionTree, Node

__all__ = [
    "EXPERTS",
    "AbstractionTree",
    "Alphabet",
    "Animation",
    "Concept",
    "ConceptLibrary",
    "Context",
    "Encoded",
    "Expert",
    "NamedConcept",
    "Node",
    "Picture",
    "PlasticMemory",
    "Prediction",
    "Predictor",
    "Reason",
    "RecognisingMemory",
    "Why",
    "animate_growth",
    "classes_of",
]
