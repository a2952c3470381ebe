"""What a memory is made of; learning, answering and looking each work on these parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .alphabet import Alphabet, Encoded
from .experts import EXPERTS, OTHER
from .library import ConceptLibrary
from .predictor import Predictor
from .tree import AbstractionTree

__all__ = ["Parts"]


class Parts:
    """The alphabet and the three parts: tree, library and predictor."""

    # Codes that lead whatever is asked.
    _led: npt.NDArray[np.int32] = np.zeros(0, np.int32)

    def __init__(self, experts: str, max_synapses: int | None, seed: int) -> None:
        self.seed = seed
        self.alphabet = Alphabet()
        self.tree = AbstractionTree()
        self.library = ConceptLibrary()
        self.predictor = self._fresh_predictor(experts, max_synapses)
        self.classes: npt.NDArray[np.int64] = np.array([OTHER], np.int64)
        self._last: npt.NDArray[np.int32] = np.zeros(0, np.int32)

    @property
    def fired(self) -> list[int]:
        """Nodes of the path that was learned last, the root first; empty once it is forgotten."""
        path = self.tree.trace(self._last)
        return path if len(self._last) and self.tree.leaf(self._last) >= 0 else []

    @staticmethod
    def _fresh_predictor(experts: str, max_synapses: int | None) -> Predictor:
        return Predictor(EXPERTS[experts], max_synapses)

    def _place(self, sequence: Any) -> Encoded:
        """Return one sequence as it is, or would be, stored."""
        return self._encode([sequence])

    def _encode(self, sequences: Any) -> Encoded:
        if isinstance(sequences, (str, bytes)):
            sequences = [sequences]
        return self.alphabet.encode(sequences)
