r"""Norepinephrine: novelty, which raises the gain and makes rare parts weigh more.

A *pattern* is a set of parts (the n-grams of a line, the active cells of a layer), each an integer.
A familiarity memory counts in how many of the :math:`N` patterns so far each part occurred,
:math:`df`. A part that occurs :math:`n` times in a pattern weighs by how rare it is, its response
has been depressed by the share :math:`d` each time it was met, and the novelty of the pattern is
the weighed mean of the responses:

.. math::
    w = (1 + \ln n)\,\ln\!\Big(1 + \frac{N + 1}{\max(df, 1)}\Big), \qquad
    \nu = \frac{\sum_i w_i\,(1 - d)^{df_i}}{\sum_i w_i}, \qquad g = 1 + G\,\nu

The counts lie in a table of fixed size, which parts reach by hashing: the memory with which the fly
detects novel smells (Dasgupta et al.), as a count-min sketch with conservative update. A part is
never taken for more novel than it is; with fewer parts than columns, rarely for less. The gain is
the adaptive gain of the locus coeruleus (Aston-Jones & Cohen); the weight is Spärck Jones' inverse
document frequency.

References
----------
Aston-Jones, G. & Cohen, J. D. (2005). An integrative theory of locus coeruleus-norepinephrine
function: adaptive gain and optimal performance. Annual Review of Neuroscience 28.
Dasgupta, S., Sheehan, T. C., Stevens, C. F. & Navlakha, S. (2018). A neural data structure for
novelty detection. PNAS 115.
Estan, C. & Varghese, G. (2002). New directions in traffic measurement and accounting. SIGCOMM.
Spärck Jones, K. (1972). A statistical interpretation of term specificity and its application in
retrieval. Journal of Documentation 28.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import DataError, DTypeError, Persistent, ShapeError, State, spawn_seed

from .meta_checks import check_whole
from .parameters import as_parameters, check_share

__all__ = ["Norepinephrine", "NorepinephrineParameters"]

Parts = npt.NDArray[Any]  # integers; what is not is refused by name
ROWS = 2


@dataclass(frozen=True, kw_only=True)
class NorepinephrineParameters:
    r"""How fast the unknown becomes familiar, and what novelty does.

    Attributes
    ----------
    depression : float
        :math:`d` in [0, 1]: share by which each meeting weakens the response to a part.
    gain : float
        :math:`G` >= 0: by which share a wholly new pattern raises the gain.
    columns : int
        Columns of the table of counts, >= 1; it takes 8 bytes a column.

    Raises
    ------
    ConfigError
        If a value is outside its range.
    """

    depression: float = 0.5
    gain: float = 1.0
    columns: int = 1 << 18

    def __post_init__(self) -> None:
        check_share(depression=self.depression)
        check_share(0.0, inf, gain=self.gain)
        check_whole(columns=self.columns)


class Norepinephrine(Persistent):
    """Familiarity of patterns: how new one is, and how much each of its parts says.

    Parameters
    ----------
    parameters : NorepinephrineParameters or mapping, optional
        Its constants.
    enabled : bool
        Switched off, nothing is counted: novelty is 0, the gain 1, and all parts weigh 1.
    seed : int
        Where the parts lie in the table.

    Examples
    --------
    What was met becomes familiar, and the part that is always there says little:

    >>> norepinephrine = Norepinephrine()
    >>> the, cat, dog = 1, 2, 3
    >>> norepinephrine.observe(np.array([the, cat])), norepinephrine.observe(np.array([the, cat]))
    (1.0, 0.5)
    >>> round(norepinephrine.novelty(np.array([the, dog])), 3)
    0.702
    >>> norepinephrine.weights(np.array([the, dog])).round(3).tolist()
    [0.916, 1.386]
    """

    kind: ClassVar[str] = "norepinephrine"

    def __init__(
        self,
        parameters: NorepinephrineParameters | Mapping[str, Any] | None = None,
        *,
        enabled: bool = True,
        seed: int = 0,
    ) -> None:
        self.parameters = as_parameters(NorepinephrineParameters, parameters)
        self.enabled, self.seed = enabled, seed
        self._salts = np.array([spawn_seed(seed, row) for row in range(ROWS)], dtype=np.uint64)
        self._counts = np.zeros((ROWS, self.parameters.columns), dtype=np.int32)
        self._patterns = 0

    # ------------------------------------------------------------------ the signal

    @property
    def patterns(self) -> int:
        """How many patterns were observed, N."""
        return self._patterns

    def frequency(self, parts: Parts) -> npt.NDArray[np.int32]:
        """Return in how many patterns each part occurred, df: exact, or by a collision too high.

        Raises
        ------
        DTypeError, ShapeError, DataError
            If the parts are no integers, no row of them, or none.
        """
        return self._frequency(self._places(_checked(parts)))

    def weights(self, parts: Parts, occurrences: Parts | None = None) -> npt.NDArray[np.float64]:
        """Return how much each part of a pattern says.

        Parameters
        ----------
        parts : array of int of shape (parts,)
            The parts, each once.
        occurrences : array of int of shape (parts,), optional
            How often each occurs in the pattern, n >= 1; once by default.

        Raises
        ------
        DTypeError, ShapeError, DataError
            If they are no integers, differ in number, or an occurrence is < 1.
        """
        parts = _checked(parts)
        if occurrences is None:
            occurrences = np.ones(len(parts), dtype=np.int64)
        occurrences = _checked(occurrences)
        if occurrences.shape != parts.shape or occurrences.min() < 1:
            raise ShapeError(
                "the occurrences do not fit the parts",
                got=f"{len(occurrences)} for {len(parts)} parts, the least {occurrences.min()}",
                expected="one count >= 1 a part",
            )
        if not self.enabled:
            return np.ones(len(parts))
        return (1.0 + np.log(occurrences)) * self._rarity(self.frequency(parts))

    def novelty(self, parts: Parts) -> float:
        """Return how new a pattern is, in [0, 1]; parts that repeat count once.

        Raises
        ------
        DTypeError, ShapeError, DataError
            As :meth:`frequency`.
        """
        parts = _checked(parts)
        return self._novelty(self.frequency(np.unique(parts))) if self.enabled else 0.0

    def gain(self, novelty: float) -> float:
        """Return by what a novelty multiplies the gain, >= 1; 1 if switched off.

        Examples
        --------
        >>> Norepinephrine().gain(0.25)
        1.25
        """
        return 1.0 + self.parameters.gain * novelty if self.enabled else 1.0

    # ------------------------------------------------------------------ learning

    def observe(self, parts: Parts) -> float:
        """Become familiar with a pattern, and return the novelty that it had.

        Raises
        ------
        DTypeError, ShapeError, DataError
            As :meth:`frequency`; nothing is changed.
        """
        parts = _checked(parts)
        if not self.enabled:
            return 0.0
        places = self._places(np.unique(parts))
        frequency = self._frequency(places)
        novelty = self._novelty(frequency)
        # Only counts that stand below what the part must now have: a conservative update.
        for row, columns in zip(self._counts, places, strict=True):
            np.maximum.at(row, columns, frequency + 1)
        self._patterns += 1
        return novelty

    def _novelty(self, frequency: npt.NDArray[np.int32]) -> float:
        response = (1.0 - self.parameters.depression) ** frequency
        return float(np.average(response, weights=self._rarity(frequency)))

    def _rarity(self, frequency: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        rarity: npt.NDArray[np.float64] = np.log1p((self._patterns + 1) / np.maximum(frequency, 1))
        return rarity

    def _frequency(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        lowest: npt.NDArray[np.int32] = np.take_along_axis(self._counts, places, axis=1).min(axis=0)
        return lowest

    def _places(self, parts: Parts) -> npt.NDArray[np.int64]:
        """Return the column of each part in each row: splitmix64 (Steele, Lea & Flood 2014)."""
        mixed = parts.astype(np.int64).view(np.uint64)[None] + self._salts[:, None]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        places: npt.NDArray[np.int64] = (mixed % np.uint64(self.parameters.columns)).astype(
            np.int64
        )
        return places

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"parameters": asdict(self.parameters), "enabled": self.enabled, "seed": self.seed}

    def export_state(self) -> State:
        """Return the counts."""
        return State(
            {"patterns": self._patterns}, {"counts": torch.from_numpy(self._counts.copy())}
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError, DataError
            If the counts are those of another table, or are none; nothing is changed.
        """
        counts, patterns = state.tensors["counts"], state.values["patterns"]
        if tuple(counts.shape) != self._counts.shape or counts.dtype != torch.int32:
            raise ShapeError(
                "the stored counts are those of another table",
                got=f"{counts.dtype} {tuple(counts.shape)}",
                expected=f"torch.int32 {self._counts.shape}",
            )
        check_whole(0, patterns=patterns)
        if int(counts.min()) < 0 or int(counts.max()) > patterns:
            raise DataError(
                "the stored counts are out of range",
                got=f"{int(counts.min())} to {int(counts.max())}",
                expected=f"0 to {patterns}, the number of patterns",
            )
        self._counts, self._patterns = counts.cpu().numpy().copy(), patterns


def _checked(parts: Parts) -> Parts:
    if not isinstance(parts, np.ndarray) or parts.dtype.kind not in "iu":
        kind = parts.dtype if isinstance(parts, np.ndarray) else type(parts).__name__
        raise DTypeError("the parts are no integers", got=str(kind), expected="an array of int64")
    if parts.ndim != 1:
        raise ShapeError("the parts are no row", got=str(parts.shape), expected="(parts,)")
    if len(parts) == 0:
        raise DataError("the pattern is empty", got="0 parts", expected="at least one")
    return parts
