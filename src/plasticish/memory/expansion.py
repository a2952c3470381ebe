"""A wide, fixed, random look at the features: what makes a linear readout see curves."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float32
from torch import Tensor

from plasticish.core import make_generator

from .similarity import unit_rows

__all__ = ["RandomExpansion", "default_width"]

FULL_WIDTH = 2048
FEWEST_UNITS = 512


def default_width(in_dim: int) -> int:
    """Return how many random units stand beside ``in_dim`` features by default.

    Examples
    --------
    >>> default_width(64), default_width(1280), default_width(2048)
    (1984, 768, 512)
    """
    return max(FULL_WIDTH - in_dim, FEWEST_UNITS)


class RandomExpansion:
    r"""Rescale a row to unit root-mean-square and append rectified random projections of it.

    .. math:: u = \sqrt{d}\, x / \lVert x \rVert, \qquad
              \varphi(x) = [\,u \;;\; \max(0, u R / \sqrt{d})\,], \quad R_{ij} \sim N(0, 1)

    the expansion of RanPAC [1]_ with the features kept beside it. It depends on the seed and on
    nothing that was seen, so sums over it are the same for every order of a stream, can be merged
    and can be subtracted from.

    Parameters
    ----------
    in_dim : int
        Width :math:`d` of the features.
    width : int
        Number of random units; 0 keeps the features alone.
    seed : int
        Of the projection.
    device : torch.device
        Where it lives.

    References
    ----------
    .. [1] M. D. McDonnell et al., "RanPAC: Random projections and pre-trained models for
       continual learning", NeurIPS 2023.

    Examples
    --------
    >>> RandomExpansion(4, 8, seed=0)(torch.ones(2, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(
        self, in_dim: int, width: int, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        self.in_dim, self.width = in_dim, width
        # Always drawn on the CPU, so that one seed means one projection on every device.
        drawn = torch.randn(in_dim, width, generator=make_generator(seed))
        self._projection = (drawn / math.sqrt(in_dim)).to(device)

    @property
    def out_dim(self) -> int:
        """Width of the code: features and random units."""
        return self.in_dim + self.width

    def rescale(self, x: Float32[Tensor, "batch in_dim"]) -> Float32[Tensor, "batch in_dim"]:
        """Return rows at unit root-mean-square, whatever their magnitude; zeros stay zeros."""
        return unit_rows(x) * math.sqrt(self.in_dim)

    def __call__(self, x: Float32[Tensor, "batch in_dim"]) -> Float32[Tensor, "batch out_dim"]:
        """Return the code of each row; a row of zeros has the code zero."""
        unit = self.rescale(x)
        if not self.width:
            return unit
        return torch.cat([unit, torch.relu(unit @ self._projection)], dim=1)
