"""The two plainest memories: the mean of every class, and every example."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .base import Baseline, grown

__all__ = ["KNN", "NCM"]

_CHUNK = 512  # queries at once: bounds the distance matrix at 512 x stored rows


class NCM(Baseline):
    r"""Nearest class mean: :math:`\hat y = \arg\min_c \lVert x - \mu_c \rVert`, in Euclidean space.

    References
    ----------
    Mensink, Verbeek, Perronnin & Csurka (2013), Distance-based image classification.

    Examples
    --------
    >>> ncm = NCM()
    >>> _ = ncm.learn(([[0.0], [2.0], [10.0]], [0, 0, 1]))
    >>> ncm.means.flatten().tolist()
    [1.0, 10.0]
    >>> ncm.predict([[4.0], [7.0]])
    tensor([0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self._sums = torch.zeros(0, 0, dtype=torch.float64)

    @property
    def means(self) -> Float[Tensor, "classes width"]:
        """The class means, float64."""
        return self._sums / self.counts.clamp_min(1)[:, None]

    def _grow(self, classes: int, width: int) -> None:
        self._sums = grown(self._sums.reshape(-1, width), classes)

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        self._sums.index_add_(0, y, x.double())

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        means = self.means
        # |x|^2 is the same for every class, so -|x - m|^2 ranks as x.m - |m|^2 / 2.
        return x.double() @ means.T - 0.5 * (means**2).sum(dim=1)


class KNN(Baseline):
    """Exact k nearest neighbours over every stored row, one vote each.

    A tie goes to the smallest label, as scikit-learn has it.

    Parameters
    ----------
    k : int
        Neighbours that vote (fewer while fewer are stored).
    metric : {"euclidean", "cosine"}
        What near means.

    References
    ----------
    Cover & Hart (1967), Nearest neighbor pattern classification.

    Examples
    --------
    >>> knn = KNN(k=1)
    >>> _ = knn.learn(([[0.0], [2.0], [10.0]], [0, 0, 1]))
    >>> knn.predict([[7.0]])
    tensor([1])
    """

    def __init__(self, k: int = 5, metric: str = "euclidean") -> None:
        super().__init__()
        check_positive(k=k)
        if metric not in ("euclidean", "cosine"):
            raise ConfigError(
                "unknown metric", got=repr(metric), expected="'euclidean' or 'cosine'"
            )
        self.k, self.metric = k, metric
        self._parts: list[tuple[Tensor, Tensor]] = []

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        stored = torch.nn.functional.normalize(x) if self.metric == "cosine" else x.clone()
        self._parts.append((stored, y.clone()))

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        if len(self._parts) > 1:
            keys, values = (torch.cat(column) for column in zip(*self._parts, strict=True))
            self._parts = [(keys, values)]
        keys, values = self._parts[0]
        half_norms = 0.5 * (keys**2).sum(dim=1)
        votes = torch.zeros(len(x), self.num_classes)
        for start in range(0, len(x), _CHUNK):
            part = x[start : start + _CHUNK]
            # For unit keys the norm term is constant, so one formula ranks both metrics.
            nearness = part @ keys.T - half_norms
            nearest = nearness.topk(min(self.k, len(keys)), dim=1).indices
            ones = torch.ones(nearest.shape)
            votes[start : start + _CHUNK].scatter_add_(1, values[nearest], ones)
        return votes
