r"""What a text says to the network: few active cells, the surprising ones the most.

Every run of two, three and four characters and every word drives one cell, which a hash chooses:
about 1 % of 14,173 for a sentence. Runs keep case and punctuation, by which near-alike questions
differ; words do not, so that the same word is the same anywhere. How much a cell is driven is
norepinephrine's: :math:`w = (1 + \ln n)\,\ln(1 + (N + 1)/df)` for a cell touched :math:`n` times by
this text and by :math:`df` of the :math:`N` heard, normalised to :math:`\|w\| = 1`. Nothing is
precomputed: what is rare is learned while listening.

References
----------
Aston-Jones, G. & Cohen, J. D. (2005). An integrative theory of locus coeruleus-norepinephrine
function: adaptive gain and optimal performance. Annual Review of Neuroscience 28.
Spärck Jones, K. (1972). A statistical interpretation of term specificity and its application in
retrieval. Journal of Documentation 28.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from plasticish.core import ConfigError, DataError, Persistent, State, spawn_seed
from plasticish.modulation import Norepinephrine, NorepinephrineParameters

from .cue_kernels import converge, shared, tally

__all__ = ["Cue", "CueEncoder"]

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Cue:
    """The cells that a text drives.

    Attributes
    ----------
    cells : array of int64 of shape (active,)
        Which, ascending, each once.
    drive : array of float32 of shape (active,)
        How strongly, > 0; before it is normalised.
    """

    cells: npt.NDArray[np.int64]
    drive: npt.NDArray[np.float32]

    @property
    def norm(self) -> float:
        """Length of the drive."""
        return float(np.sqrt(np.square(self.drive, dtype=np.float64).sum()))


class CueEncoder(Persistent):
    """Turn text into a cue, and learn which parts of texts are rare.

    Parameters
    ----------
    n_cells : int
        Cells of the network, >= 1.
    runs : sequence of int
        Lengths of the runs of characters, each >= 1; none to use words alone.
    norepinephrine : NorepinephrineParameters or mapping, optional
        Constants of the novelty signal; one column of its table a cell is enough.
    novelty : bool
        Whether rare parts weigh more; else all weigh the same.
    seed : int
        Which cell a part drives.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> encoder = CueEncoder()
    >>> for text in ("the cat", "the dog", "the cow"):
    ...     novelty = encoder.observe(text)
    >>> encoder.novelty("the") < encoder.novelty("yak")
    True
    """

    kind: ClassVar[str] = "cue_encoder"

    def __init__(
        self,
        n_cells: int = 14173,
        *,
        runs: Sequence[int] = (2, 3, 4),
        norepinephrine: NorepinephrineParameters | Mapping[str, Any] | None = None,
        novelty: bool = True,
        seed: int = 0,
    ) -> None:
        for name, value in (("n_cells", n_cells), *(("a length of runs", run) for run in runs)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected="a whole number >= 1"
                )
        self.n_cells, self.runs, self.seed = n_cells, tuple(runs), seed
        self.norepinephrine = Norepinephrine(norepinephrine, enabled=novelty, seed=seed)
        self._lengths = np.array(self.runs, dtype=np.int64)
        self._salt = np.uint64(spawn_seed(seed, 0))

    def encode(self, text: str) -> Cue:
        """Return the cue of a text; nothing is learned.

        Raises
        ------
        DataError
            If the text is blank.
        """
        parts, times = self._tally(text)
        weights = self.norepinephrine.weights(parts, times)
        return Cue(*converge(parts, weights, self.n_cells))

    def observe(self, text: str) -> float:
        """Become familiar with a text, and return how novel it was, in [0, 1].

        Raises
        ------
        DataError
            If the text is blank; nothing is changed.
        """
        return self.norepinephrine.observe(self._tally(text)[0])

    def novelty(self, text: str) -> float:
        """Return how novel a text is, in [0, 1]; nothing is learned.

        Raises
        ------
        DataError
            If the text is blank.
        """
        return self.norepinephrine.novelty(self._tally(text)[0])

    def alikeness(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        r"""Return how many of their parts texts share, Dice's :math:`2|A \cap B|/(|A| + |B|)`.

        Parameters
        ----------
        texts : sequence of str
            None of them blank.

        Returns
        -------
        array of float64 of shape (texts, texts)
            In [0, 1]; how rare a part is does not matter here.

        Raises
        ------
        DataError
            If a text is blank.

        Examples
        --------
        >>> CueEncoder().alikeness(["I see", "I see.", "No"]).round(1).tolist()
        [[1.0, 0.7, 0.0], [0.7, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        tallies = [self._tally(text) for text in texts]
        alike = np.eye(len(texts))
        for one, (parts, times) in enumerate(tallies):
            for other, (others, other_times) in enumerate(tallies[:one]):
                common = shared(parts, times, others, other_times)
                whole = int(times.sum() + other_times.sum())
                alike[one, other] = alike[other, one] = 2.0 * common / whole
        return alike

    def _tally(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        words = " ".join(text.split())
        if not words:
            raise DataError("there is nothing in this text", got=repr(text[:40]), expected="words")
        folded = words.casefold()
        spans = [found.span() for found in _WORD.finditer(folded)]
        parts, times = tally(
            _code_points(f" {words} "),
            self._lengths,
            _code_points(folded),
            np.array(spans, dtype=np.int64).reshape(-1, 2),
            self._salt,
        )
        return parts, times

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        told = self.norepinephrine.config()
        return {
            "n_cells": self.n_cells,
            "runs": list(self.runs),
            "norepinephrine": told["parameters"],
            "novelty": told["enabled"],
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return how familiar every part is."""
        return self.norepinephrine.export_state()

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError, DataError
            If it is of another encoder; nothing is changed.
        """
        self.norepinephrine.import_state(state)


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
