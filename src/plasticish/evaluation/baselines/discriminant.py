"""Streaming linear discriminant analysis, on exact running moments."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from plasticish.core import ConfigError, Report

from .base import Baseline, grown

__all__ = ["SLDA"]


class SLDA(Baseline):
    r"""Deep streaming LDA: class means and one shared covariance, updated as examples pass.

    With :math:`\Lambda = [(1-\varepsilon)\Sigma + \varepsilon I]^{-1}` the score of a class is
    :math:`\mu_c^\top \Lambda x - \tfrac12 \mu_c^\top \Lambda \mu_c` (equal priors).

    The paper updates :math:`\Sigma` one example at a time with the old class mean, weighed by the
    count of all examples. Here a batch is folded in by the pairwise form of Chan, Golub & LeVeque
    (1983), which gives the within-class covariance of everything seen, whatever the batch size.

    Parameters
    ----------
    shrinkage : float
        :math:`\varepsilon`, in [0, 1]; the paper's 1e-4.
    dtype : torch.dtype
        Of the moments; float64 unless speed is being measured.

    References
    ----------
    Hayes & Kanan (2020), Lifelong machine learning with deep streaming linear discriminant
    analysis. CVPR workshops.

    Examples
    --------
    >>> slda = SLDA()
    >>> _ = slda.learn(([[0.0, 0.0], [0.0, 2.0], [1.0, 0.0], [1.0, 2.0]], [0, 0, 1, 1]))
    >>> slda.predict([[0.2, 9.0], [0.8, -9.0]])
    tensor([0, 1])
    """

    def __init__(self, shrinkage: float = 1e-4, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        if not 0 <= shrinkage <= 1:
            raise ConfigError("shrinkage is out of range", got=repr(shrinkage), expected="[0, 1]")
        self.shrinkage, self.dtype = shrinkage, dtype
        self.means = torch.zeros(0, 0, dtype=dtype)
        self._scatter = torch.zeros(0, 0, dtype=dtype)
        self._readout: tuple[Tensor, Tensor] | None = None

    @property
    def covariance(self) -> Float[Tensor, "width width"]:
        """The within-class covariance of everything seen (biased, as the paper's)."""
        return self._scatter / max(int(self.counts.sum()), 1)

    def _grow(self, classes: int, width: int) -> None:
        if not len(self.means):
            self._scatter = torch.zeros(width, width, dtype=self.dtype)
        self.means = grown(self.means.reshape(-1, width), classes)

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        z = x.to(self.dtype)
        present, y_local, fresh = torch.unique(y, return_inverse=True, return_counts=True)
        before = self.counts[present].to(self.dtype)
        share = fresh.to(self.dtype) / (before + fresh)
        batch_means = torch.zeros(len(present), z.shape[1], dtype=self.dtype)
        batch_means.index_add_(0, y_local, z)
        batch_means /= fresh[:, None]
        shift = batch_means - self.means[present]
        # Rows around the batch's means, and one row a class for the step of its mean: one product.
        rows = torch.cat([z - batch_means[y_local], (before * share).sqrt()[:, None] * shift])
        self._scatter.addmm_(rows.T, rows)
        self.means[present] += share[:, None] * shift
        self._readout = None

    def sleep(self) -> Report:
        """Turn the moments into the readout (done on demand by ``predict`` otherwise)."""
        if self.num_classes:
            self._solve()
        return {}

    def _solve(self) -> tuple[Tensor, Tensor]:
        if self._readout is None:
            eye = torch.eye(len(self._scatter), dtype=self.dtype)
            mixed = (1 - self.shrinkage) * self.covariance + self.shrinkage * eye
            weight = torch.linalg.solve(mixed, self.means.T, left=True).T
            self._readout = weight, -0.5 * (weight * self.means).sum(dim=1)
        return self._readout

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        weight, bias = self._solve()
        return x.to(self.dtype) @ weight.T + bias
