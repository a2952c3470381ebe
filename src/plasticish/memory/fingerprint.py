"""Fingerprints of examples: the same bits have the same one, and any other a random one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from plasticish.core import make_generator, spawn_seed

__all__ = ["Fingerprint", "Marks", "unit_interval"]

# In NumPy, whose calls on a few dozen numbers are several times cheaper than those of torch.
Marks = NDArray[np.int64]
_U = np.uint64
_COLUMNS = ("input", "label", "task")


class Fingerprint:
    """A multilinear hash of an example's bits, finished by splitmix64 (Steele et al. 2014).

    Parameters
    ----------
    seed : int
        Of the odd factors; another seed gives unrelated fingerprints.

    Examples
    --------
    >>> rows = {name: torch.tensor([0, 1, 0]) for name in ("input", "label", "task")}
    >>> one, two, three = Fingerprint(0)(rows)
    >>> bool(one == three), bool(one == two)
    (True, False)
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._factors: dict[int, Tensor] = {}

    def __call__(self, rows: Mapping[str, Tensor]) -> Marks:
        """Return the fingerprint of every row of ``input``, ``label`` and ``task``."""
        first, second, third = (self._sums(n, rows[name]) for n, name in enumerate(_COLUMNS))
        mixed = (first + second + third).cpu().numpy().view(np.uint64)
        mixed = (mixed ^ (mixed >> _U(30))) * _U(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> _U(27))) * _U(0x94D049BB133111EB)
        return (mixed ^ (mixed >> _U(31))).view(np.int64)

    def _sums(self, column: int, part: Tensor) -> Int64[Tensor, " batch"]:
        if part.is_floating_point():
            bits = part.double().view(torch.int64)
            bits = bits ^ (bits >> 32)  # round numbers differ in their upper half only
        else:
            bits = part.long()
        width = bits.shape[1] if bits.ndim > 1 else 1
        if column not in self._factors:
            draw = make_generator(spawn_seed(self.seed, column))
            drawn = torch.randint(-(1 << 62), 1 << 62, (width + 1,), generator=draw)
            self._factors[column] = (2 * drawn + 1).to(bits.device)
        factors = self._factors[column]
        product = bits * factors[1:]
        return (product.sum(dim=1) if product.ndim > 1 else product) + factors[0]


def unit_interval(marks: Marks) -> NDArray[np.float64]:
    """Return the upper 53 bits of each as a number in [0, 1).

    Examples
    --------
    >>> unit_interval(np.array([0, 2**62])).tolist()
    [0.0, 0.25]
    """
    upper: NDArray[np.float64] = (marks.view(np.uint64) >> _U(11)).astype(np.float64)
    return upper * 2.0**-53
