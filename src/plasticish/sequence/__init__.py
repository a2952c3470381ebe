"""Learners of sequences: the abstraction tree of what was seen.

Here live the alphabet and the tree. Sequences are text, bytes, or lists of integers or words;
images, spikes and replies are elsewhere.
"""

from .alphabet import Alphabet, Encoded
from .tree import AbstractionTree, Node

__all__ = ["AbstractionTree", "Alphabet", "Encoded", "Node"]
