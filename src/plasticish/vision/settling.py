"""What a block does asleep: its units sweep to what varies most, and those above the noise mature.

Pure functions of units and covariance; :class:`~plasticish.vision.NeuromodulatedBlock` keeps the
result.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float32
from torch import Tensor

__all__ = ["noise_edge", "open_gates", "settle", "settle_and_grow"]

SWEEPS = 3  # of replay in one consolidation; the units come prepared by what they learned awake


def settle(
    units: Float32[Tensor, "units in_dim"], covariance: Float32[Tensor, "in_dim in_dim"], most: int
) -> tuple[Float32[Tensor, "kept in_dim"], Float32[Tensor, " kept"]]:
    r"""Run Oja's rule towards its fixed point: :math:`E \leftarrow \mathrm{orth}(E C)`.

    Returns
    -------
    units : Tensor [kept, in_dim]
        Orthonormal, at most ``most``, those with most variance first.
    variance : Tensor [kept]
        Of each of them.
    """
    basis = units.T
    for _ in range(SWEEPS):
        basis = torch.linalg.qr(covariance @ basis).Q
    values, rotation = torch.linalg.eigh(basis.T @ covariance @ basis)
    order = values.argsort(descending=True)[:most]
    return (basis @ rotation[:, order]).T.contiguous(), values[order].clamp(min=0.0)


def settle_and_grow(
    units: Tensor,
    covariance: Tensor,
    count: float,
    most: int,
    newborn: Callable[[int], Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """Settle; while even the weakest unit stands out of the noise, double the units and again.

    Parameters
    ----------
    units, covariance, most
        As of :func:`settle`.
    count : float
        Examples behind the covariance.
    newborn : callable or None
        Returns so many new units; None grows nothing.
    """
    units, variance = settle(units, covariance, most)
    while newborn is not None and len(units) < most and _wants_more(variance, covariance, count):
        born = newborn(min(len(units), most - len(units)))
        units, variance = settle(torch.cat([units, born]), covariance, most)
    return units, variance


def noise_edge(in_dim: int, count: float) -> float:
    """Return the largest variance of ``count`` samples of unit noise (Marchenko & Pastur 1967)."""
    return (1 + math.sqrt(in_dim / count)) ** 2


def _wants_more(variance: Tensor, covariance: Tensor, count: float) -> bool:
    in_dim = len(covariance)
    rest = float(covariance.diagonal().sum() - variance.sum()) / in_dim
    return bool(variance.min() > noise_edge(in_dim, count) * max(rest, 0.0))


def open_gates(
    variance: Float32[Tensor, " units"], covariance: Float32[Tensor, "in_dim in_dim"], count: float
) -> Float32[Tensor, " units"]:
    r"""Return the gate of each unit: zero unless its variance stands out of the noise, else

    .. math:: \gamma_j = 1 - \sqrt{\frac{r + s}{v_j + s}}, \qquad
              s = \left(1 + 5\,\frac{d}{n}\right)\frac{\mathrm{tr}\,C}{d}

    with :math:`v_j` its variance and :math:`r` the mean variance of what no unit explains.
    """
    in_dim, total = len(covariance), float(covariance.diagonal().sum())
    rest = max(total - float(variance.sum()), 0.0) / max(in_dim - len(variance), 1)
    mature = variance > noise_edge(in_dim, count) * max(rest, 1e-12 * total)
    shrinkage = (1 + 5 * in_dim / count) * total / in_dim
    gate = 1 - ((rest + shrinkage) / (variance + shrinkage)).sqrt()
    return torch.where(mature, gate.clamp(min=0.0), 0.0)
