"""How far to trust a covariance, decided from the sums and counts alone."""

from __future__ import annotations

import torch
from torch import Tensor

from plasticish.core import make_generator

from .coactivity import Moments

__all__ = ["choose_shrinkage"]

GRID = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
PROBES = 32


def choose_shrinkage(moments: Moments) -> float:
    r"""Return the shrinkage of the discriminant, by generalised cross-validation.

    The discriminant is, up to scale, the least-squares fit of the class indicators :math:`Y`,
    whose error on unseen examples is estimated from the error on the seen ones [1]_:

    .. math::
        \mathrm{GCV}(e) = \frac{\mathrm{RSS}(e)/n}{(1 - \mathrm{dof}(e)/n)^2}, \qquad
        \mathrm{dof} = 1 + \mathrm{tr}\,T(T + \lambda I)^{-1}, \qquad
        \lambda = e\,\mathrm{tr}(S_w)/H

    with :math:`T` the total covariance. RSS needs :math:`T`, class means and counts; the trace is
    estimated with random signs [2]_. The grid is descended from a guess, since GCV has one valley
    here, and float32 is enough to choose.

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
    .. [2] M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix",
       Communications in Statistics 19 (1990).
    """
    known, n = moments.known, moments.total
    unit = float(moments.within.diagonal().mean())
    if len(known) < 2 or n <= len(known) or unit <= 0:
        return GRID[-1]
    problem = _Problem(moments, unit)
    at = _guess(moments)
    seen = {at: problem.error(GRID[at])}
    while True:
        for neighbour in (at - 1, at + 1):
            if 0 <= neighbour < len(GRID) and neighbour not in seen:
                seen[neighbour] = problem.error(GRID[neighbour])
        best = min(seen, key=lambda i: (seen[i], -i))
        if best == at:
            return GRID[at]
        at = best


def _guess(moments: Moments) -> int:
    """Start where the effective dimension over n suggests; it only saves evaluations."""
    spectrum = moments.within.diagonal().sum() ** 2 / moments.within.square().sum()
    wanted = 0.1 + 50 * float(spectrum) / moments.total
    return min(range(len(GRID)), key=lambda i: abs(torch.tensor(GRID[i] / wanted).log().item()))


class _Problem:
    """The least-squares problem behind the discriminant, ready to be solved for any shrinkage."""

    def __init__(self, moments: Moments, unit: float) -> None:
        known, self.n, self.unit = moments.known, moments.total, unit
        share = moments.counts[known] / self.n
        means = moments.means[known]
        deviation = means - share @ means
        self.total = (moments.within + (deviation.T * share) @ deviation).float()
        # Covariance of code and class indicators, and the variance of the indicators themselves.
        self.cross = (deviation.T * share).float()
        self.spread = float((share * (1 - share)).sum())
        signs = torch.randint(0, 2, (len(self.total), PROBES), generator=make_generator(0))
        self.probes = (2.0 * signs - 1.0).to(self.total)

    def error(self, shrinkage: float) -> float:
        """Return GCV at this shrinkage."""
        ridge = shrinkage * self.unit
        system = self.total.clone()
        system.diagonal().add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(system)
        if int(failed):
            return float("inf")
        solved = torch.cholesky_solve(torch.cat([self.cross, self.probes], dim=1), factor)
        fit, echo = solved[:, : -self.probes.shape[1]], solved[:, -self.probes.shape[1] :]
        # RSS/n = tr Y'Y/n - 2 tr W'B + tr W'TW, and TW = B - ridge W.
        residual = self.spread - float((fit * self.cross).sum() + ridge * fit.square().sum())
        freedom = 1 + len(self.total) - ridge * float((self.probes * echo).sum()) / PROBES
        # Some freedom has to be left, or the estimate divides rounding by rounding.
        return max(residual, 0.0) / max(1 - freedom / self.n, 1e-3) ** 2
