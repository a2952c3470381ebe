"""How far to trust a covariance, decided from the sums and counts alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from plasticish.core import make_generator

from .coactivity import Moments

__all__ = ["GRID", "choose_shrinkage"]

GRID = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
FEW = 1024  # up to so many examples the covariance has a rank that is cheap to take apart whole
PROBES = 32
MOST_FREEDOM = 0.95  # beyond, the fit interpolates and the estimate divides rounding by rounding


def choose_shrinkage(moments: Moments) -> float:
    r"""Return the shrinkage of the discriminant, by generalised cross-validation.

    The discriminant is, up to scale, the least-squares fit of the class indicators :math:`Y`,
    whose error on unseen examples is estimated from the error on the seen ones [1]_:

    .. math::
        \mathrm{GCV}(e) = \frac{\mathrm{RSS}(e)/n}{(1 - \mathrm{dof}(e)/n)^2}, \qquad
        \mathrm{dof} = 1 + \mathrm{tr}\,T(T + \lambda I)^{-1}, \qquad
        \lambda = e\,\mathrm{tr}(S_w)/H

    with :math:`T` the total covariance; RSS needs :math:`T`, class means and counts. With few
    examples :math:`T` is taken apart exactly in the subspace it spans [2]_; with many the trace is
    estimated with random signs [3]_, and the grid is descended from a guess, since GCV then has one
    valley.

    Parameters
    ----------
    moments : Moments
        Of the code.

    Returns
    -------
    float
        One of :data:`GRID`; its largest (nearest mean) while no class has two examples.

    References
    ----------
    .. [1] G. H. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing
       a good ridge parameter", Technometrics 21 (1979).
    .. [2] N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM
       Review 53 (2011).
    .. [3] M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix",
       Communications in Statistics 19 (1990).
    """
    known, n = moments.known, moments.total
    unit = float(moments.within.diagonal().mean())
    if len(known) < 2 or n <= len(known) or unit <= 0:
        return GRID[-1]
    share = moments.counts[known] / n
    deviation = moments.means[known] - share @ moments.means[known]
    total = (moments.within + (deviation.T * share) @ deviation).float()
    cross = (deviation.T * share).float()
    solve = _taken_apart(total, cross, n) if n <= FEW else _estimated(total, cross)
    spread = float((share * (1 - share)).sum())

    def error(at: int) -> float:
        explained, freedom = solve(GRID[at] * unit)
        used = (1 + freedom) / n
        return math.inf if used > MOST_FREEDOM else max(spread - explained, 0.0) / (1 - used) ** 2

    if n <= FEW:  # every value costs next to nothing, and little data may have two valleys
        return GRID[min(range(len(GRID)), key=lambda at: (error(at), -at))]
    return GRID[_descend(error, _guess(moments))]


def _guess(moments: Moments) -> int:
    """Start where the effective dimension over n suggests; it only saves evaluations."""
    dimension = float(moments.within.diagonal().sum() ** 2 / moments.within.square().sum())
    wanted = 0.1 + 50 * dimension / moments.total
    return min(range(len(GRID)), key=lambda i: abs(math.log(GRID[i] / wanted)))


def _descend(error: Callable[[int], float], at: int) -> int:
    """Walk down the grid from ``at``; of two that tie, the more cautious wins."""
    seen = {at: error(at)}
    while True:
        for neighbour in (at - 1, at + 1):
            if 0 <= neighbour < len(GRID) and neighbour not in seen:
                seen[neighbour] = error(neighbour)
        best = min(seen, key=lambda i: (seen[i], -i))
        if best == at:
            return at
        at = best


def _taken_apart(total: Tensor, cross: Tensor, n: float) -> Callable[[float], tuple[float, float]]:
    """Return explained variance and degrees of freedom by ridge, from the spectrum."""
    rank = min(int(n), len(total))
    start = torch.randn(len(total), rank, generator=make_generator(0)).to(total)
    basis = torch.linalg.qr(total @ start).Q
    values, rotation = torch.linalg.eigh((basis.T @ total @ basis).double())
    values = values.clamp(min=0.0)
    energy = (rotation.T @ (basis.T @ cross).double()).square().sum(dim=1)

    def solve(ridge: float) -> tuple[float, float]:
        raised = values + ridge
        explained = energy * (values + 2 * ridge) / raised.square()
        return float(explained.sum()), float((values / raised).sum())

    return solve


def _estimated(total: Tensor, cross: Tensor) -> Callable[[float], tuple[float, float]]:
    """Return the same from one factorisation a ridge; float32 is enough to choose."""
    signs = torch.randint(0, 2, (len(total), PROBES), generator=make_generator(0))
    probes = (2.0 * signs - 1.0).to(total)
    sides = torch.cat([cross, probes], dim=1)

    def solve(ridge: float) -> tuple[float, float]:
        system = total.clone()
        system.diagonal().add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(system)
        if int(failed):  # too little ridge for float32
            return 0.0, math.inf
        solved = torch.cholesky_solve(sides, factor)
        fit, echo = solved[:, :-PROBES], solved[:, -PROBES:]
        # The explained part is 2 tr W'B - tr W'TW, and TW = B - ridge W.
        explained = float((fit * cross).sum() + ridge * fit.square().sum())
        return explained, len(total) - ridge * float((probes * echo).sum()) / PROBES

    return solve
