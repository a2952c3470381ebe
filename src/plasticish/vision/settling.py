"""What a block does asleep: its units sweep to what varies most, and those above the noise mature.

Pure functions of units and covariance; :class:`~plasticish.vision.NeuromodulatedBlock` keeps the
result.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

__all__ = ["noise_edge", "open_gates", "settle", "settle_and_grow", "stands_out"]

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
    while newborn is not None and len(units) < most:
        if not bool(stands_out(variance, covariance, count).all()):
            break
        born = newborn(min(len(units), most - len(units)))
        units, variance = settle(torch.cat([units, born]), covariance, most)
    return units, variance


def noise_edge(in_dim: int, count: float) -> float:
    """Return the largest variance of ``count`` samples of unit noise (Marchenko & Pastur 1967)."""
    return (1 + math.sqrt(in_dim / count)) ** 2


def stands_out(
    variance: Float32[Tensor, " units"], covariance: Float32[Tensor, "in_dim in_dim"], count: float
) -> Bool[Tensor, " units"]:
    """Whether each unit, strongest first, has more variance than noise alone would reach.

    Noise is what is left when the stronger units are taken out. Without all the units that were
    found it would look small beside them, and they would stand out of anything.
    """
    in_dim, total = len(covariance), covariance.diagonal().double().sum()
    strong = variance.double()
    stronger = strong.cumsum(dim=0) - strong
    others = in_dim - torch.arange(len(variance), device=variance.device)
    noise = ((total - stronger) / others).clamp(min=1e-12 * float(total))
    return (strong > noise_edge(in_dim, count) * noise).long().cumprod(dim=0).bool()


def open_gates(
    variance: Float32[Tensor, " units"], covariance: Float32[Tensor, "in_dim in_dim"], count: float
) -> Float32[Tensor, " units"]:
    r"""Return the gate of each unit: zero unless its variance stands out of the noise, else

    .. math:: \gamma_j = 1 - \sqrt{\frac{r + s}{v_j + s}}, \qquad
              s = \left(1 + 5\,\frac{d}{n}\right)\frac{\mathrm{tr}\,C}{d}

    with :math:`v_j` its variance and :math:`r` the mean variance of what no unit explains.
    """
    in_dim, total = len(covariance), float(covariance.diagonal().sum())
    if total <= 0.0:  # nothing varies: what is left is rounding, of either sign
        return torch.zeros_like(variance)
    rest = max(total - float(variance.sum()), 0.0) / max(in_dim - len(variance), 1)
    shrinkage = (1 + 5 * in_dim / count) * total / in_dim
    gate = 1 - ((rest + shrinkage) / (variance + shrinkage)).sqrt()
    return torch.where(stands_out(variance, covariance, count), gate.clamp(min=0.0), 0.0)
