"""A learner that starts with nothing and learns to talk with you, and those who teach it.

Here live the tokenizer that grows with what it hears, and the teachers. What is said is data: it is
never evaluated, fetched or executed. How a conversation looks in a terminal is for
:mod:`plasticish.cli`.
"""

from .tokenizer import BiologicalTokenizer
from .vocabulary import END, START, Piece

__all__ = ["END", "START", "BiologicalTokenizer", "Piece"]
