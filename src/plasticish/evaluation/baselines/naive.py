"""What happens without any protection: one softmax layer, one pass of gradient descent."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .base import Baseline, grown

__all__ = ["NaiveSoftmax"]

_RATES = {"raw": 0.1, "zscore": 0.01}


class NaiveSoftmax(Baseline):
    r"""A linear softmax classifier under plain stochastic gradient descent.

    For each batch, :math:`W \leftarrow W - \eta\,(p - \mathrm{onehot}(y))^\top x / n` with
    :math:`p = \mathrm{softmax}(W x + b)`. It forgets what the stream no longer shows
    (McCloskey & Cohen 1989), by how much depends on the scale of its input: state it.

    Parameters
    ----------
    scaling : {"raw", "zscore"}
        Features as they come, or standardised by their running mean and deviation.
    lr : float, optional
        Learning rate :math:`\eta`; by default 0.1 on raw and 0.01 on standardised features.

    References
    ----------
    McCloskey & Cohen (1989), Catastrophic interference in connectionist networks.

    Examples
    --------
    >>> naive = NaiveSoftmax()
    >>> _ = naive.learn(([[1.0, 0.0], [0.0, 1.0]], [0, 1]))
    >>> naive.predict([[2.0, 0.0]])
    tensor([0])
    """

    def __init__(self, scaling: str = "raw", lr: float | None = None) -> None:
        super().__init__()
        if scaling not in _RATES:
            raise ConfigError("unknown scaling", got=repr(scaling), expected="'raw' or 'zscore'")
        self.scaling = scaling
        self.lr = _RATES[scaling] if lr is None else lr
        check_positive(lr=self.lr)
        self.weight = torch.zeros(0, 0)
        self.bias = torch.zeros(0)
        self._mean, self._scatter, self._seen = torch.zeros(0), torch.zeros(0), 0

    def _grow(self, classes: int, width: int) -> None:
        if self._seen == 0:
            self.weight = torch.zeros(0, width)
            self._mean, self._scatter = torch.zeros(width), torch.zeros(width)
        self.weight, self.bias = grown(self.weight, classes), grown(self.bias, classes)

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        self._observe(x)
        z = self._scaled(x)
        # Classes that never appeared have no output yet: they take no share of the softmax.
        known = self.counts > 0
        known[y] = True
        logits = (z @ self.weight.T + self.bias).masked_fill(~known, -torch.inf)
        error = logits.softmax(dim=1)
        error[torch.arange(len(y)), y] -= 1
        self.weight -= self.lr / len(y) * (error.T @ z)
        self.bias -= self.lr * error.mean(dim=0)

    def _observe(self, x: Float[Tensor, "batch width"]) -> None:
        """Fold a batch into the running mean and scatter (Chan, Golub & LeVeque 1983)."""
        total = self._seen + len(x)
        mean = x.mean(dim=0)
        shift = mean - self._mean
        self._scatter += ((x - mean) ** 2).sum(dim=0) + shift**2 * self._seen * len(x) / total
        self._mean += shift * len(x) / total
        self._seen = total

    def _scaled(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        if self.scaling == "raw":
            return x
        deviation = (self._scatter / max(self._seen, 1)).sqrt()
        # A feature that never varied carries nothing: it becomes 0, not 0/0.
        return (x - self._mean) / deviation.clamp_min(1e-6)

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        return self._scaled(x) @ self.weight.T + self.bias
